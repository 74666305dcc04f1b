"""When the cards may work, as text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from argentum_desktop.agent.report_cards import printable
from argentum_desktop.domain.availability import DatedException, OwnersWindow
from argentum_desktop.domain.clock_jumps import next_jump, offset_at
from argentum_desktop.domain.window import DAYS
from argentum_desktop.policy.timetable import opening_table
from argentum_desktop.policy.windows import Opening, in_force_at, opening_at
from argentum_desktop.policy.words import clock_time
from argentum_desktop.settings.schema import Settings

DAYS_SHOWN = 7
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class NextChange:
    """Whether a card may work by its windows, when that changes, and why then."""

    gpu_id: str
    is_open: bool
    changes_at: datetime | None
    why: str


def next_change(settings: Settings, gpu_id: str, zone: ZoneInfo, now: datetime) -> NextChange:
    opening = opening_at(settings.availability, gpu_id, zone, now)
    return NextChange(gpu_id, opening.is_open, opening.until, _why(settings, gpu_id, zone, opening))


def next_text(settings: Settings, cards: Mapping[str, str], zone: ZoneInfo, now: datetime) -> str:
    """One line for each card, or one for all where they do not differ.

    Args:
        cards: each card's name by its id.
    """
    lines = []
    for names, gpu_id in _alike(settings, cards):
        change = next_change(settings, gpu_id, zone, now)
        state = "open" if change.is_open else "closed"
        until = f" until {clock_time(change.changes_at, now, zone)}" if change.changes_at else " at all times"
        lines.append(f"{names}: {state}{until}. {change.why}".rstrip())
    return printable(lines)


def next_json(settings: Settings, cards: Mapping[str, str], zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    changes = [next_change(settings, gpu_id, zone, now) for gpu_id in cards]
    return {
        "timezone": zone.key,
        "cards": [
            {
                "gpu_id": change.gpu_id,
                "is_open": change.is_open,
                "changes_at": change.changes_at and change.changes_at.isoformat(),
                "why": change.why,
            }
            for change in changes
        ],
    }


def week_text(settings: Settings, cards: Mapping[str, str], zone: ZoneInfo, now: datetime) -> str:
    """The hours of the coming seven days, for each card that differs, and what holds in them."""
    lines = [f"Hours in which jobs may run, by the clock of {zone.key}."]
    for names, gpu_id in _alike(settings, cards):
        lines += ["", names]
        lines += [f"  {line}" for line in _days(settings, gpu_id, zone, now)]
        terms = [line for own in settings.availability.windows if own.is_for(gpu_id) for line in _terms(own, settings)]
        lines += [f"  {line}" for line in terms]
    minutes = settings.availability.finish_within_minutes
    if minutes:
        lines += ["", f"A job that ends within {minutes} min after a window's end may finish."]
    return printable(lines)


def week_json(settings: Settings, cards: Mapping[str, str], zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """The openings of the coming seven days of each card, with what holds at the beginning of each."""
    shown = []
    for gpu_id in cards:
        spans = []
        for start, end in _openings(settings, gpu_id, zone, now, now + DAYS_SHOWN * timedelta(days=1)):
            force = in_force_at(settings.availability, gpu_id, zone, start)
            spans.append(
                {
                    "from": start.isoformat(),
                    "until": end.isoformat(),
                    "floor_per_gpu_hour": str(force.floor(settings.prices.floor_per_gpu_hour)),
                    "power_limit_w": force.power_limit_w,
                    "temperature_limit_c": force.temperature_limit_c(settings.cards.temperature_limit_c),
                }
            )
        shown.append({"gpu_id": gpu_id, "open": spans})
    return {"timezone": zone.key, "cards": shown}


def import_text(windows: Sequence[OwnersWindow], exceptions: Sequence[DatedException], notes: Sequence[str]) -> str:
    """What came from a calendar, and what could not."""
    lines = [f"Windows     {len(windows)}", *(f"    {window}{_for_cards(window.cards)}" for window in windows)]
    lines += [f"Exceptions  {len(exceptions)}", *(f"    {one}{_for_cards(one.cards)}" for one in exceptions)]
    lines += [f"Note        {note}" for note in notes]
    return printable(lines)


def _alike(settings: Settings, cards: Mapping[str, str]) -> list[tuple[str, str]]:
    """Cards of the same windows and exceptions together: their names, and the id of one of them."""
    chosen = settings.availability
    together: dict[object, list[str]] = {}
    for gpu_id in cards:
        key = (
            tuple(own for own in chosen.windows if own.is_for(gpu_id)),
            tuple(one for one in chosen.exceptions if one.is_for(gpu_id)),
        )
        together.setdefault(key, []).append(gpu_id)
    if len(together) <= 1:
        return [("All cards", next(iter(cards), ""))]
    return [(", ".join(cards[gpu_id] for gpu_id in ids), ids[0]) for ids in together.values()]


def _days(settings: Settings, gpu_id: str, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    today = now.astimezone(zone).date()
    for number in range(DAYS_SHOWN):
        day = today + timedelta(days=number)
        start, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
        hours = [
            f"{_clock(first, zone)}-{'24:00' if last == end else _clock(last, zone)}"
            for first, last in _openings(settings, gpu_id, zone, start, end)
        ]
        line = f"{DAYS[day.weekday()].title()} {day}   {'  '.join(hours) or 'closed'}"
        reasons = [
            str(one)
            for one in settings.availability.exceptions
            if one.is_for(gpu_id) and one.when.first <= day <= one.when.last
        ]
        jump = next_jump(zone, start, end)
        if jump is not None:
            before = (jump - _SECOND).astimezone(zone)
            reasons.append(f"the clock jumps after {before:%H:%M:%S} to {_clock(jump, zone)}")
        yield f"{line}   ({'; '.join(reasons)})" if reasons else line


def _openings(
    settings: Settings, gpu_id: str, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    at = start
    while at < end:
        opening = opening_at(settings.availability, gpu_id, zone, at)
        until = end if opening.until is None else min(opening.until, end)
        if opening.is_open:
            yield at, until
        at = until


def _terms(own: OwnersWindow, settings: Settings) -> Iterator[str]:
    """What a window carries besides its hours; nothing where it carries nothing."""
    terms = []
    if own.floor is not None:
        terms.append(f"floor {own.floor} {settings.prices.currency}/h")
    if own.power_limit_w is not None:
        terms.append(f"at most {own.power_limit_w} W")
    if own.temperature_limit_c is not None:
        terms.append(f"at most {own.temperature_limit_c} °C")
    if terms:
        yield f"{own}: {', '.join(terms)}"


def _why(settings: Settings, gpu_id: str, zone: ZoneInfo, opening: Opening) -> str:
    """What begins or ends at the change."""
    chosen, at = settings.availability, opening.until
    windows = [own for own in chosen.windows if own.is_for(gpu_id)]
    if at is None:
        return "" if windows or chosen.exceptions else "You set no hours in which jobs may run."
    before, after = (each.astimezone(zone).replace(tzinfo=None) for each in (at - _SECOND, at))
    exceptions = [one for one in chosen.exceptions if one.is_for(gpu_id)]
    reasons = [f"The exception {one} {verb}." for one, verb in _turned(exceptions, before, after)]
    if not reasons:
        was_open = opening.is_open
        verb = "ends" if was_open else "begins"
        turned = [own for own in windows if (_shows(own, before), _shows(own, after)) == (was_open, not was_open)]
        reasons = [f"The window {own} {verb}." for own in turned[:1]]
    if offset_at(zone, at) != offset_at(zone, at - _SECOND):
        reasons.append("The clock jumps then.")
    return " ".join(reasons)


def _turned(
    exceptions: Sequence[DatedException], before: datetime, after: datetime
) -> Iterator[tuple[DatedException, str]]:
    for one in exceptions:
        table = opening_table((), [DatedException(replace(one.when, is_open=True))])
        was, is_now = table.value_at(before), table.value_at(after)
        if was != is_now:
            yield one, "begins" if is_now else "ends"


def _shows(own: OwnersWindow, shown: datetime) -> bool:
    return opening_table((own.when,)).value_at(shown)


def _for_cards(cards: tuple[str, ...]) -> str:
    return f" for {', '.join(cards)}" if cards else ""


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"
