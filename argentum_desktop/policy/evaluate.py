"""The decision: every rule asked, every answer kept."""

from __future__ import annotations

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates import GATES, Effect
from argentum_desktop.policy.offer_rules import MOST_PROCESSES, Capacity, capacity, offer_verdicts

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

_ASKED = tuple(gate.ask for gate in GATES)
_FREEZING = tuple(gate.ask for gate in GATES if gate.effect is Effect.FREEZE)
_ENDING = tuple(gate.ask for gate in GATES if gate.effect is Effect.END)


def decide(offer: Offer | None, at: Circumstances) -> Decision:
    """Whether this offer is accepted for this card now; without one, whether the card asks for work."""
    gates = tuple([ask(at) for ask in _ASKED])
    return Decision(gates if offer is None else gates + offer_verdicts(offer, at))


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
