"""The decision: every rule asked, every answer kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates import GATES, Effect
from argentum_desktop.policy.offer_rules import MOST_PROCESSES, Capacity, capacity, offer_verdicts
from argentum_desktop.policy.ready import Verdicts

__all__ = [
    "MOST_PROCESSES",
    "Capacity",
    "capacity",
    "closed_gates",
    "decide",
    "may_offer",
    "may_run",
    "must_freeze",
    "must_stop",
]

# Neighbours of a kind, in the order in which they are told.
_GROUPS = tuple(
    (sees_only_computer, tuple(gate.ask for gate in gates))
    for sees_only_computer, gates in groupby(GATES, key=attrgetter("sees_only_computer"))
)
_FREEZING = tuple(gate.ask for gate in GATES if gate.effect is Effect.FREEZE)
_ENDING = tuple(gate.ask for gate in GATES if gate.effect is Effect.END)


def decide(offer: Offer | None, at: Circumstances) -> Decision:
    """Whether this offer is accepted for this card now; without one, whether the card asks for work."""
    gates: list[Verdict] = []
    for number, (sees_only_computer, asks) in enumerate(_GROUPS):
        if sees_only_computer:
            gates += at.ready.remembered(number, at.host, at.activity) or _remember(number, asks, at)
        else:
            gates += [ask(at) for ask in asks]
    if offer is not None:
        gates += offer_verdicts(offer, at)
    return Decision(tuple(gates))


def _remember(number: int, asks: Sequence[Callable[[Circumstances], Verdict]], at: Circumstances) -> Verdicts:
    """What these say now; the same until the computer or the activity is another, unless one says no: a no may name
    the time.
    """
    said = tuple([ask(at) for ask in asks])
    if all(verdict.is_yes for verdict in said):
        at.ready.remember(number, at.host, at.activity, said)
    return said


def may_offer(at: Circumstances) -> Decision:
    """Whether this card asks for work now."""
    return decide(None, at)


def may_run(offer: Offer, at: Circumstances) -> Decision:
    """Whether this offer is accepted for this card now."""
    return decide(offer, at)


def closed_gates(at: Circumstances) -> tuple[Verdict, ...]:
    """Every reason for which no job is taken now; they hold at once."""
    return may_offer(at).refusals


def must_freeze(at: Circumstances) -> tuple[Verdict, ...]:
    """The reasons to freeze a job that runs on this card now; none while there is none."""
    return tuple([verdict for verdict in (ask(at) for ask in _FREEZING) if not verdict.is_yes])


def must_stop(at: Circumstances) -> Verdict | None:
    """The first reason to end a job that runs on this card now; None while there is none."""
    return next((verdict for verdict in (ask(at) for ask in _ENDING) if not verdict.is_yes), None)
