"""A table of figures over time, as exchanges, suppliers and grid operators hand them out: CSV in, spans out. Pure.

A time is an instant (2026-03-29T00:00Z, 2026-03-29 01:00+01:00) or a local time (2026-03-29 01:00, 29.03.2026 01:00) of
the zone that the header names, as in `time (Europe/Paris)`, else of the owner's. `01.03.2026 00:00 - 01.03.2026 01:00`
gives a beginning and an end. Where the clock jumps:

- An hour that it skips has no row; where it has one all the same, that is left out and told.
- An hour that it shows twice has two rows, in order; where it has one, that holds twice and is told.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

MOST_ROWS = 200_000  # five years of quarters of an hour
_STEPS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
_FIGURE = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})[ T]+(\d{1,2}:\d{2}.*)")
_BETWEEN = re.compile(r"\s+-\s+|\s+/\s+|\s*–\s*")
_START_WORDS = {"time", "start", "from", "begin", "date", "datetime", "timestamp", "mtu", "hour", "interval", "period"}
_END_WORDS = {"end", "until", "to", "till"}
_NOTHING = {"", "-", "n/e", "n/a", "na", "nan", "null", "none"}


class TableError(ValueError):
    """A table that cannot be used; the message begins with its line."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}")


@dataclass(frozen=True)
class Figure:
    """What the table says from one instant to just before another, both UTC."""

    start: datetime
    end: datetime
    value: Decimal


@dataclass(frozen=True)
class FigureTable:
    """The whole table.

    Attributes:
        header: of the column with the figures, where its unit stands.
        figures: in order, each ending where the next begins.
        notes: what was passed over or filled in, in words for the owner.
    """

    header: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Row:
    line: int
    start: datetime
    value: Decimal
    end: datetime | None = None
    is_once: bool = False
    """A local time that the clock shows twice, of which this is the first."""


@dataclass(frozen=True)
class _Columns:
    start: int
    value: int
    end: int | None
    zone: ZoneInfo
    header: str
    width: int


def read_figures(text: str, zone: ZoneInfo, value_words: Sequence[str]) -> FigureTable:
    """Read a table whose column of figures has one of `value_words` in its header.

    Raises:
        TableError: it cannot be used, with its line.
    """
    cells = _cells(text)
    if not cells:
        raise TableError(1, "the table is empty")
    columns = _columns(*cells[0], zone, value_words)
    notes: list[str] = []
    rows = _rows(cells[1:], columns, notes)
    if not rows:
        raise TableError(cells[0][0], "there is no row with a figure below the header")
    rows = _with_second_showings(rows, columns.zone, notes)
    return FigureTable(columns.header, tuple(_spans(_in_order(rows, notes))), tuple(notes))


def _cells(text: str) -> list[tuple[int, list[str]]]:
    """Each line that says something, with its number; cut where its header is cut most often."""
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MOST_ROWS:
        raise TableError(MOST_ROWS, "the table is longer than five years of quarters of an hour")
    told = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not told:
        return []
    mark = max(",;\t", key=told[0][1].count)
    try:
        return [
            (number, [cell.strip() for cell in row])
            for number, line in told
            for row in csv.reader([line], delimiter=mark, strict=True)
        ]
    except csv.Error as error:
        raise TableError(told[0][0], f"this is no table of values with commas or semicolons ({error})") from error


def _columns(line: int, names: Sequence[str], zone: ZoneInfo, value_words: Sequence[str]) -> _Columns:
    words = [set(re.findall(r"[a-z]+", name.lower())) for name in names]
    value = next((at for at, name in enumerate(names) if any(word in name.lower() for word in value_words)), None)
    end = next((at for at, found in enumerate(words) if found & _END_WORDS and at != value), None)
    start = next((at for at, found in enumerate(words) if found & _START_WORDS and at not in {value, end}), None)
    if start is None or value is None:
        missing = "a time" if start is None else "a figure with its unit"
        raise TableError(
            line, f'no column is named for {missing}; the first line must look like "time,{value_words[0]}"'
        )
    return _Columns(start, value, end, _zone_of(line, names[start], zone), names[value], len(names))


def _zone_of(line: int, name: str, zone: ZoneInfo) -> ZoneInfo:
    """The zone in the header of the times, else the owner's."""
    named = re.search(r"[A-Z][A-Za-z_]+/[A-Z][A-Za-z_/-]+", name)
    if re.search(r"\b(UTC|GMT)\b", name, re.IGNORECASE):
        return ZoneInfo("UTC")
    if re.search(r"\bCET\b", name):
        return ZoneInfo("Europe/Brussels")  # where Europe's day-ahead market keeps its clock
    if named is None:
        return zone
    try:
        return ZoneInfo(named[0])
    except (KeyError, ValueError, OSError) as error:
        raise TableError(line, f'"{named[0]}" is no known time zone') from error


def _rows(cells: Sequence[tuple[int, list[str]]], columns: _Columns, notes: list[str]) -> list[_Row]:
    if len(cells) > 1 and _local(cells[0], columns) > _local(cells[-1], columns):
        cells = cells[::-1]  # newest first
    rows: list[_Row] = []
    last: datetime | None = None
    empty = 0
    for line, row in cells:
        start_text, end_text = _times(line, row, columns)
        start = _parsed(line, start_text)
        if start.tzinfo is None and _is_skipped(start, columns.zone):
            notes.append(f"line {line}: the clock skipped {start:%Y-%m-%d %H:%M} in {columns.zone.key}; left out")
            continue
        at, is_once = _instant(start, columns.zone, last)
        last = at
        value = _figure(line, row[columns.value])
        if value is None:
            empty += 1
            continue
        end = _end(line, end_text, columns.zone, at)
        rows.append(_Row(line, at, value, end, is_once))
    if empty:
        notes.append(f"{empty} {'row has' if empty == 1 else 'rows have'} no figure and were left out")
    return rows


def _times(line: int, row: Sequence[str], columns: _Columns) -> tuple[str, str]:
    if len(row) <= max(columns.start, columns.value, columns.end or 0):
        raise TableError(line, "it has fewer columns than the header")
    if any(row[columns.width :]):  # such as a figure with a comma in a table with commas
        raise TableError(line, "it has more columns than the header")
    begin, *rest = _BETWEEN.split(row[columns.start], maxsplit=1)
    return begin, rest[0] if rest else row[columns.end] if columns.end is not None else ""


def _local(cell: tuple[int, list[str]], columns: _Columns) -> datetime:
    at = _parsed(cell[0], _times(*cell, columns)[0])
    return at if at.tzinfo is not None else at.replace(tzinfo=columns.zone)


def _parsed(line: int, text: str) -> datetime:
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first is not None:
        day, month, year, rest = day_first.groups()
        text = f"{year}-{month:0>2}-{day:0>2}T{rest:0>5}"
    try:
        if len(text) < len("2026-03-01T0000"):
            raise ValueError("no time of day")
        at = datetime.fromisoformat(text)
        at.astimezone(UTC)  # times at the very ends of the calendar have none
    except (ValueError, OverflowError) as error:
        raise TableError(line, f'"{text[:40]}" is no time; write for example 2026-03-01 00:00') from error
    return at


def _is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    aware = local.replace(tzinfo=zone)
    return aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local.replace(fold=0)


def _instant(at: datetime, zone: ZoneInfo, last: datetime | None) -> tuple[datetime, bool]:
    """The instant, and whether it is the first of two at which the clock shows this local time.

    Of two, the second is meant where the row before is already as late as the first.
    """
    if at.tzinfo is not None:
        return at.astimezone(UTC), False
    first = at.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = at.replace(tzinfo=zone, fold=1).astimezone(UTC)
    is_second = last is not None and last >= first and second > first
    return (second, False) if is_second else (first, second > first)


def _end(line: int, text: str, zone: ZoneInfo, start: datetime) -> datetime | None:
    if not text:
        return None
    end, _ = _instant(_parsed(line, text), zone, start)
    if end <= start:
        raise TableError(line, "it ends before it begins")
    return end


def _figure(line: int, text: str) -> Decimal | None:
    if text.lower() in _NOTHING:
        return None
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if _FIGURE.fullmatch(plain) is None:
        raise TableError(line, f'"{text[:40]}" is no figure; write for example 85.37')
    return Decimal(plain)


def _with_second_showings(rows: Sequence[_Row], zone: ZoneInfo, notes: list[str]) -> list[_Row]:
    """A local time that the clock shows twice and the table has once holds for both."""
    known = {row.start for row in rows}
    found = list(rows)
    once: list[_Row] = []
    for row in rows:
        if not row.is_once:
            continue
        again = row.start.astimezone(zone).replace(fold=1).astimezone(UTC)
        if again not in known:
            end = row.end if row.end is None or row.end > again else row.end + (again - row.start)
            found.append(replace(row, start=again, end=end))
            if row.end is not None and row.end > again:  # said from the first showing to the end of the second
                found[found.index(row)] = replace(row, end=None)
            once.append(row)
    if once:
        shown = once[0].start.astimezone(zone)
        notes.append(f"line {once[0].line}: the clock showed {shown:%Y-%m-%d %H:%M} twice; the row holds for both")
    return sorted(found, key=lambda row: row.start) if once else found


def _in_order(rows: Sequence[_Row], notes: list[str]) -> list[_Row]:
    kept = [rows[0]]
    for row in rows[1:]:
        before = kept[-1]
        if row.start == before.start and row.value == before.value:
            notes.append(f"line {row.line} says the same as line {before.line}; left out")
        elif row.start == before.start:
            raise TableError(row.line, f"it gives another figure than line {before.line} for the same time")
        elif row.start < before.start:
            raise TableError(row.line, f"it goes back in time behind line {before.line}")
        else:
            kept.append(row)
    return kept


def _spans(rows: Sequence[_Row]) -> list[Figure]:
    steps = [after.start - row.start for row, after in pairwise(rows)]
    spans = []
    for number, (row, after) in enumerate(pairwise(rows)):
        end = row.end or (after.start if _is_step(steps, number) else None)
        if end is not None and end > after.start:
            raise TableError(after.line, f"it begins before line {row.line} ends, and both give a figure")
        if end is None or end < after.start:
            hole = f"{end or row.start + _step_before(steps, number):%Y-%m-%d %H:%M} to {after.start:%Y-%m-%d %H:%M}"
            raise TableError(after.line, f"there is a hole before it: nothing is said from {hole} UTC")
        spans.append(Figure(row.start, end, row.value))
    last = rows[-1]
    length = _step_before(steps, len(steps))
    return [*spans, Figure(last.start, last.end or last.start + length, last.value)]


def _is_step(steps: Sequence[timedelta], number: int) -> bool:
    """Whether the rows just follow one another here: at the pace of before, or at a new one that is then kept."""
    step = steps[number]
    if number == 0:
        return step in _STEPS or all(other == step for other in steps)
    if step == steps[number - 1]:
        return True
    is_kept = number + 1 < len(steps) and steps[number + 1] == step
    return step in _STEPS and (is_kept or (step < steps[number - 1] and number + 1 == len(steps)))


def _step_before(steps: Sequence[timedelta], number: int) -> timedelta:
    return steps[number - 1] if number else min(steps[:1] or [_STEPS[-1]])
