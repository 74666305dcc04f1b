"""A computer on which every rule says yes, for tests that change one thing about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from samples import GPU, NOON, reading

from argentum_desktop.domain.host import HostState
from argentum_desktop.policy.gates import GIB, Circumstances
from argentum_desktop.settings.schema import Settings

HOST = HostState(
    cpu_count=8,
    memory_total_bytes=32 * GIB,
    memory_available_bytes=20 * GIB,
    disk_free_bytes=500 * GIB,
    on_battery=False,
)
PARIS = ZoneInfo("Europe/Paris")


def circumstances(**changes: Any) -> Circumstances:
    made = Circumstances(
        gpu=GPU,
        reading=reading(temperature_c=50, utilization_percent=0),
        host=HOST,
        settings=Settings(),
        zone=PARIS,
        now=NOON,
        market_is_local=False,
    )
    return replace(made, **changes)
