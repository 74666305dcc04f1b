"""Windows against an oracle that walks through time minute by minute and looks at the wall clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.windows import Opening, opening_at

MINUTE = timedelta(minutes=1)
PARIS = ZoneInfo("Europe/Paris")
# A jump of half an hour, one at midnight, one that comes in the other half of the year, one around Ramadan, odd
# offsets, none at all.
ZONES = [
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "Africa/Casablanca",
    "America/St_Johns",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "UTC",
]
TO_LOOK_AT = 17 * 24 * 60


def is_open_by_the_wall(windows: Sequence[WeeklyWindow], at: datetime, zone: ZoneInfo) -> bool:
    """What somebody with a clock on the wall and the list of windows in his hand would say."""
    wall = at.astimezone(zone)
    minute, day = wall.hour * 60 + wall.minute, wall.weekday()
    for window in windows:
        if window.end_minute > window.start_minute:
            if day in window.days and window.start_minute <= minute < window.end_minute:
                return True
        elif (day in window.days and minute >= window.start_minute) or (
            (day - 1) % 7 in window.days and minute < window.end_minute
        ):
            return True
    return False


def opening_by_the_wall(windows: Sequence[WeeklyWindow], zone: ZoneInfo, now: datetime) -> Opening:
    is_open = is_open_by_the_wall(windows, now, zone)
    at = now.replace(second=0, microsecond=0)
    for _ in range(TO_LOOK_AT):
        at += MINUTE
        if is_open_by_the_wall(windows, at, zone) != is_open:
            return Opening(is_open, at)
    return Opening(is_open, None)


def jumps(zone: ZoneInfo, first_year: int = 2024, last_year: int = 2030) -> list[datetime]:
    """Every instant of these years at which the zone's clock jumps."""
    found: list[datetime] = []
    at, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    while at < end:
        after = at + timedelta(hours=6)
        if after.astimezone(zone).utcoffset() != at.astimezone(zone).utcoffset():
            moment = at
            while moment.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
                moment += MINUTE
            found.append(moment)
        at = after
    return found


def some_windows(chance: random.Random, near_day: int | None = None, near_minute: int = 0) -> list[WeeklyWindow]:
    windows = []
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        days = frozenset(chance.sample(range(7), chance.randint(1, 7)))
        if near_day is not None:
            days |= {near_day}
            start = (near_minute + chance.randint(-150, 150)) % 1440
            end = (start + chance.choice([1, 15, 30, 60, 61, 90, 600, 1439])) % 1440 or 1440
        else:
            start, end = chance.randint(0, 1439), chance.randint(1, 1440)
        if start != end:
            windows.append(WeeklyWindow(days, start, end))
    return windows


@pytest.mark.parametrize("name", ZONES)
def test_random_weeks_at_random_instants(name: str) -> None:
    zone, chance = ZoneInfo(name), random.Random(f"weeks {name}")
    for _ in range(30):
        windows = some_windows(chance)
        now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 7 * 365 * 86400))
        assert opening_at(windows, zone, now) == opening_by_the_wall(windows, zone, now), (windows, now)


@pytest.mark.parametrize("name", [name for name in ZONES if jumps(ZoneInfo(name), 2026, 2026)])
def test_every_jump_of_seven_years(name: str) -> None:
    zone, chance = ZoneInfo(name), random.Random(f"jumps {name}")
    all_jumps = jumps(zone)
    assert len(all_jumps) >= 12
    for jump in all_jumps:
        before = (jump - MINUTE).astimezone(zone)
        for _ in range(4):
            windows = some_windows(chance, before.weekday(), before.hour * 60 + before.minute)
            seconds = chance.choice([0, -1, 1, chance.randint(-10_000, 10_000), chance.randint(-90_000, 90_000)])
            now = jump + timedelta(seconds=seconds, microseconds=chance.choice([0, 0, 999_999]))
            assert opening_at(windows, zone, now) == opening_by_the_wall(windows, zone, now), (windows, now)


def paris(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).astimezone(UTC)


def open_s(text: str, first: datetime, last: datetime) -> float:
    """How long the windows are open from `first` to `last`, by following `until`."""
    windows, at, seconds = [WeeklyWindow.parse(text)], first, 0.0
    while at < last:
        opening = opening_at(windows, PARIS, at)
        until = min(opening.until or last, last)
        seconds += (until - at).total_seconds() if opening.is_open else 0.0
        at = until
    return seconds


@pytest.mark.parametrize(("night", "hours"), [("2026-03-28", 8), ("2026-10-24", 10), ("2026-07-01", 9)])
def test_a_night_is_as_long_as_the_night(night: str, hours: int) -> None:
    first = paris(f"{night} 12:00")
    assert open_s("daily 22:00-07:00", first, first + timedelta(hours=24)) == hours * 3600


def test_what_the_clock_skips_does_not_happen_that_day() -> None:
    sunday = [WeeklyWindow.parse("sun 02:15-02:45")]
    # After the Sunday before: the next Sunday's is skipped, so that the next is in a fortnight.
    now = paris("2026-03-22 03:00")
    assert opening_at(sunday, PARIS, now) == Opening(False, paris("2026-04-05 02:15"))
    begins = [WeeklyWindow.parse("sun 02:30-06:00")]
    assert opening_at(begins, PARIS, paris("2026-03-29 01:59")) == Opening(False, paris("2026-03-29 03:00"))
    ends = [WeeklyWindow.parse("sat 22:00-02:30")]
    assert opening_at(ends, PARIS, paris("2026-03-29 01:59")) == Opening(True, paris("2026-03-29 03:00"))


def test_a_gap_that_is_skipped_leaves_it_open_for_a_fortnight() -> None:
    windows = [WeeklyWindow.parse("mon-sat 00:00-24:00"), WeeklyWindow.parse("sun 03:00-02:00")]
    windows.append(WeeklyWindow.parse("sun 00:00-02:00"))
    assert opening_at(windows, PARIS, paris("2026-03-22 03:00")) == Opening(True, paris("2026-04-05 02:00"))


def test_an_hour_that_shows_twice_counts_twice() -> None:
    windows = [WeeklyWindow.parse("sun 02:00-02:30")]
    first, again = paris("2026-10-25 02:00"), paris("2026-10-25 02:00", fold=1)
    assert again - first == timedelta(hours=1)
    half = timedelta(minutes=30)
    assert opening_at(windows, PARIS, first) == Opening(True, first + half)
    assert opening_at(windows, PARIS, first + half) == Opening(False, again)
    assert opening_at(windows, PARIS, again) == Opening(True, again + half)


def test_a_card_never_works_outside_the_hours_on_the_wall() -> None:
    """The promise itself, over a whole year of minutes at the edges of what was answered."""
    windows = [WeeklyWindow.parse("mon-fri 22:00-07:00"), WeeklyWindow.parse("sat,sun 02:30-24:00")]
    at, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    while at < end:
        opening = opening_at(windows, PARIS, at)
        assert opening.until is not None
        assert opening.until > at
        last = opening.until - timedelta(microseconds=1)
        assert is_open_by_the_wall(windows, at, PARIS) == is_open_by_the_wall(windows, last, PARIS) == opening.is_open
        assert is_open_by_the_wall(windows, opening.until, PARIS) != opening.is_open
        at = opening.until


def test_always_and_never() -> None:
    now = paris("2026-03-28 12:00")
    assert opening_at([], PARIS, now) == Opening(False, None)
    for texts in (["daily 00:00-24:00"], ["mon-fri 00:00-24:00", "sat,sun 12:00-12:01", "sat,sun 12:01-12:00"]):
        windows = [WeeklyWindow.parse(text) for text in texts]
        opening = opening_at(windows, PARIS, now)
        assert opening.is_open
        assert opening == opening_by_the_wall(windows, PARIS, now)


def test_windows_that_touch_are_one() -> None:
    windows = [WeeklyWindow.parse("mon 08:00-12:00"), WeeklyWindow.parse("mon 12:00-18:00")]
    assert opening_at(windows, PARIS, paris("2026-06-01 09:00")) == Opening(True, paris("2026-06-01 18:00"))
    over_sunday = [WeeklyWindow.parse("sun 20:00-24:00"), WeeklyWindow.parse("mon 00:00-04:00")]
    assert opening_at(over_sunday, PARIS, paris("2026-06-07 21:00")) == Opening(True, paris("2026-06-08 04:00"))


def test_seconds_count_and_the_end_is_outside() -> None:
    windows = [WeeklyWindow.parse("mon 08:00-12:00")]
    end = paris("2026-06-01 12:00")
    assert opening_at(windows, PARIS, end - timedelta(microseconds=1)) == Opening(True, end)
    assert opening_at(windows, PARIS, end) == Opening(False, paris("2026-06-08 08:00"))


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    windows = [WeeklyWindow.parse("mon 08:00-12:00")]
    at = paris("2026-06-01 09:00")
    assert opening_at(windows, PARIS, at.astimezone(PARIS)) == opening_at(windows, PARIS, at)
