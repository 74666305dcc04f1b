"""The owner's windows by brute force: somebody who looks at the clock on the wall every minute.

Nothing of the product's arithmetic is used, only what the settings mean and what `zoneinfo` says the clock shows.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from argentum_desktop.domain.availability import DatedException, DatedHours, OwnersWindow
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.windows import Opening
from argentum_desktop.settings.schema import Availability

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CARDS = ("GPU-a", "GPU-b")
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
# A yearly week may be skipped by one jump and comes again after it.
_WEEKS_TO_WATCH = 17 * DAY


class Wall:
    """A clock on the wall and one card's hours on a sheet of paper beside it."""

    def __init__(self, availability: Availability, gpu_id: str, zone: ZoneInfo) -> None:
        self.zone = zone
        windows = [own.when for own in availability.windows if not own.cards or gpu_id in own.cards]
        self._week = _minutes_of_a_week(windows)
        self._dates: dict[date, list[DatedHours]] = defaultdict(list)
        self._last = date.min
        for exception in availability.exceptions:
            if exception.cards and gpu_id not in exception.cards:
                continue
            day = exception.when.first
            while day <= exception.when.last:
                self._dates[day].append(exception.when)
                self._dates[day + DAY].append(exception.when)  # what runs over midnight is looked for there
                self._last = max(self._last, day + DAY)
                day += DAY

    def is_open(self, at: datetime) -> bool:
        return self._shows(at.astimezone(self.zone).replace(tzinfo=None))

    def opening(self, now: datetime) -> Opening:
        if not any(self._week) and not self._dates:
            return Opening(False, None)
        is_open = self.is_open(now)
        at = now.replace(second=0, microsecond=0)
        last = datetime(self._last.year, self._last.month, self._last.day, tzinfo=UTC) if self._dates else at
        end = max(at, last + 3 * DAY) + _WEEKS_TO_WATCH
        while at < end:
            wall, later = at.astimezone(self.zone), (at + HOUR).astimezone(self.zone)
            is_steady = wall.utcoffset() == later.utcoffset()
            shown = wall.replace(tzinfo=None)
            for _ in range(60):
                at, shown = at + MINUTE, shown + MINUTE
                if (self._shows(shown) if is_steady else self.is_open(at)) != is_open:
                    return Opening(is_open, at)
        return Opening(is_open, None)

    def _shows(self, shown: datetime) -> bool:
        """What the sheet says to a time on the clock."""
        minute = shown.hour * 60 + shown.minute
        today = self._dates.get(shown.date()) if self._dates else None
        if today:
            words = {hours.is_open for hours in today if _covers(hours, shown.date(), minute)}
            if words:
                return words == {True}
        return bool(self._week[shown.weekday() * 1440 + minute])


def _minutes_of_a_week(windows: list[WeeklyWindow]) -> bytearray:
    week = bytearray(7 * 1440)
    for window in windows:
        for day in window.days:
            minute = window.start_minute
            last = window.end_minute if window.end_minute > window.start_minute else window.end_minute + 1440
            while minute < last:
                week[(day * 1440 + minute) % len(week)] = 1
                minute += 1
    return week


def _covers(hours: DatedHours, day: date, minute: int) -> bool:
    is_today, is_since_yesterday = hours.first <= day <= hours.last, hours.first <= day - DAY <= hours.last
    if hours.end_minute > hours.start_minute:
        return is_today and hours.start_minute <= minute < hours.end_minute
    return (is_today and minute >= hours.start_minute) or (is_since_yesterday and minute < hours.end_minute)


def jumps(zone: ZoneInfo, first: datetime = FIRST, last: datetime = LAST) -> tuple[datetime, ...]:
    """Every instant at which the zone's clock jumps, by walking through the years."""
    found: list[datetime] = []
    at, offset = first, first.astimezone(zone).utcoffset()
    while at < last:
        tomorrow = (at + DAY).astimezone(zone).utcoffset()
        if tomorrow != offset:
            moment = at
            for step in (HOUR, MINUTE):
                while (moment + step).astimezone(zone).utcoffset() == offset:
                    moment += step
            found.append(moment + MINUTE)
        at, offset = at + DAY, tomorrow
    return tuple(found)


def zones_with_jumps() -> list[tuple[ZoneInfo, tuple[datetime, ...]]]:
    """One zone for each set of rules among all zones there are, with its jumps of 2024 to 2030."""
    by_rules: dict[object, tuple[ZoneInfo, tuple[datetime, ...]]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        found = jumps(zone)
        offsets = tuple(at.astimezone(zone).utcoffset() for at in (FIRST, *found))
        by_rules.setdefault((found, offsets), (zone, found))
    return list(by_rules.values())


def some_availability(chance: random.Random, near: datetime) -> Availability:
    """Random windows and exceptions, some of them at the time that the wall shows at `near` (without zone)."""
    windows = [replace(OwnersWindow(window), cards=_cards(chance)) for window in _weekly(chance, near)]
    exceptions = [
        DatedException(_dated(chance, near), _cards(chance)) for _ in range(chance.choice([0, 0, 0, 1, 2, 4]))
    ]
    return Availability(windows=tuple(windows), exceptions=tuple(exceptions))


def _weekly(chance: random.Random, near: datetime) -> list[WeeklyWindow]:
    windows = []
    for _ in range(chance.choice([0, 1, 1, 2, 3, 6])):
        days = frozenset(chance.sample(range(7), chance.randint(1, 7)))
        if chance.random() < 0.5:
            days |= {(near.weekday() + chance.choice([-1, 0, 0, 1])) % 7}
        start, end = _hours(chance, near)
        windows.append(WeeklyWindow(days, start, end))
    return windows


def _dated(chance: random.Random, near: datetime) -> DatedHours:
    first = near.date() + chance.choice([-2, -1, 0, 0, 1, 3, 20]) * DAY
    last = first + chance.choice([0, 0, 1, 5]) * DAY
    start, end = (0, 1440) if chance.random() < 0.4 else _hours(chance, near)
    return DatedHours(first, last, start, end, chance.random() < 0.5)


def _hours(chance: random.Random, near: datetime) -> tuple[int, int]:
    """Any hours; often such as begin or end close to what the clock shows there."""
    around = near.hour * 60 + near.minute
    close = (around + chance.choice([0, 0, 1, -1, 30, -30, 60, -60, chance.randint(-120, 120)])) % 1440
    start = close if chance.random() < 0.5 else chance.randrange(1440)
    end = close if chance.random() < 0.5 else chance.choice([chance.randint(1, 1440), 1440])
    end = end or 1440
    return (start, end) if start != end else (start, start % 1440 + 1)


def _cards(chance: random.Random) -> tuple[str, ...]:
    return chance.choice([(), (), CARDS[:1], CARDS[1:], CARDS])
