"""The price of electricity against an oracle that looks at the wall clock every second and adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from samples import NOON, eur

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import Price, PriceSource, PriceSpan, Tariff, TariffLine
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.electricity import (
    cost_per_hour,
    energy_cost_between,
    most_per_hour,
    running_cost,
    spread_words,
)
from argentum_desktop.policy.tariff import (
    clock_jump,
    mean_price,
    next_change,
    next_with,
    own_tariff,
    price_at,
    price_words,
    stretches,
)
from argentum_desktop.settings.schema import Prices

PARIS = ZoneInfo("Europe/Paris")
ZONES = [PARIS, *map(ZoneInfo, ("Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "Asia/Kathmandu", "UTC"))]
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
MJ_PER_KWH = 3_600_000_000


def window_says(window: WeeklyWindow, wall: datetime) -> bool:
    minute, day = wall.hour * 60 + wall.minute, wall.weekday()
    if window.end_minute > window.start_minute:
        return day in window.days and window.start_minute <= minute < window.end_minute
    return (day in window.days and minute >= window.start_minute) or (
        (day - 1) % 7 in window.days and minute < window.end_minute
    )


def price_by_the_wall(tariff: Tariff, zone: ZoneInfo, at: datetime) -> Price:
    """What somebody with a clock on the wall, the contract and today's prices in his hand would say."""
    wall = at.astimezone(zone)
    for window in tariff.solar:
        if window_says(window, wall):
            return Price(tariff.feed_in or Money(0, "EUR"), PriceSource.SOLAR)
    for span in tariff.spans:
        if span.start <= at < span.end:
            return Price(span.per_kwh, PriceSource.DAY_AHEAD)
    for line in tariff.lines:
        if window_says(line.window, wall):
            return Price(Money(int(line.per_kwh * 1_000_000), "EUR"), PriceSource.WEEK)
    return Price(tariff.flat, PriceSource.BEYOND if tariff.spans else PriceSource.FLAT)


def half_even(exact: Fraction) -> int:
    return round(exact)  # a Fraction is rounded half to even


def cost_by_the_wall(
    tariff: Tariff, zone: ZoneInfo, power_mw: int, start: datetime, count: int, step: timedelta = SECOND
) -> int:
    micros = sum(price_by_the_wall(tariff, zone, start + number * step).per_kwh.micros for number in range(count))
    return half_even(Fraction(micros * power_mw * int(step.total_seconds()), MJ_PER_KWH))


MICROS = st.integers(-500_000, 2_000_000)
POWERS = st.integers(0, 700_000)
WINDOWS = st.builds(
    lambda days, start, length: WeeklyWindow(frozenset(days), start, (start + length) % 1440 or 1440),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1439),
)
# Near the jumps of the clock as well as anywhere.
INSTANTS = st.one_of(
    st.builds(lambda at, minutes: at + minutes * MINUTE, st.sampled_from([SPRING, AUTUMN]), st.integers(-200, 200)),
    st.builds(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + minutes * MINUTE, st.integers(0, 7 * 365 * 1440)),
)


@st.composite
def tariffs(draw: st.DrawFn, around: datetime = NOON) -> Tariff:
    lines: list[TariffLine] = []
    for window in draw(st.lists(WINDOWS, max_size=3)):
        price = Decimal(draw(st.integers(0, 2_000_000))).scaleb(-6)
        try:
            Tariff(eur("0"), (*lines, TariffLine(window, price)))
        except ValueError:
            continue
        lines.append(TariffLine(window, price))
    at = around + draw(st.integers(-600, 100)) * MINUTE
    spans = []
    for length, gap, micros in draw(st.lists(st.tuples(st.integers(1, 90), st.sampled_from([0, 0, 7]), MICROS))):
        at += gap * MINUTE
        spans.append(PriceSpan(at, at + length * MINUTE, Money(micros, "EUR")))
        at += length * MINUTE
    solar = tuple(draw(st.lists(WINDOWS, max_size=2)))
    feed_in = Money(draw(st.integers(0, 200_000)), "EUR")
    return Tariff(Money(draw(MICROS), "EUR"), tuple(lines), tuple(spans), solar, feed_in)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tariff, ZoneInfo, datetime]:
    at = draw(INSTANTS)
    return draw(tariffs(at)), draw(st.sampled_from(ZONES)), at


@settings(max_examples=40, deadline=None)
@given(cases(), POWERS, st.integers(0, 59), st.integers(0, 4000))
def test_every_second_added_up(case: tuple[Tariff, ZoneInfo, datetime], power_mw: int, second: int, count: int) -> None:
    tariff, zone, at = case
    start = at + second * SECOND
    found = running_cost(tariff, zone, power_mw, start, start + count * SECOND)
    assert found.micros == cost_by_the_wall(tariff, zone, power_mw, start, count)


@settings(max_examples=60, deadline=None)
@given(cases(), POWERS, st.integers(0, 3000))
def test_every_minute_of_two_days_added_up(case: tuple[Tariff, ZoneInfo, datetime], power_mw: int, count: int) -> None:
    """Prices change at whole minutes, so that for a start at one of them a minute is as good as sixty seconds."""
    tariff, zone, start = case
    found = running_cost(tariff, zone, power_mw, start, start + count * MINUTE)
    assert found.micros == cost_by_the_wall(tariff, zone, power_mw, start, count, MINUTE)


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 59_999_999))
def test_the_price_now_and_its_next_change(case: tuple[Tariff, ZoneInfo, datetime], into_us: int) -> None:
    tariff, zone, at = case
    now = at + timedelta(microseconds=into_us)
    assert price_at(tariff, zone, now) == price_by_the_wall(tariff, zone, now)
    assert price_at(tariff, zone, now.astimezone(zone)) == price_by_the_wall(tariff, zone, now)
    change = next_change(tariff, zone, now)
    price = price_by_the_wall(tariff, zone, now).per_kwh
    last = change[0] if change is not None else at + timedelta(days=2)
    for number in range(1, min(4000, int((last - at) / MINUTE) + 1)):
        moment = at + number * MINUTE
        if moment < last:
            assert price_by_the_wall(tariff, zone, moment).per_kwh == price
    if change is not None:
        assert price_by_the_wall(tariff, zone, change[0]) == change[1]
        assert change[1].per_kwh != price
        assert price_by_the_wall(tariff, zone, change[0] - timedelta(microseconds=1)).per_kwh == price


@settings(max_examples=100, deadline=None)
@given(cases(), st.integers(1, 3000))
def test_the_stretches_cover_the_time_without_a_gap(case: tuple[Tariff, ZoneInfo, datetime], count: int) -> None:
    tariff, zone, start = case
    parts = list(stretches(tariff, zone, start, start + count * MINUTE))
    assert parts[0].start == start
    assert parts[-1].end == start + count * MINUTE
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert all(part.length_us > 0 for part in parts)


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(1, 10**12), st.integers(1, 2000), POWERS)
def test_energy_and_means_are_exact_and_rounded_once(
    case: tuple[Tariff, ZoneInfo, datetime], energy_mj: int, count: int, power_mw: int
) -> None:
    tariff, zone, start = case
    end = start + count * MINUTE
    micros = [price_by_the_wall(tariff, zone, start + number * MINUTE).per_kwh.micros for number in range(count)]
    mean = Fraction(sum(micros), count)
    assert mean_price(tariff, zone, start, end).micros == half_even(mean)
    assert cost_per_hour(tariff, zone, power_mw, start, end).micros == half_even(mean * power_mw / 1_000_000)
    paid = energy_cost_between(tariff, zone, energy_mj, start, end)
    assert paid.micros == half_even(mean * energy_mj / MJ_PER_KWH)
    assert mean_price(tariff, zone, start.astimezone(zone), end.astimezone(zone)).micros == half_even(mean)


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(1, 1000), POWERS)
def test_the_dearest_of_all_lengths(case: tuple[Tariff, ZoneInfo, datetime], count: int, power_mw: int) -> None:
    tariff, zone, start = case
    sums, means = 0, []
    for number in range(count):
        sums += price_by_the_wall(tariff, zone, start + number * MINUTE).per_kwh.micros
        means.append(half_even(Fraction(sums * power_mw, (number + 1) * 1_000_000)))
    assert most_per_hour(tariff, zone, power_mw, start, start + count * MINUTE).micros == max(means)


def night() -> Tariff:
    return own_tariff(Prices(tariff=(TariffLine.parse("daily 00:00-06:00 0.20"),)))


@pytest.mark.parametrize(
    ("start", "hours"),
    [(datetime(2026, 3, 28, 23, tzinfo=UTC), 5), (datetime(2026, 10, 24, 22, tzinfo=UTC), 7)],
    ids=["the short night", "the long night"],
)
def test_a_night_when_the_clock_jumps_is_paid_by_its_real_hours(start: datetime, hours: int) -> None:
    """Midnight to six is five hours in March and seven in October, each at the price of the night."""
    change = next_change(night(), PARIS, start)
    assert change == (start + hours * HOUR, Price(eur("0.30"), PriceSource.FLAT))
    # A kilowatt all that time, then an hour of the day.
    cost = running_cost(night(), PARIS, 1_000_000, start, start + (hours + 1) * HOUR)
    assert cost == Money(hours * 200_000 + 300_000, "EUR")


def test_a_price_in_an_hour_that_the_clock_skips_is_never_asked() -> None:
    skipped = own_tariff(Prices(tariff=(TariffLine.parse("sun 02:00-03:00 5.00"),)))
    day = SPRING - 12 * HOUR
    assert running_cost(skipped, PARIS, 1_000_000, day, day + 24 * HOUR) == eur("7.20")
    twice = AUTUMN - 12 * HOUR  # and one that it shows twice is asked twice
    assert running_cost(skipped, PARIS, 1_000_000, twice, twice + 24 * HOUR) == eur("16.60")


@pytest.mark.parametrize("jump", [SPRING, AUTUMN])
def test_when_the_clock_jumps(jump: datetime) -> None:
    assert clock_jump(jump - 5 * HOUR, jump + 3 * HOUR, PARIS) == jump


def test_nothing_is_paid_for_no_time() -> None:
    assert running_cost(night(), PARIS, 1_000_000, NOON, NOON) == eur("0")
    assert running_cost(night(), PARIS, 1_000_000, NOON, NOON - HOUR) == eur("0")
    assert energy_cost_between(night(), PARIS, MJ_PER_KWH, NOON, NOON) == eur("0.30")


@example([1, 3])
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_half_a_millionth_goes_to_the_even_one(millionths: Sequence[int]) -> None:
    """An hour at each of these prices, half a kilowatt: the sum is rounded once and not hour by hour."""
    spans = tuple(
        PriceSpan(NOON + number * HOUR, NOON + (number + 1) * HOUR, Money(micros, "EUR"))
        for number, micros in enumerate(millionths)
    )
    found = running_cost(Tariff(eur("0"), spans=spans), PARIS, 500_000, NOON, NOON + len(millionths) * HOUR)
    assert found.micros == half_even(Fraction(sum(millionths), 2))


def test_what_comes_first_where_several_parts_know_a_price() -> None:
    lines = (TariffLine.parse("daily 00:00-24:00 0.25"),)
    spans = (PriceSpan(NOON, NOON + 3 * HOUR, eur("-0.02")),)
    solar = (WeeklyWindow.parse("daily 14:00-15:00"),)  # 13:00 UTC in the winter of Paris
    tariff = Tariff(eur("0.30"), lines, spans, solar, eur("0.07"))
    assert price_at(tariff, PARIS, NOON - HOUR) == Price(eur("0.25"), PriceSource.WEEK)
    assert price_at(tariff, PARIS, NOON) == Price(eur("-0.02"), PriceSource.DAY_AHEAD)
    assert price_at(tariff, PARIS, NOON + HOUR) == Price(eur("0.07"), PriceSource.SOLAR)
    assert price_at(tariff, PARIS, NOON + 3 * HOUR) == Price(eur("0.25"), PriceSource.WEEK)
    assert next_with(tariff, PARIS, NOON, PriceSource.SOLAR) == NOON + HOUR
    assert tariff.known_until == NOON + 3 * HOUR
    beyond = Tariff(eur("0.30"), spans=spans)
    assert price_at(beyond, PARIS, NOON + 3 * HOUR) == Price(eur("0.30"), PriceSource.BEYOND)
    assert next_with(beyond, PARIS, NOON, PriceSource.SOLAR) is None
    words = price_words(beyond, PARIS, NOON + 4 * HOUR)
    assert words == "0.30 EUR/kWh (your flat price, for the day-ahead prices do not reach here)"


def test_the_words_about_a_price() -> None:
    at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert price_words(night(), PARIS, at) == "0.20 EUR/kWh (time of use), 0.30 EUR/kWh from 06:00"
    assert spread_words(night(), PARIS, at, at + HOUR) == "At 0.20 EUR/kWh."
    mixed = spread_words(night(), PARIS, at + 3 * HOUR, at + 5 * HOUR)
    spread = "its energy taken as spread evenly from 05:00 to 07:00."
    assert mixed == f"At 0.25 EUR/kWh on average (0.20 EUR to 0.30 EUR), {spread}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mon-fri 0.18", "is not a window"),
        ("0.18", "is no line of a tariff"),
        ("mon-fri 22:00-06:00", "is no line of a tariff"),
        ("mon-fri 22:00-06:00 -0.18", "has a price below zero"),
        ("mon-fri 22:00-06:00 0,18", "has a price that is none"),
        ("mon-fri 22:00-06:00 0.1234567", "has a price that is none"),
        ("mon-fri 22:00-06:00 999999", "has a price that is none"),
        ("mon-fri 22:00-22:00 0.18", "ends when it begins"),
        ("xyz 22:00-23:00 0.18", "names a day that is none"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_with_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TariffLine.parse(text)


@given(WINDOWS, st.integers(0, 10**9))
def test_a_line_reads_what_it_writes(window: WeeklyWindow, micros: int) -> None:
    line = TariffLine(window, Decimal(micros).scaleb(-6))
    assert TariffLine.parse(str(line)) == line


def test_an_hour_with_two_prices_is_refused() -> None:
    lines = (TariffLine.parse("mon-fri 22:00-06:00 0.18"), TariffLine.parse("sat 05:00-07:00 0.20"))
    with pytest.raises(ValueError, match="both give a price for the same hours"):
        Tariff(eur("0.30"), lines)
    same = Tariff(eur("0.30"), (lines[0], TariffLine.parse("sat 05:00-07:00 0.18")))
    assert price_at(same, PARIS, datetime(2026, 3, 7, 5, 30, tzinfo=UTC)).per_kwh == eur("0.18")
    with pytest.raises(ValueError, match="one currency"):
        Tariff(eur("0.30"), feed_in=Money(1, "CHF"))
    spans = (PriceSpan(NOON, NOON + HOUR, eur("1")), PriceSpan(NOON, NOON + HOUR, eur("1")))
    with pytest.raises(ValueError, match="without overlaps"):
        Tariff(eur("0.30"), spans=spans)
