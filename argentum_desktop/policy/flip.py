"""What would turn a refusal into a yes: the smallest single change, or all that it takes.

Each rule that says no names its own change, found by the inverse of what it computes. What is left to do here: look
when waiting alone helps, going from one instant at which anything changes to the next; try the changes, so that only
what really helps is named; and put together what it takes when several rules say no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from argentum_desktop.domain.decision import Change, ChangeKind, Decision, Flip, Verdict
from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.changed import changed, later
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.evaluate import decide
from argentum_desktop.policy.gates import GATES
from argentum_desktop.policy.moments import moments
from argentum_desktop.policy.offer_rules import price_and_time
from argentum_desktop.policy.words import clock_time

# The rules whose word depends on the time. All others say tomorrow what they say now, as far as anybody can know.
TIMED_RULES = frozenset({"pause", "window", "solar", "clean_grid", "idle", "temperature", "loss", "floor", "time"})
_TIMED_GATES = tuple(gate.ask for gate in GATES if gate.rule in TIMED_RULES)
_PRICE_RULES = frozenset({"loss", "floor"})
_OF_THE_OFFER = _PRICE_RULES | {"time"}
# Each change satisfies a rule; more than this would mean that two undo each other.
_MOST_CHANGES = 64
_MICROSECOND = timedelta(microseconds=1)


def flip(offer: Offer | None, at: Circumstances, decision: Decision) -> Flip | None:
    """What would make `decision` a yes; None where it is one.

    Args:
        decision: what `decide` said to this offer in these circumstances, and perhaps more verdicts, of the market's.
    """
    refusals = decision.refusals
    if not refusals:
        return None
    waiting = _waiting(offer, at, refusals)
    asked = {verdict.rule for verdict in decide(offer, at).verdicts}
    beyond = tuple(verdict for verdict in refusals if verdict.rule not in asked)
    changes, is_complete = _all_it_takes(offer, at, waiting)
    changes += tuple(verdict.change for verdict in beyond if verdict.change is not None)
    is_complete = is_complete and all(verdict.change is not None for verdict in beyond)
    single = None if beyond and len(refusals) > 1 else _single(offer, at, refusals, waiting)
    return Flip(single, changes, waiting.at if waiting is not None else None, is_complete)


def flipped(offer: Offer | None, at: Circumstances) -> Decision:
    """`decide`, and what would make it a yes."""
    decision = decide(offer, at)
    return replace(decision, flip=flip(offer, at, decision))


# -- one change -------------------------------------------------------------------------------------------------------


def _single(
    offer: Offer | None, at: Circumstances, refusals: tuple[Verdict, ...], waiting: _Waiting | None
) -> Change | None:
    """The first rule's own change where it is enough; then waiting; then another rule's."""
    own = [verdict.change for verdict in refusals if verdict.change is not None]
    for change in own[:1]:
        if change.kind is not ChangeKind.TIME and _is_enough(change, offer, at):
            return change
    if waiting is not None and waiting.is_enough:
        return _wait(waiting.at, at, "Runs from")
    for change in own[1:]:
        if change.kind is not ChangeKind.TIME and _is_enough(change, offer, at):
            return change
    if len(refusals) == 1 and own and own[0].kind is ChangeKind.ACT:
        return own[0]  # nothing here can try it, but nothing else stands in the way
    return None


def _is_enough(change: Change, offer: Offer | None, at: Circumstances) -> bool:
    made = changed(change, offer, at)
    return made is not None and decide(*made).is_yes


def _wait(until: datetime, at: Circumstances, verb: str) -> Change:
    words = f"{verb} {clock_time(_whole_minute(until), at.now, at.zone)}"
    words += ", if nobody touches the computer until then." if _needs_quiet(at) else "."
    return Change(ChangeKind.TIME, words, at=until)


def _whole_minute(instant: datetime) -> datetime:
    """The first minute that begins then or later: before it, it would not run yet."""
    minute = instant.replace(second=0, microsecond=0)
    return minute if minute == instant else minute + timedelta(minutes=1)


def _needs_quiet(at: Circumstances) -> bool:
    """Whether it matters that nobody comes back meanwhile."""
    activity, minutes = at.activity, at.settings.presence.idle_minutes
    return bool(minutes and activity is not None and activity.idle_s is not None and activity.idle_s < minutes * 60)


# -- several ----------------------------------------------------------------------------------------------------------


def _all_it_takes(offer: Offer | None, at: Circumstances, waiting: _Waiting | None) -> tuple[tuple[Change, ...], bool]:
    """Wait first, then ask again and make each change that is named, until nothing is left that one could change.

    Returns:
        The changes, and whether they are all that it takes.
    """
    found: list[Change] = []
    if waiting is not None:
        found.append(_wait(waiting.at, at, "Runs from" if waiting.is_enough else "Wait until"))
        at = later(at, waiting.at)
    untried: set[str] = set()
    for _ in range(_MOST_CHANGES):
        verdict = next((no for no in decide(offer, at).refusals if no.rule not in untried), None)
        if verdict is None:
            break
        change = verdict.change
        if change is not None and change not in found:
            found.append(change)
        made = changed(change, offer, at) if change is not None else None
        if made is None or _says(verdict.rule, *made) is not True:
            untried.add(verdict.rule)
        else:
            offer, at = made
    left = [verdict for verdict in decide(offer, at).refusals if verdict.change is None]
    return tuple(found), not left


def _says(rule: str, offer: Offer | None, at: Circumstances) -> bool | None:
    return next((verdict.is_yes for verdict in decide(offer, at).verdicts if verdict.rule == rule), None)


# -- waiting ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Waiting:
    """The first instant at which no rule says no that time alone can satisfy.

    Attributes:
        is_enough: every other rule says yes as well.
    """

    at: datetime
    is_enough: bool


def _waiting(offer: Offer | None, at: Circumstances, refusals: tuple[Verdict, ...]) -> _Waiting | None:
    """None where none of the rules that say no will say yes by waiting."""
    others = any(verdict.rule not in TIMED_RULES for verdict in refusals)
    wanting = {verdict.rule for verdict in refusals if _may_change(verdict.rule, at)}
    if not wanting:
        return None
    steps: list[_Step] = []
    for step in _steps(offer, at):
        first = step.first(frozenset())
        if first is not None:
            return _Waiting(first, not others)
        steps.append(step)
    # Some of them no time will satisfy, or not together with the hours; another offer might, so those give way first.
    hopeless = frozenset(rule for rule in TIMED_RULES if all(step.always_refuses(rule) for step in steps))
    for ignored in (hopeless, hopeless | {"time"}, hopeless | _OF_THE_OFFER):
        if wanting <= ignored:
            return None
        first = next((found for found in (step.first(ignored) for step in steps) if found is not None), None)
        if first is not None:
            return _Waiting(first, is_enough=False)
    return None


def _may_change(rule: str, at: Circumstances) -> bool:
    """Whether time alone can change this rule's word, so that looking for when is worth it."""
    windows = at.settings.availability.windows
    if rule == "temperature":
        return any(own.temperature_limit_c is not None for own in windows)
    if rule in _PRICE_RULES:
        return not at.ready.tariff.is_flat or any(own.floor is not None for own in windows)
    return rule in TIMED_RULES


@dataclass(frozen=True)
class _Step:
    """From one instant at which anything changes to just before the next: here every rule says the same all the
    time, but for the price, which moves one way as cheaper or dearer hours come within the job's time.
    """

    start: datetime
    last: datetime
    refused: Callable[[datetime], frozenset[str]]

    def always_refuses(self, rule: str) -> bool:
        return rule in self.refused(self.start) and (rule not in _PRICE_RULES or rule in self.refused(self.last))

    def first(self, ignored: frozenset[str]) -> datetime | None:
        """The first instant at which no other rule than these says no."""
        wanting = self.refused(self.start) - ignored
        if not wanting:
            return self.start
        if not wanting <= _PRICE_RULES or not self.refused(self.last) <= ignored:
            return None
        low, high = 0, (self.last - self.start) // _MICROSECOND
        while high - low > 1:
            middle = (low + high) // 2
            if self.refused(self.start + middle * _MICROSECOND) <= ignored:
                high = middle
            else:
                low = middle
        return self.start + high * _MICROSECOND


def _steps(offer: Offer | None, at: Circumstances) -> Iterator[_Step]:
    known: dict[datetime, frozenset[str]] = {}

    def refused(instant: datetime) -> frozenset[str]:
        if instant not in known:
            known[instant] = _timed_refusals(offer, later(at, instant))
        return known[instant]

    start = at.now
    for moment in moments(offer, at):
        yield _Step(start, moment - _MICROSECOND, refused)
        start = moment


def _timed_refusals(offer: Offer | None, at: Circumstances) -> frozenset[str]:
    verdicts = [ask(at) for ask in _TIMED_GATES]
    if offer is not None:
        verdicts += price_and_time(offer, at)
    return frozenset(verdict.rule for verdict in verdicts if not verdict.is_yes)
