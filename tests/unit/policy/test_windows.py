"""Windows against an oracle that walks through time minute by minute and looks at the wall clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from window_oracle import CARDS, FIRST, Wall, jumps, some_availability, zones_with_jumps

from argentum_desktop.domain.availability import DatedException, OwnersWindow
from argentum_desktop.domain.clock_jumps import jumps_of_year
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.windows import (
    InForce,
    Opening,
    finish_by,
    in_force_at,
    may_finish,
    opening_at,
    weekly_opening,
)
from argentum_desktop.settings.schema import Availability

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
CASES_A_ZONE = 70


def agree(chance: random.Random, zone: ZoneInfo, now: datetime, near: datetime, cards: tuple[str, ...] = CARDS) -> None:
    """A random week with random exceptions has the answer at `now` that the wall clock gives."""
    availability = some_availability(chance, near.astimezone(zone).replace(tzinfo=None))
    for gpu_id in cards:
        truth = Wall(availability, gpu_id, zone).opening(now)
        assert opening_at(availability, gpu_id, zone, now) == truth, (availability, gpu_id, zone, now)


@pytest.mark.parametrize("name", ZONES)
def test_random_weeks_at_random_instants(name: str) -> None:
    zone, chance = ZoneInfo(name), random.Random(f"weeks {name}")
    for _ in range(CASES_A_ZONE):
        now = FIRST + timedelta(seconds=chance.randint(0, 7 * 365 * 86400))
        agree(chance, zone, now, now)


def test_every_jump_of_every_zone_of_seven_years() -> None:
    chance, zones = random.Random("jumps"), zones_with_jumps()
    assert sum(len(found) for _, found in zones) > 400
    for zone, found in zones:
        for jump in found:
            seconds = chance.choice([0, -1, 1, chance.randint(-10_000, 10_000), chance.randint(-90_000, 90_000)])
            now = jump + timedelta(seconds=seconds, microseconds=chance.choice([0, 0, 999_999]))
            agree(chance, zone, now, jump - MINUTE, CARDS[:1])


@pytest.mark.parametrize("name", ZONES)
def test_the_jumps_of_a_zone_are_those_that_somebody_walking_through_the_years_meets(name: str) -> None:
    zone = ZoneInfo(name)
    assert sum((jumps_of_year(zone, year) for year in range(2024, 2031)), ()) == jumps(zone)


def paris(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).astimezone(UTC)


def by_the_wall(windows: list[WeeklyWindow], now: datetime) -> Opening:
    return Wall(Availability(windows=tuple(map(OwnersWindow, windows))), "GPU-a", PARIS).opening(now)


def open_s(text: str, first: datetime, last: datetime) -> float:
    """How long the windows are open from `first` to `last`, by following `until`."""
    windows, at, seconds = [WeeklyWindow.parse(text)], first, 0.0
    while at < last:
        opening = weekly_opening(windows, PARIS, at)
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
    assert weekly_opening(sunday, PARIS, now) == Opening(False, paris("2026-04-05 02:15"))
    begins = [WeeklyWindow.parse("sun 02:30-06:00")]
    assert weekly_opening(begins, PARIS, paris("2026-03-29 01:59")) == Opening(False, paris("2026-03-29 03:00"))
    ends = [WeeklyWindow.parse("sat 22:00-02:30")]
    assert weekly_opening(ends, PARIS, paris("2026-03-29 01:59")) == Opening(True, paris("2026-03-29 03:00"))


def test_a_gap_that_is_skipped_leaves_it_open_for_a_fortnight() -> None:
    windows = [WeeklyWindow.parse("mon-sat 00:00-24:00"), WeeklyWindow.parse("sun 03:00-02:00")]
    windows.append(WeeklyWindow.parse("sun 00:00-02:00"))
    assert weekly_opening(windows, PARIS, paris("2026-03-22 03:00")) == Opening(True, paris("2026-04-05 02:00"))


def test_an_hour_that_shows_twice_counts_twice() -> None:
    windows = [WeeklyWindow.parse("sun 02:00-02:30")]
    first, again = paris("2026-10-25 02:00"), paris("2026-10-25 02:00", fold=1)
    assert again - first == timedelta(hours=1)
    half = timedelta(minutes=30)
    assert weekly_opening(windows, PARIS, first) == Opening(True, first + half)
    assert weekly_opening(windows, PARIS, first + half) == Opening(False, again)
    assert weekly_opening(windows, PARIS, again) == Opening(True, again + half)


def test_a_card_never_works_outside_the_hours_on_the_wall() -> None:
    """The promise itself, over a whole year of minutes at the edges of what was answered."""
    windows = [WeeklyWindow.parse("mon-fri 22:00-07:00"), WeeklyWindow.parse("sat,sun 02:30-24:00")]
    wall = Wall(Availability(windows=tuple(map(OwnersWindow, windows))), "GPU-a", PARIS)
    at, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    while at < end:
        opening = weekly_opening(windows, PARIS, at)
        assert opening.until is not None
        assert opening.until > at
        last = opening.until - timedelta(microseconds=1)
        assert wall.is_open(at) == wall.is_open(last) == opening.is_open
        assert wall.is_open(opening.until) != opening.is_open
        at = opening.until


def test_always_and_never() -> None:
    now = paris("2026-03-28 12:00")
    assert weekly_opening([], PARIS, now) == Opening(False, None)
    for texts in (["daily 00:00-24:00"], ["mon-fri 00:00-24:00", "sat,sun 12:00-12:01", "sat,sun 12:01-12:00"]):
        windows = [WeeklyWindow.parse(text) for text in texts]
        opening = weekly_opening(windows, PARIS, now)
        assert opening.is_open
        assert opening == by_the_wall(windows, now)


def test_windows_that_touch_are_one() -> None:
    windows = [WeeklyWindow.parse("mon 08:00-12:00"), WeeklyWindow.parse("mon 12:00-18:00")]
    assert weekly_opening(windows, PARIS, paris("2026-06-01 09:00")) == Opening(True, paris("2026-06-01 18:00"))
    over_sunday = [WeeklyWindow.parse("sun 20:00-24:00"), WeeklyWindow.parse("mon 00:00-04:00")]
    assert weekly_opening(over_sunday, PARIS, paris("2026-06-07 21:00")) == Opening(True, paris("2026-06-08 04:00"))


def test_seconds_count_and_the_end_is_outside() -> None:
    windows = [WeeklyWindow.parse("mon 08:00-12:00")]
    end = paris("2026-06-01 12:00")
    assert weekly_opening(windows, PARIS, end - timedelta(microseconds=1)) == Opening(True, end)
    assert weekly_opening(windows, PARIS, end) == Opening(False, paris("2026-06-08 08:00"))


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    windows = [WeeklyWindow.parse("mon 08:00-12:00")]
    at = paris("2026-06-01 09:00")
    assert weekly_opening(windows, PARIS, at.astimezone(PARIS)) == weekly_opening(windows, PARIS, at)


def availability(*windows: str, exceptions: tuple[str, ...] = (), finish_within_minutes: int = 15) -> Availability:
    return Availability(
        windows=tuple(OwnersWindow.parse(text) for text in windows),
        exceptions=tuple(DatedException.parse(text) for text in exceptions),
        finish_within_minutes=finish_within_minutes,
    )


NIGHTS = "daily 22:00-07:00"


@pytest.mark.parametrize(
    ("exceptions", "now", "opening"),
    [
        (["2026-06-03 closed"], "2026-06-02 23:00", Opening(True, paris("2026-06-03 00:00"))),
        (["2026-06-03 closed"], "2026-06-03 12:00", Opening(False, paris("2026-06-04 00:00"))),
        (["2026-06-03 12:00-14:00 open"], "2026-06-03 09:00", Opening(False, paris("2026-06-03 12:00"))),
        (["2026-06-03 07:00-09:00 open"], "2026-06-03 05:00", Opening(True, paris("2026-06-03 09:00"))),
        (["2026-06-03 20:00-02:00 closed"], "2026-06-03 19:00", Opening(False, paris("2026-06-04 02:00"))),
        (["2026-06-03 open", "2026-06-03 closed"], "2026-06-02 23:00", Opening(True, paris("2026-06-03 00:00"))),
        (["2026-06-01..2026-11-30 closed"], "2026-11-10 23:00", Opening(False, paris("2026-12-01 00:00"))),
        (["2026-03-29 02:00-03:00 closed"], "2026-03-28 23:00", Opening(True, paris("2026-03-29 07:00"))),
        (["2026-10-25 02:00-03:00 closed"], "2026-10-25 01:00", Opening(True, paris("2026-10-25 02:00"))),
        (["2026-10-25 02:00-03:00 closed"], "2026-10-25 02:00", Opening(False, paris("2026-10-25 03:00"))),
    ],
)
def test_an_exception_beats_the_week_for_its_hours(exceptions: list[str], now: str, opening: Opening) -> None:
    chosen = availability(NIGHTS, exceptions=tuple(exceptions))
    assert opening_at(chosen, "GPU-a", PARIS, paris(now)) == opening
    assert Wall(chosen, "GPU-a", PARIS).opening(paris(now)) == opening


def test_a_date_alone_opens_a_week_that_is_never_open_and_then_never_again() -> None:
    chosen = availability(exceptions=("2026-12-31 20:00-24:00 open",))
    begin, end = paris("2026-12-31 20:00"), paris("2027-01-01 00:00")
    assert opening_at(chosen, "GPU-a", PARIS, paris("2024-01-01 00:00")) == Opening(False, begin)
    assert opening_at(chosen, "GPU-a", PARIS, begin) == Opening(True, end)
    assert opening_at(chosen, "GPU-a", PARIS, end) == Opening(False, None)


def test_a_date_whose_hours_show_twice_is_open_twice_though_nothing_follows() -> None:
    chosen = availability(exceptions=("2026-10-25 02:00-02:30 open",))
    again = paris("2026-10-25 02:00", fold=1)
    assert opening_at(chosen, "GPU-a", PARIS, again - 30 * MINUTE) == Opening(False, again)
    assert opening_at(chosen, "GPU-a", PARIS, again + 30 * MINUTE) == Opening(False, None)


def test_a_zone_that_leaves_out_a_day_leaves_out_its_windows() -> None:
    """Samoa had no 30 December 2011."""
    samoa = ZoneInfo("Pacific/Apia")
    chosen = availability("fri 00:00-24:00")
    thursday = datetime(2011, 12, 29, 23, tzinfo=samoa).astimezone(UTC)
    opens = datetime(2012, 1, 6, tzinfo=samoa).astimezone(UTC)
    assert opening_at(chosen, "GPU-a", samoa, thursday) == Opening(False, opens)
    assert Wall(chosen, "GPU-a", samoa).opening(thursday) == Opening(False, opens)


def test_each_card_has_its_own_hours() -> None:
    chosen = Availability(
        windows=(
            OwnersWindow(WeeklyWindow.parse("daily 22:00-07:00"), ("GPU-a",)),
            OwnersWindow(WeeklyWindow.parse("daily 12:00-13:00")),
        ),
        exceptions=(DatedException(DatedException.parse("2026-06-03 closed").when, ("GPU-b",)),),
    )
    now = paris("2026-06-03 12:30")
    assert opening_at(chosen, "GPU-a", PARIS, now) == Opening(True, paris("2026-06-03 13:00"))
    assert opening_at(chosen, "GPU-b", PARIS, now) == Opening(False, paris("2026-06-04 12:00"))
    assert opening_at(chosen, "GPU-b", PARIS, paris("2026-06-05 23:00")).is_open is False


def test_where_windows_overlap_the_highest_floor_and_the_strictest_limits_hold() -> None:
    night = OwnersWindow(WeeklyWindow.parse("daily 22:00-07:00"), floor=Decimal("0.02"), power_limit_w=250)
    quiet = OwnersWindow(
        WeeklyWindow.parse("daily 23:00-05:00"), ("GPU-a",), Decimal("0.30"), temperature_limit_c=75, power_limit_w=200
    )
    plain = OwnersWindow.parse("sat 00:00-24:00")
    chosen = Availability(windows=(night, quiet, plain))
    general = Decimal("0.05")
    both = in_force_at(chosen, "GPU-a", PARIS, paris("2026-06-03 23:30"))
    assert both == InForce((night, quiet), paris("2026-06-04 05:00"))
    assert (both.floor(general), both.power_limit_w, both.temperature_limit_c(87)) == (Decimal("0.30"), 200, 75)
    assert both.temperature_limit_c(60) == 60
    alone = in_force_at(chosen, "GPU-b", PARIS, paris("2026-06-03 23:30"))
    assert alone == InForce((night,), paris("2026-06-04 07:00"))
    assert (alone.floor(general), alone.power_limit_w, alone.temperature_limit_c(87)) == (Decimal("0.02"), 250, 87)
    with_plain = in_force_at(chosen, "GPU-b", PARIS, paris("2026-06-06 01:00"))
    assert with_plain.floor(general) == general
    none = in_force_at(chosen, "GPU-b", PARIS, paris("2026-06-03 12:00"))
    assert none == InForce((), paris("2026-06-03 22:00"))
    assert (none.floor(general), none.power_limit_w, none.temperature_limit_c(87)) == (general, None, 87)


def test_a_job_may_finish_that_ends_soon_after_the_window() -> None:
    chosen, end = availability(NIGHTS), paris("2026-06-03 07:00")
    last = end + 15 * MINUTE
    assert finish_by(chosen, "GPU-a", PARIS, end - 60 * MINUTE) == last
    assert finish_by(chosen, "GPU-a", PARIS, end) == finish_by(chosen, "GPU-a", PARIS, end + 14 * MINUTE) == last
    assert may_finish(chosen, "GPU-a", PARIS, end - MINUTE, end + 600 * MINUTE)
    assert may_finish(chosen, "GPU-a", PARIS, end, last)
    assert not may_finish(chosen, "GPU-a", PARIS, end, last + MINUTE)
    assert not may_finish(chosen, "GPU-a", PARIS, last, last)
    assert not may_finish(chosen, "GPU-a", PARIS, paris("2026-06-03 12:00"), paris("2026-06-03 12:05"))
    strict = availability(NIGHTS, finish_within_minutes=0)
    assert not may_finish(strict, "GPU-a", PARIS, end, end)
    assert finish_by(availability("daily 00:00-24:00"), "GPU-a", PARIS, end) is None


def test_a_short_gap_between_windows_counts_from_its_own_beginning() -> None:
    chosen = availability("daily 10:00-11:00", "daily 11:05-11:06")
    assert finish_by(chosen, "GPU-a", PARIS, paris("2026-06-03 11:02")) == paris("2026-06-03 11:15")
    assert finish_by(chosen, "GPU-a", PARIS, paris("2026-06-03 11:10")) == paris("2026-06-03 11:21")
