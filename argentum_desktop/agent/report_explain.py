"""A decision in lines, every rule with its word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from argentum_desktop.agent.explain import Explanation
from argentum_desktop.agent.report_cards import printable
from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.decision_record import DecisionRecord
from argentum_desktop.errors import NotRunningError


def explanations(raw: Any) -> tuple[Explanation, ...]:
    """The answer of the running application.

    Raises:
        NotRunningError: what answered is not this version of the application.
    """
    try:
        return msgspec.convert(raw, tuple[Explanation, ...])
    except msgspec.ValidationError as error:
        raise NotRunningError(
            "The running application is of another version than this command.", "Restart it, then ask again."
        ) from error


def explain_text(found: Sequence[Explanation], zone: ZoneInfo, *, is_alone: bool = False) -> str:
    """What `explain` prints.

    Args:
        is_alone: the application does not run, so that not everything is known.
    """
    lines = []
    for one in found:
        lines += [_headline(one, zone), *_why(one.decision), "", *map(_line, one.decision.verdicts), ""]
        lines += [one.advice, ""]
    if any(not one.is_now for one in found):
        lines.append("For another time than now, the card and the computer are taken to be then as they are now.")
    if is_alone:
        lines.append(
            "Argentum Desktop is not running: the container engine, the market's fee, earlier health checks and what "
            "you do at the computer were not asked."
        )
    return printable(lines).rstrip()


def record_text(record: DecisionRecord, zone: ZoneInfo) -> str:
    """What `explain --job` prints: the decision as it was written down then."""
    offer, decision = record.offer, record.decision
    did = "accepted" if decision.is_yes else "declined"
    what = f" a job of at most {offer.counted_s / 3600:.2g} h for {offer.price_per_hour} an hour" if offer else ""
    when = f"{record.decided_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    cards = ", ".join(card.gpu.label for card in record.cards)
    headline = f"{record.lease_id}: {did}{what} at {when}{f' on {cards}' if cards else ''}."
    return printable([headline, *_why(decision), "", *map(_line, decision.verdicts)]).rstrip()


def record_json(record: DecisionRecord) -> Any:
    found = msgspec.to_builtins(record)
    return {**found, "is_yes": record.decision.is_yes, "reason": record.decision.reason}


def explain_json(found: Sequence[Explanation], *, is_alone: bool = False) -> Any:
    return msgspec.to_builtins(
        {
            "is_running": not is_alone,
            "cards": [
                {**msgspec.to_builtins(one), "is_yes": one.is_yes, "reason": one.decision.reason}
                | {"remedy": one.decision.remedy}
                for one in found
            ],
        }
    )


def _headline(one: Explanation, zone: ZoneInfo) -> str:
    when = "now" if one.is_now else f"at {one.asked_for_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if one.price_per_hour is None:
        what = "asks for work" if one.is_yes else "does not ask for work"
        return f"{one.label}: {what} {when}."
    what = "would run" if one.is_yes else "would not run"
    return f"{one.label}: {what} a job of {one.hours:g} h for {one.price_per_hour} an hour {when}."


def _why(decision: Decision) -> list[str]:
    if decision.is_yes:
        return []
    reasons, remedy = [verdict.reason for verdict in decision.refusals], decision.remedy
    return [*(f"  {reason}" for reason in reasons), *([f"  What would change it: {remedy}"] if remedy else [])]


def _line(verdict: Verdict) -> str:
    words = verdict.reason if verdict.is_yes else f"{verdict.reason} {verdict.remedy}".rstrip()
    return f"  {'yes' if verdict.is_yes else 'NO ':<3}  {verdict.rule:<13} {words}"
