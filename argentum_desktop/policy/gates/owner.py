"""What the owner said: pause, hours, which cards."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.domain.gpu import GpuKind
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.windows import may_finish
from argentum_desktop.policy.words import clock_time

_KIND_WORDS = {GpuKind.INTEGRATED: "Integrated graphics are", GpuKind.VIRTUAL: "Graphics of a virtual machine are"}

_NOT_PAUSED = Verdict("pause", True, "not paused")
_OFFERED = Verdict("offered", True, "offered")
_ALWAYS_OPEN = Verdict("window", True, "open at all times")
_MAY_FINISH = Verdict("window", True, "its hours are over; the job that runs may finish")


def not_paused(at: Circumstances) -> Verdict:
    pause = at.pause
    if pause is None or (pause.until is not None and pause.until <= at.now):
        return _NOT_PAUSED
    until = f"until {clock_time(pause.until, at.now, at.zone)}" if pause.until else "until you resume"
    return Verdict("pause", False, f"You paused it {until}.", "Resume", Change(ChangeKind.ACT, "Resume"))


def card_offered(at: Circumstances) -> Verdict:
    if at.gpu.gpu_id in at.settings.cards.excluded:
        return _not_offered("You took this card off the market.", "Remove it from cards.excluded.")
    if at.gpu.is_simulated and not at.market_is_local:
        return _not_offered("A simulated card is never offered to a real market.", "Use the local market for trials.")
    if at.gpu.kind is not GpuKind.DISCRETE and at.gpu.gpu_id not in at.settings.cards.included:
        return _not_offered(f"{_KIND_WORDS[at.gpu.kind]} not offered by default.", "Add its id to cards.included.")
    return _OFFERED


def _not_offered(reason: str, remedy: str) -> Verdict:
    return Verdict("offered", False, reason, remedy, Change(ChangeKind.ACT, remedy))


def in_window(at: Circumstances) -> Verdict:
    """Whether it is one of the owner's hours; a job that is nearly done when they end may finish."""
    opening = at.opening
    if opening.is_open:
        if opening.until is None:
            return _ALWAYS_OPEN
        return _open_until(at.ready.clock_time(opening.until, at.now))
    if at.job_ends_at is not None and at.is_at_work and _may_finish(at, at.job_ends_at):
        return _MAY_FINISH
    if opening.until is None:
        remedy = "Add one to availability.windows."
        change = Change(ChangeKind.ACT, remedy)
        return Verdict("window", False, "You set no hours in which jobs may run.", remedy, change)
    remedy = f"Opens {clock_time(opening.until, at.now, at.zone)}."
    change = Change(ChangeKind.TIME, remedy, at=opening.until)
    return Verdict("window", False, "It is outside the hours you set.", remedy, change)


@lru_cache(maxsize=256)
def _open_until(words: str) -> Verdict:
    return Verdict("window", True, f"open until {words}")


def _may_finish(at: Circumstances, job_ends_at: datetime) -> bool:
    return may_finish(at.settings.availability, at.gpu.gpu_id, at.zone, at.now, job_ends_at)
