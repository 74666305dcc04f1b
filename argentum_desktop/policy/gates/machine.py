"""What the computer around the card says: power, room, load."""

from __future__ import annotations

from functools import lru_cache

from argentum_desktop.domain.activity import CPU, DISK
from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.domain.job import MIB
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates.unknown import unknown_signal

GIB = 1024**3
# Enough memory is told in steps: the exact figure changes at each look and says nothing more.
_SHOWN_MIB = 64

_ENGINE_ANSWERS = Verdict("engine", True, "answers")
_ON_MAINS = Verdict("battery", True, "not on battery")
_BATTERY_ALLOWED = Verdict("battery", True, "jobs run on battery too")


def engine_ready(at: Circumstances) -> Verdict:
    if at.engine_problem:
        change = Change(ChangeKind.ACT, at.engine_remedy) if at.engine_remedy else None
        return Verdict("engine", False, at.engine_problem, at.engine_remedy, change)
    return _ENGINE_ANSWERS


def on_mains(at: Circumstances) -> Verdict:
    if not at.host.on_battery:
        return _ON_MAINS
    if at.settings.availability.on_battery:
        return _BATTERY_ALLOWED
    remedy = "Plug it in, or set availability.on_battery."
    change = Change(ChangeKind.SETTING, remedy, "availability.on_battery", value="true")
    return Verdict("battery", False, "The computer runs on battery.", remedy, change)


def disk_free(at: Circumstances) -> Verdict:
    needed_gib, free_bytes = 2 * at.settings.jobs.disk_gib, at.host.disk_free_bytes
    if free_bytes < needed_gib * GIB:
        remedy = "Free some space, or lower jobs.disk_gib."
        change = Change(ChangeKind.MEASURE, remedy, "disk_free_bytes", value=str(needed_gib * GIB))
        reason = f"Only {free_bytes / GIB:.1f} GiB of disk are free; {needed_gib} GiB are kept for a job and its image."
        return Verdict("disk", False, reason, remedy, change)
    return _disk_free(free_bytes // GIB)


@lru_cache(maxsize=512)
def _disk_free(free_gib: int) -> Verdict:
    return Verdict("disk", True, f"{free_gib} GiB free")


def memory_free(at: Circumstances) -> Verdict:
    """Whether the owner's own programs still have memory to grow into."""
    least_mib = at.settings.presence.memory_free_mib
    if least_mib == 0:
        return _not_minded("memory_free")
    free_mib = at.host.memory_available_bytes // MIB
    if free_mib >= least_mib:
        return _memory_enough(free_mib // _SHOWN_MIB * _SHOWN_MIB)
    remedy = f"Runs when {least_mib} MiB of memory are free."
    change = Change(ChangeKind.MEASURE, remedy, "memory_available_bytes", value=str(least_mib * MIB))
    reason = f"Only {free_mib} MiB of memory are free; you want {least_mib} MiB to stay free."
    return Verdict("memory_free", False, reason, remedy, change)


def cpu_not_busy(at: Circumstances) -> Verdict:
    return _below(at, "cpu_busy", CPU, "processor", at.settings.presence.cpu_busy_percent)


def disk_not_busy(at: Circumstances) -> Verdict:
    return _below(at, "disk_busy", DISK, "disk", at.settings.presence.disk_busy_percent)


def _below(at: Circumstances, rule: str, signal: str, thing: str, most_percent: int) -> Verdict:
    if most_percent == 0 or at.activity is None:
        return _not_minded(rule)
    load: float | None = getattr(at.activity, signal)
    if load is None:
        return unknown_signal(at, rule, signal)
    return _load(rule, signal, thing, int(load), most_percent)


@lru_cache(maxsize=512)
def _load(rule: str, signal: str, thing: str, load_percent: int, most_percent: int) -> Verdict:
    if load_percent <= most_percent:
        return Verdict(rule, True, f"{load_percent} %, at most {most_percent} %")
    remedy = f"Runs when the {thing} is no more than {most_percent} % busy."
    change = Change(ChangeKind.MEASURE, remedy, signal, value=str(most_percent))
    reason = f"The {thing} is {load_percent} % busy; jobs wait while it is more than {most_percent} %."
    return Verdict(rule, False, reason, remedy, change)


@lru_cache(maxsize=32)
def _not_minded(rule: str) -> Verdict:
    return Verdict(rule, True, "not minded")


@lru_cache(maxsize=1024)
def _memory_enough(shown_mib: int) -> Verdict:
    return Verdict("memory_free", True, f"{shown_mib} MiB free")
