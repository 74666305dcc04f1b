"""What an owner without an engine is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from argentum_desktop.clock import SystemClock
from argentum_desktop.errors import EngineMissingError
from argentum_desktop.runner.discovery import Surroundings, find_engine

BARE = Surroundings({}, None, (), ())


async def test_a_machine_without_an_engine_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError) as caught:
        await find_engine("auto", tmp_path, SystemClock(), BARE)
    assert "no container engine" in caught.value.message
    assert "Install Podman" in caught.value.remedy


async def test_windows_is_told_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(EngineMissingError, match="cannot run jobs on Windows yet"):
        await find_engine("auto", tmp_path, SystemClock(), BARE)
