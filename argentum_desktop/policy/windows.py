"""When: the owner's windows in his own zone, against instants in UTC.

One rule decides everything: it is open exactly while the owner's wall clock shows a time that the week, or an
exception for that date, opens. What follows from it where the wall clock jumps:

- Forward: a time that is skipped never shows, so a window that begins or ends at it begins or ends with the jump, and
  one that lies within the jump does not happen that day. 22:00-07:00 is then an hour shorter.
- Back: an hour that shows twice counts twice. 22:00-07:00 is then an hour longer, and a window that ends within the
  repeated hour is open once more while the clock shows its times again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.clock_jumps import next_jump
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.timetable import Timetable, by_the_week, opening_table, week_spans
from argentum_desktop.settings.schema import Availability

Value = TypeVar("Value")
# A jump back shows past times again, by a day where a zone changes sides of the date line.
_FURTHEST_BACK = timedelta(days=2)


@dataclass(frozen=True)
class Opening:
    """Whether the windows are open at an instant, and when that changes next; None means never."""

    is_open: bool
    until: datetime | None


@dataclass(frozen=True)
class InForce:
    """The windows whose hours show at an instant, and when that changes next; several may overlap.

    In the hours of an exception that opens there need not be any; then what the owner chose in general holds.
    """

    windows: tuple[OwnersWindow, ...]
    until: datetime | None

    def floor(self, general: Decimal) -> Decimal:
        """The highest floor; a window without one has the general."""
        return max((general if own.floor is None else own.floor for own in self.windows), default=general)

    @property
    def power_limit_w(self) -> int | None:
        """The lowest power limit; None where none is set."""
        return min((own.power_limit_w for own in self.windows if own.power_limit_w is not None), default=None)

    def temperature_limit_c(self, general: int) -> int:
        """The lowest limit, the general one among them."""
        own = (own.temperature_limit_c for own in self.windows)
        return min((general, *(limit for limit in own if limit is not None)))


def opening_at(availability: Availability, gpu_id: str, zone: ZoneInfo, now: datetime) -> Opening:
    """Whether this card may work at `now` (aware), by its windows and exceptions."""
    return Opening(*_value_and_change(_opening_table(availability, gpu_id), zone, now))


def weekly_opening(windows: Iterable[WeeklyWindow], zone: ZoneInfo, now: datetime) -> Opening:
    """The same for plain hours of the week, such as those of solar power."""
    return Opening(*_value_and_change(opening_table(windows), zone, now))


def in_force_at(availability: Availability, gpu_id: str, zone: ZoneInfo, now: datetime) -> InForce:
    """The windows of this card whose hours show at `now`."""
    return InForce(*_value_and_change(_window_table(availability, gpu_id), zone, now))


def finish_by(availability: Availability, gpu_id: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The instant by which a job that runs at `now` must be over to be left alone; None means whenever.

    Open, that is the end of the opening and the owner's minutes after it; shut, the owner's minutes after it shut.
    In the past, the job's time is over.
    """
    within = timedelta(minutes=availability.finish_within_minutes)
    opening = opening_at(availability, gpu_id, zone, now)
    if opening.is_open:
        return None if opening.until is None else opening.until + within
    shut_at = at = now - within
    while at < now:
        opening = opening_at(availability, gpu_id, zone, at)
        if opening.until is None or opening.until > now:
            break
        at = opening.until
        shut_at = at if opening.is_open else shut_at
    return shut_at + within


def may_finish(availability: Availability, gpu_id: str, zone: ZoneInfo, now: datetime, ends_at: datetime) -> bool:
    """Whether a job that is over at `ends_at` at the latest may run on at `now`."""
    opening = opening_at(availability, gpu_id, zone, now)
    if opening.is_open:
        return True
    last = finish_by(availability, gpu_id, zone, now)
    return last is not None and now < last and ends_at <= last


@lru_cache(maxsize=256)
def _opening_table(availability: Availability, gpu_id: str) -> Timetable[bool]:
    windows = (own.when for own in availability.windows if own.is_for(gpu_id))
    return opening_table(windows, (one for one in availability.exceptions if one.is_for(gpu_id)))


@lru_cache(maxsize=256)
def _window_table(availability: Availability, gpu_id: str) -> Timetable[tuple[OwnersWindow, ...]]:
    windows = [own for own in availability.windows if own.is_for(gpu_id)]
    spans = [(own, span) for own in windows for span in week_spans(own.when)]

    def showing(places: frozenset[int]) -> tuple[OwnersWindow, ...]:
        return tuple(own for own in windows if any(spans[place][0] is own for place in places))

    return Timetable(*by_the_week([span for _, span in spans], showing))


def _value_and_change(table: Timetable[Value], zone: ZoneInfo, now: datetime) -> tuple[Value, datetime | None]:
    """What holds at `now`, and the first instant after it at which the wall clock shows a time of another value."""
    at = now.astimezone(UTC)
    shown = _shown(at, zone)
    value = table.value_at(shown)
    while True:
        edge = table.next_other(shown, value)
        if edge is not None:
            look_until = at + (edge - shown)
        elif table.date_ends:
            look_until = table.date_ends[-1].replace(tzinfo=UTC) + _FURTHEST_BACK
        else:
            return value, None
        jump = next_jump(zone, at, look_until)
        if jump is None:
            return value, look_until if edge is not None else None
        at, shown = jump, _shown(jump, zone)
        if table.value_at(shown) != value:
            return value, at


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
