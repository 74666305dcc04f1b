"""When: weekly windows in the owner's zone, against instants in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow

# A week and a day on either side: whatever is not found within that repeats for ever.
_HORIZON_DAYS = 8


@dataclass(frozen=True)
class Opening:
    """Whether the windows are open at an instant, and until when that stays so; None means for as long as we look."""

    is_open: bool
    until: datetime | None


def opening_at(windows: Iterable[WeeklyWindow], zone: ZoneInfo, now: datetime) -> Opening:
    """Look up `now` (aware, UTC) in the windows."""
    today = now.astimezone(zone).date()
    last = today + timedelta(days=_HORIZON_DAYS)
    horizon = _instant(last, 0, zone)
    for start, end in _merged(_spans(windows, zone, today - timedelta(days=2), last)):
        if start <= now < end:
            return Opening(True, end if end < horizon else None)
        if start > now:
            return Opening(False, start)
    return Opening(False, None)


def _spans(
    windows: Iterable[WeeklyWindow], zone: ZoneInfo, first: date, last: date
) -> Iterator[tuple[datetime, datetime]]:
    """Every window of every day as a pair of instants."""
    for window in windows:
        day = first
        while day <= last:
            if day.weekday() in window.days:
                end_day = day + timedelta(days=1) if window.is_over_midnight else day
                start, end = _instant(day, window.start_minute, zone), _instant(end_day, window.end_minute, zone)
                if start < end:
                    yield start, end
            day += timedelta(days=1)


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The same time without overlaps, in order; spans that touch become one."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """What the wall clock shows as `minute` of `day`. An hour that the clock skips counts as the moment of the jump."""
    if minute == MINUTES_PER_DAY:
        day, minute = day + timedelta(days=1), 0
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    # Skipped by a jump forward: `fold` gives the offsets before and after it, whose difference is the jump's length.
    before, after = wall.utcoffset(), wall.replace(fold=1).utcoffset()
    shift = (after or timedelta()) - (before or timedelta())
    moment = instant - shift
    while moment.astimezone(zone).utcoffset() != after and moment < instant:
        moment += timedelta(minutes=1)
    return moment
