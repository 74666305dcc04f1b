"""A value that changes with what the wall clock shows: by the week, and by dates that override the week. Pure.

Everything here is in the wall clock's own time, without zone; `windows` turns it into instants.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from argentum_desktop.domain.availability import DatedException
from argentum_desktop.domain.wall_spans import merged, without
from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow

Value = TypeVar("Value")
WeekSpan = tuple[timedelta, timedelta]
"""From and until, as time since Monday 00:00."""

_WEEK = timedelta(days=7)
_A_MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - the wall clock's own time


@dataclass(frozen=True)
class Timetable(Generic[Value]):
    """What holds when.

    Attributes:
        week_starts: since Monday 00:00, in order, the first is 0; from each on the value of the same place holds.
        date_starts, date_ends: spans without overlaps, in order, in which `date_values` hold instead.
    """

    week_starts: tuple[timedelta, ...]
    week_values: tuple[Value, ...]
    date_starts: tuple[datetime, ...] = ()
    date_ends: tuple[datetime, ...] = ()
    date_values: tuple[Value, ...] = ()

    def value_at(self, shown: datetime) -> Value:
        place = bisect_right(self.date_starts, shown) - 1
        if place >= 0 and shown < self.date_ends[place]:
            return self.date_values[place]
        return self.week_values[bisect_right(self.week_starts, (shown - _A_MONDAY) % _WEEK) - 1]

    def next_other(self, shown: datetime, value: Value) -> datetime | None:
        """The first time after `shown` with another value than this, which holds then; None when there is none."""
        edge = self._next_edge(shown)
        # Every edge of the week changes the value and the dates are finite, so that this ends.
        while edge is not None and self.value_at(edge) == value:
            edge = self._next_edge(edge)
        return edge

    def _next_edge(self, shown: datetime) -> datetime | None:
        place = bisect_right(self.date_starts, shown)
        if place and shown < self.date_ends[place - 1]:
            return self.date_ends[place - 1]
        of_dates = self.date_starts[place] if place < len(self.date_starts) else None
        if len(self.week_starts) == 1:
            return of_dates
        since = (shown - _A_MONDAY) % _WEEK
        following = bisect_right(self.week_starts, since)
        # The week's own beginning is an edge only where the value changes with it.
        if following < len(self.week_starts):
            of_week = self.week_starts[following]
        elif self.week_values[0] != self.week_values[-1]:
            of_week = _WEEK
        else:
            of_week = _WEEK + self.week_starts[1]
        edge = shown + (of_week - since)
        return edge if of_dates is None or edge < of_dates else of_dates


def week_spans(window: WeeklyWindow) -> Iterable[WeekSpan]:
    """The window on each of its days; what runs over the end of Sunday goes on at the beginning of Monday."""
    length = timedelta(minutes=(window.end_minute - window.start_minute) % MINUTES_PER_DAY or MINUTES_PER_DAY)
    for day in window.days:
        start = timedelta(days=day, minutes=window.start_minute)
        yield start, min(start + length, _WEEK)
        if start + length > _WEEK:
            yield timedelta(), start + length - _WEEK


def by_the_week(
    spans: Sequence[WeekSpan], value_of: Callable[[frozenset[int]], Value]
) -> tuple[tuple[timedelta, ...], tuple[Value, ...]]:
    """The starts and values of a week; `value_of` gets the places of the spans that hold at a time."""
    starts: list[timedelta] = []
    values: list[Value] = []
    for edge in sorted({timedelta(), *(edge for span in spans for edge in span if edge < _WEEK)}):
        value = value_of(frozenset(place for place, (start, end) in enumerate(spans) if start <= edge < end))
        if not values or values[-1] != value:
            starts.append(edge)
            values.append(value)
    return tuple(starts), tuple(values)


def opening_table(windows: Iterable[WeeklyWindow], exceptions: Iterable[DatedException] = ()) -> Timetable[bool]:
    """Open or not: an exception beats the week, and of two exceptions the closed one."""
    spans = [span for window in windows for span in week_spans(window)]
    week_starts, week_values = by_the_week(spans, bool)
    exceptions = list(exceptions)
    closed = merged(span for one in exceptions if not one.when.is_open for span in one.when.spans())
    opened = merged(span for one in exceptions if one.when.is_open for span in one.when.spans())
    dated = sorted([(*span, False) for span in closed] + [(*span, True) for span in without(opened, closed)])
    return Timetable(
        week_starts,
        week_values,
        tuple(start for start, _, _ in dated),
        tuple(end for _, end, _ in dated),
        tuple(is_open for _, _, is_open in dated),
    )
