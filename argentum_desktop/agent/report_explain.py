"""A decision in lines, every rule with its word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from argentum_desktop.agent.explain import Explanation
from argentum_desktop.agent.report_cards import printable
from argentum_desktop.domain.decision import Verdict
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
        lines += [_headline(one, zone), *_why(one), "", *(_line(verdict) for verdict in one.decision.verdicts), ""]
    if any(not one.is_now for one in found):
        lines.append("For another time than now, the card and the computer are taken to be then as they are now.")
    if is_alone:
        lines.append(
            "Argentum Desktop is not running: the container engine, the market's fee, earlier health checks and what "
            "you do at the computer were not asked."
        )
    return printable(lines).rstrip()


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


def _why(one: Explanation) -> list[str]:
    if one.is_yes:
        return []
    reasons = [verdict.reason for verdict in one.decision.refusals]
    remedy = one.decision.remedy
    return [*(f"  {reason}" for reason in reasons), *([f"  What would change it: {remedy}"] if remedy else [])]


def _line(verdict: Verdict) -> str:
    words = verdict.reason if verdict.is_yes else f"{verdict.reason} {verdict.remedy}".rstrip()
    return f"  {'yes' if verdict.is_yes else 'NO ':<3}  {verdict.rule:<13} {words}"
