"""Who else uses a card that has a job."""

from __future__ import annotations

from dataclasses import replace

from samples import reading

from argentum_desktop.domain.reading import PROCESSES, Absence, GpuProcess
from argentum_desktop.policy.card_use import CardUse, use_by_owner

MIB = 1024**2
BUSY = replace(
    reading(utilization_percent=60),
    processes=(
        GpuProcess(10, 900 * MIB, is_compute=True),
        GpuProcess(20, 300 * MIB, is_compute=False),
        GpuProcess(30, 400 * MIB, is_compute=True),
        GpuProcess(31, 200 * MIB, is_compute=True),
        GpuProcess(40, 500 * MIB, is_compute=False),
    ),
)
OWNERS = {20: "Xorg", 30: "blender", 31: "blender", 40: "firefox"}


def test_jobs_and_the_desktop_are_no_use_of_the_owners() -> None:
    assert use_by_owner(BUSY, OWNERS) == CardUse(("blender", "firefox"), 1100 * MIB)
    assert use_by_owner(BUSY, {20: "Xorg"}) == CardUse((), 0)


def test_a_driver_that_keeps_no_list_tells_nothing() -> None:
    assert use_by_owner(replace(BUSY, processes=(), absent={PROCESSES: Absence.NOT_SUPPORTED}), {}) is None


def test_memory_nobody_tells_is_not_nought() -> None:
    untold = replace(BUSY, processes=(GpuProcess(40, None, is_compute=True),))
    assert use_by_owner(untold, {40: "game"}) is None
    assert use_by_owner(untold, {}) == CardUse((), 0)
