"""What becomes of a running job when the machine is wanted back: run, stand still, or end. Pure; time is given.

A job is frozen at once. When the reason is gone for as long as the owner set (so that a game that loses the screen for
a moment does not wake it), it goes on. Else it is ended with notice, early enough for the card to be free when the
owner's grace is over. The owner's own Pause has another rule: it freezes for as long as he said, and ends at once when
he resumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.evaluate import must_freeze, must_stop
from argentum_desktop.policy.gates import Effect
from argentum_desktop.settings.schema import Settings

PAUSE, TEMPERATURE = "pause", "temperature"


@dataclass(frozen=True)
class Reason:
    """One rule that wants the machine.

    Attributes:
        words: the rule's, for the owner.
    """

    rule: str
    words: str
    effect: Effect


@dataclass(frozen=True)
class Terms:
    """The owner's, in seconds.

    Attributes:
        settle_s: how long every reason must be gone before the job goes on.
        grace_s: within this the card is free, or the job goes on.
        notice_s: how long a job may save its work before it is killed.
        paused_s: how long the owner's own Pause keeps a job.
    """

    settle_s: float
    grace_s: float
    notice_s: int
    paused_s: float

    @classmethod
    def of(cls, settings: Settings) -> Terms:
        presence, jobs = settings.presence, settings.jobs
        return cls(presence.settle_s, presence.grace_s, jobs.stop_grace_s, jobs.frozen_minutes * 60)

    @property
    def notice_in_grace_s(self) -> int:
        """The notice is a part of the grace, and not more than all of it."""
        return int(min(self.notice_s, self.grace_s))


@dataclass(frozen=True)
class Memory:
    """What is carried from one look to the next: instants, as seconds on a clock that never goes back.

    Attributes:
        frozen_s: since when a reason other than Pause keeps the job frozen, without a settled gap.
        closed_s: since when there has been such a reason without any gap; None while there is none.
        gone_s: since when there is none any more, while that has not settled yet.
        paused_s: since when the owner has it paused.
    """

    frozen_s: float | None = None
    closed_s: float | None = None
    gone_s: float | None = None
    paused_s: float | None = None

    @classmethod
    def of_frozen(cls, since_s: float, *, is_paused: bool) -> Memory:
        """Of a job that an earlier run froze: for the owner's Pause, else nobody knows any more why."""
        return cls(paused_s=since_s) if is_paused else cls(frozen_s=since_s)


class Act(StrEnum):
    """What a job is to do now."""

    RUN = "run"
    FREEZE = "freeze"
    END = "end"


@dataclass(frozen=True)
class Advice:
    """What is to be done now.

    Attributes:
        reason: why it is not to run; None when it is, or while only the time to settle keeps it.
        notice_s: how long it may save its work when it is to end.
        since_s: since when the machine is wanted, when it is to end.
        within_s: within how long from then the card is to be free.
        look_again_s: in how many seconds this can change by itself; None: not by time alone.
    """

    act: Act
    reason: Reason | None = None
    notice_s: int = 0
    since_s: float = 0.0
    within_s: float = 0.0
    look_again_s: float | None = None


def reasons_against(at: Circumstances) -> tuple[Reason, ...]:
    """Every rule that wants a running job to make room now."""
    ending = must_stop(at)
    found = [] if ending is None else [Reason(ending.rule, ending.reason, Effect.END)]
    return (*found, *(Reason(verdict.rule, verdict.reason, Effect.FREEZE) for verdict in must_freeze(at)))


def ends_at(now: datetime, ran_s: float, progress_percent: int | None, wall_s: int) -> datetime:
    """When a job will be over: as its progress so far says, and by the time it asked for at the latest."""
    left_s = max(0.0, wall_s - ran_s)
    if progress_percent:
        left_s = min(left_s, ran_s * (100 - progress_percent) / progress_percent)
    return now + timedelta(seconds=left_s)


def advise(memory: Memory, reasons: Sequence[Reason], now_s: float, terms: Terms) -> tuple[Memory, Advice]:
    """What to do for the reasons that hold at this moment, and what to remember for the next look."""
    is_paused = any(reason.rule == PAUSE for reason in reasons)
    freezing = [reason for reason in reasons if reason.effect is Effect.FREEZE and reason.rule != PAUSE]
    memory = _remembered(memory, now_s, terms, is_closed=bool(freezing), is_paused=is_paused)
    ending = next((reason for reason in reasons if reason.effect is Effect.END), None)
    if ending is not None:
        return memory, Advice(Act.END, ending, terms.notice_s, now_s, terms.notice_s)
    if memory.closed_s is not None and now_s >= _last_moment_s(memory, terms):
        return memory, _end_in_grace(memory, freezing[0], now_s, terms)
    if memory.paused_s is not None and now_s - memory.paused_s > terms.paused_s:
        words = "You paused for longer than a job is kept frozen."
        return memory, Advice(Act.END, Reason(PAUSE, words, Effect.END), terms.notice_s, now_s, terms.notice_s)
    if memory.frozen_s is None and not is_paused:
        return memory, Advice(Act.RUN)
    reason = next((reason for reason in reasons if reason.rule == PAUSE), freezing[0] if freezing else None)
    return memory, Advice(Act.FREEZE, reason, look_again_s=_next_look_s(memory, now_s, terms))


def _remembered(memory: Memory, now_s: float, terms: Terms, *, is_closed: bool, is_paused: bool) -> Memory:
    """The memory with this moment in it."""
    memory = replace(memory, paused_s=_since(memory.paused_s, now_s) if is_paused else None)
    if is_closed:
        return replace(
            memory, frozen_s=_since(memory.frozen_s, now_s), closed_s=_since(memory.closed_s, now_s), gone_s=None
        )
    if memory.frozen_s is None:
        return memory
    gone_s = _since(memory.gone_s, now_s)
    if now_s - gone_s >= terms.settle_s:
        return replace(memory, frozen_s=None, closed_s=None, gone_s=None)
    return replace(memory, closed_s=None, gone_s=gone_s)


def _since(earlier_s: float | None, now_s: float) -> float:
    return now_s if earlier_s is None else earlier_s


def _last_moment_s(memory: Memory, terms: Terms) -> float:
    """When a job must be told to end for the card to be free in time."""
    return (memory.frozen_s or 0.0) + terms.grace_s - terms.notice_in_grace_s


def _end_in_grace(memory: Memory, reason: Reason, now_s: float, terms: Terms) -> Advice:
    """A reason that came back when the grace was nearly over is counted from its return: in between it was gone."""
    since_s = memory.closed_s if memory.closed_s is not None else now_s
    return Advice(Act.END, reason, terms.notice_in_grace_s, since_s, terms.grace_s)


def _next_look_s(memory: Memory, now_s: float, terms: Terms) -> float | None:
    moments = []
    if memory.closed_s is not None:
        moments.append(_last_moment_s(memory, terms))
    if memory.gone_s is not None:
        moments.append(memory.gone_s + terms.settle_s)
    if memory.paused_s is not None:
        moments.append(memory.paused_s + terms.paused_s)
    return max(0.0, min(moments) - now_s) if moments else None
