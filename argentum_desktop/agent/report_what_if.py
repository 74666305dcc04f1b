"""A replay in lines: the weeks as they were chosen, beside the weeks as they were asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from argentum_desktop.agent.report_cards import printable
from argentum_desktop.agent.what_if import WhatIf
from argentum_desktop.policy.replay import Replayed

_ROWS: tuple[tuple[str, Callable[[Replayed], str]], ...] = (
    ("Jobs", lambda one: str(one.jobs)),
    ("Hours at work", lambda one: f"{one.busy_s / 3600:.1f}"),
    ("Paid by the market", lambda one: str(one.gross)),
    ("Market's fee", lambda one: str(one.fee)),
    ("Electricity", lambda one: str(one.electricity)),
    ("Wear", lambda one: str(one.wear)),
    ("Left for you", lambda one: str(one.net)),
    ("Of the jobs, estimated", lambda one: str(one.estimated)),
    ("Card was busy", lambda one: str(one.occupied)),
)


def what_if_text(found: WhatIf, zone: ZoneInfo) -> str:
    """What `whatif` prints."""
    since, until = (at.astimezone(zone) for at in (found.since, found.until))
    lines = [f"{found.offers} offers from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}, decided anew."]
    lines += [f"Changed: {', '.join(found.changed) or 'nothing'}.", ""]
    lines.append(f"{'':<24}{'as you have it':>20}{'as you ask':>20}")
    lines += [f"{name:<24}{of(found.as_they_are):>20}{of(found.as_asked):>20}" for name, of in _ROWS]
    lines += ["", *_refused(found.as_asked), "", "What this cannot know:", *(f"- {words}" for words in found.unknown)]
    if found.unusable:
        lines.append(f"- {found.unusable} older decisions were written down without their offer, and are left out.")
    return printable(lines)


def what_if_json(found: WhatIf) -> Any:
    both = {"as_they_are": found.as_they_are, "as_asked": found.as_asked}
    nets = {name: {**msgspec.to_builtins(one), "net": msgspec.to_builtins(one.net)} for name, one in both.items()}
    return msgspec.to_builtins(found) | nets


def _refused(one: Replayed) -> Iterator[str]:
    if not one.refusals:
        yield "No rule would have declined any."
        return
    yield "Declined, by the first rule that said no: " + ", ".join(
        f"{rule} {count}" for rule, count in one.refusals.items()
    )
