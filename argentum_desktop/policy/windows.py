"""When: weekly windows in the owner's zone, against instants in UTC.

One rule decides everything: it is open exactly while the owner's wall clock shows a time of a window. What follows
from it where the wall clock jumps:

- Forward: a time that is skipped never shows, so a window that begins or ends at it begins or ends with the jump, and
  one that lies within the jump does not happen that day. 22:00-07:00 is then an hour shorter.
- Back: an hour that shows twice counts twice. 22:00-07:00 is then an hour longer, and a window that ends within the
  repeated hour is open once more while the clock shows its times again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow

_WEEK = timedelta(days=7)
_WHOLE_WEEK = (timedelta(), _WEEK)
# A weekly opening, or gap, may be skipped by a jump of the clock, and is then there a week later; beyond that there is
# none.
_HORIZON = timedelta(days=16)
# No zone changes its clock twice within this.
_STEP = timedelta(days=1)


@dataclass(frozen=True)
class Opening:
    """Whether the windows are open at an instant, and when that changes next; None means never."""

    is_open: bool
    until: datetime | None


def opening_at(windows: Iterable[WeeklyWindow], zone: ZoneInfo, now: datetime) -> Opening:
    """Look up `now` (aware, UTC) in the windows."""
    spans = _merged(span for window in windows for span in _spans(window))
    if not spans or spans == [_WHOLE_WEEK]:
        return Opening(bool(spans), None)
    is_open = _shows_open(spans, now, zone)
    at = now
    while at - now <= _HORIZON:
        at = _next_look(spans, at, zone)
        if _shows_open(spans, at, zone) is not is_open:
            return Opening(is_open, at)
    return Opening(is_open, None)


Span = tuple[timedelta, timedelta]
"""From and until, as time since Monday 00:00 by the wall clock."""


def _spans(window: WeeklyWindow) -> Iterator[Span]:
    """The window on each of its days; what runs over the end of Sunday goes on at the beginning of Monday."""
    length = timedelta(minutes=(window.end_minute - window.start_minute) % MINUTES_PER_DAY or MINUTES_PER_DAY)
    for day in window.days:
        start = timedelta(days=day, minutes=window.start_minute)
        yield start, min(start + length, _WEEK)
        if start + length > _WEEK:
            yield timedelta(), start + length - _WEEK


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order; spans that touch become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _shows_open(spans: Iterable[Span], at: datetime, zone: ZoneInfo) -> bool:
    shown = _since_monday(at, zone)
    return any(start <= shown < end for start, end in spans)


def _next_look(spans: Iterable[Span], at: datetime, zone: ZoneInfo) -> datetime:
    """The next instant at which anything can change: a window's edge or a jump of the clock, a day on at the latest."""
    shown = _since_monday(at, zone)
    edges = [_WEEK, *(edge for span in spans for edge in span)]  # at the week's end its edges begin anew
    step = min([_STEP, *(edge - shown for edge in edges if edge > shown)])
    return _jump(at, at + step, zone) or at + step


def _jump(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """When the clock jumps after `start` and up to `end`; None when it does not."""
    before = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return None
    low, high = 0, int((end - start) / _MICROSECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if (start + middle * _MICROSECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return start + high * _MICROSECOND


_MICROSECOND = timedelta(microseconds=1)


def _since_monday(at: datetime, zone: ZoneInfo) -> timedelta:
    shown = at.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    midnight = shown.replace(hour=0, minute=0, second=0, microsecond=0)
    return timedelta(days=shown.weekday()) + (shown - midnight)
