"""When the clocks of a zone jump: daylight saving, and changes of the zone itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# No zone changes its clock twice within this.
_STEP = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def next_jump(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """The first jump after `after` and up to `until` (both UTC); None when there is none."""
    for year in range(after.year, until.year + 1):
        for jump in jumps_of_year(zone, year):
            if jump > until:
                return None
            if jump > after:
                return jump
    return None


@lru_cache(maxsize=4096)
def jumps_of_year(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    """Every instant in the year (UTC) from which on the zone's clock shows something else than before."""
    found = []
    at, end = datetime(year, 1, 1, tzinfo=UTC) - _SECOND, datetime(year + 1, 1, 1, tzinfo=UTC) - _SECOND
    while at < end:
        then = min(at + _STEP, end)
        if offset_at(zone, then) != offset_at(zone, at):
            found.append(_jump_between(zone, at, then))
        at = then
    return tuple(found)


def offset_at(zone: ZoneInfo, at: datetime) -> timedelta:
    """How far the zone's clock is ahead of UTC at an instant."""
    offset = at.astimezone(zone).utcoffset()
    if offset is None:  # only what is no zone answers so
        raise ValueError(f"{zone} has no offset")
    return offset


def _jump_between(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """To the second, as the zones' tables have it."""
    before = offset_at(zone, start)
    low, high = 0, (end - start) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, start + middle * _SECOND) == before:
            low = middle
        else:
            high = middle
    return start + high * _SECOND
