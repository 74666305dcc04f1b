"""Mesa's software Vulkan device, which stands in for a card wherever none is: it computes for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from argentum_desktop.health.stress.engine import Engine, adapters
from argentum_desktop.health.stress.matching import Match, NoMatch, choose
from argentum_desktop.health.stress.vulkan.probe import vulkan_devices
from argentum_desktop.health.stress.wire import Wanted

WANTED = Wanted(allow_software=True)
MISSING = "these tests need Mesa's software Vulkan driver: apt-get install mesa-vulkan-drivers"


def opened(make_engine: Callable[[Any, Match], Engine] = Engine) -> Engine:
    """The device, open. A system without it fails the test: there is nothing to skip to."""
    found = adapters()
    match = choose([adapter.info for adapter in found], vulkan_devices(), WANTED)
    if isinstance(match, NoMatch):
        pytest.fail(f"{MISSING} ({match.words})")
    return make_engine(found[match.index], match)
