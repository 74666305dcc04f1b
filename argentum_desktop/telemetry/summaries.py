"""From seconds to minutes, hours and days: what is summarised already, what is due, and the step between.

Readings make their hour due in the transaction that writes them. `roll_up_next` then takes one hour of one card: its
minutes, its hour, its day and the note that it is no longer due are one transaction. Killed at any point, it is either
done or still due, and done twice it comes to the same. Whoever asks meanwhile is answered from the seconds.
"""

from __future__ import annotations

from collections.abc import Collection
from sqlite3 import Connection

from argentum_desktop.domain.summary import Span
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.store.readings import Names
from argentum_desktop.telemetry.retention import forget_minutes
from argentum_desktop.telemetry.rollup import DAY_S, HOUR_S, combine, settled, summarise


def roll_up_next(connection: Connection, now_s: int) -> bool:
    """Summarise the oldest hour that is due, of one card, but not the hour of `now_s`: that one still grows.

    Returns:
        Whether there was one.
    """
    due = rows.next_due(connection, now_s)
    if due is None:
        return False
    card, hour_s = due
    names, day_s = rows.read_names(connection), hour_s // DAY_S * DAY_S
    known = rows.get_spans(connection, names, Level.MINUTES, card, hour_s, hour_s + HOUR_S)
    minutes = settled(known, _minutes_of_seconds(connection, names, card, hour_s))
    rows.no_longer_due(connection, card, hour_s)
    hours = rows.get_spans(connection, names, Level.HOURS, card, day_s, day_s + DAY_S)
    if minutes:
        rows.put_spans(connection, names, Level.MINUTES, card, hour_s, minutes)
        hours = settled(hours, {hour_s: combine(minutes.values())})
        rows.put_spans(connection, names, Level.HOURS, card, day_s, hours)
        forget_minutes(connection, now_s, 0 if known else 1)
    if hours:
        _put_day(connection, names, card, day_s, combine(hours.values()))
    return True


def spans(
    connection: Connection,
    names: Names,
    level: Level,
    card: int,
    first_s: int,
    last_s: int,
    metrics: Collection[str] | None = None,
) -> dict[int, Span]:
    """Summaries of minutes, hours or days that begin in this time, with what is still due."""
    kept = rows.get_spans(connection, names, level, card, first_s, last_s, metrics)
    due = rows.due_hours(connection, card, first_s // level.step_s * level.step_s, last_s)
    if level is Level.DAYS:
        for day_s in sorted({hour_s // DAY_S * DAY_S for hour_s in due}):
            hours = spans(connection, names, Level.HOURS, card, day_s, day_s + DAY_S, metrics)
            kept.update({day_s: combine(hours.values())} if hours else {})
        due = []
    for hour_s in due:
        made = _minutes_of_seconds(connection, names, card, hour_s, metrics)
        if level is Level.HOURS and made:
            known = rows.get_spans(connection, names, Level.MINUTES, card, hour_s, hour_s + HOUR_S, metrics)
            made = {hour_s: combine(settled(known, made).values())}
        kept = settled(kept, made)
    return {at: kept[at] for at in sorted(kept) if first_s <= at < last_s}


def begin(connection: Connection, names: Names, card: int) -> int | None:
    """When a card's history begins, to within an hour; None when it has none."""
    known = [
        at for at in (rows.first_hour(connection, names, card), rows.first_due(connection, card)) if at is not None
    ]
    return min(known, default=None)


def _minutes_of_seconds(
    connection: Connection, names: Names, card: int, hour_s: int, metrics: Collection[str] | None = None
) -> dict[int, Span]:
    raws = rows.get_raw(connection, names, card, hour_s, hour_s + HOUR_S, metrics)
    return {raw.start_s: summarise(len(raw.seconds), raw.columns) for raw in raws}


def _put_day(connection: Connection, names: Names, card: int, day_s: int, day: Span) -> None:
    start_s = day_s // Level.DAYS.span_s * Level.DAYS.span_s
    days = rows.get_spans(connection, names, Level.DAYS, card, start_s, start_s + Level.DAYS.span_s)
    rows.put_spans(connection, names, Level.DAYS, card, start_s, {**days, day_s: day})
