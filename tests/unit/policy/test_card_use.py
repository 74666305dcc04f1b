"""Who else uses a card."""

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
        GpuProcess(40, None, is_compute=False),
    ),
)
NAMES = {20: "Xorg", 30: "blender"}


def test_jobs_and_the_desktop_are_no_use_of_the_owners() -> None:
    use = use_by_owner(BUSY, {10}, NAMES, is_at_work=True)
    assert use == CardUse(("blender", "process 40"), 400 * MIB, None)
    assert use_by_owner(BUSY, {10, 30, 40}, NAMES, is_at_work=True) == CardUse((), 0, 0)


def test_without_a_job_all_load_is_the_owners() -> None:
    assert use_by_owner(BUSY, (), NAMES, is_at_work=False).percent == 60


def test_without_a_list_only_the_load_tells_and_only_without_a_job() -> None:
    silent = replace(BUSY, processes=(), absent={PROCESSES: Absence.NOT_SUPPORTED})
    assert use_by_owner(silent, (), {}, is_at_work=False) == CardUse((), None, 60)
    assert use_by_owner(silent, (), {}, is_at_work=True) == CardUse()


def test_memory_nobody_tells_is_not_nought() -> None:
    untold = replace(BUSY, processes=(GpuProcess(40, None, is_compute=True),))
    assert use_by_owner(untold, (), {40: "game"}, is_at_work=True) == CardUse(("game",), None, None)
