"""The price of electricity over time: at an instant, its next change, its stretches, its mean.

A line of the week holds exactly while the owner's wall clock shows a time of it, as the windows do: an hour that the
clock skips costs nothing, one that it shows twice is paid twice at its price. Day-ahead prices are instants and know
nothing of clocks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import MINUTES_PER_WEEK, Price, PriceSource, PriceSpan, Tariff
from argentum_desktop.policy.words import clock_time
from argentum_desktop.settings.schema import Prices

MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
# No zone changes its clock twice within this.
_STEP = timedelta(days=1)
# A weekly price may be skipped by a jump of the clock, and is then there a week later.
_HORIZON = timedelta(days=16)


@dataclass(frozen=True)
class Stretch:
    """A time during which the price does not change; neighbours may cost the same."""

    start: datetime
    end: datetime
    price: Price

    @property
    def length_us(self) -> int:
        return (self.end - self.start) // MICROSECOND


def price_at(tariff: Tariff, zone: ZoneInfo, at: datetime) -> Price:
    """What a kilowatt-hour costs at `at` (aware)."""
    at = at.astimezone(UTC)
    return _stretch_at(tariff, zone, at, at + MICROSECOND).price


def stretches(tariff: Tariff, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Stretch]:
    """The time from `start` to just before `end`, without a gap; nothing where there is no such time."""
    at, end = start.astimezone(UTC), end.astimezone(UTC)
    while at < end:
        stretch = _stretch_at(tariff, zone, at, end)
        yield stretch
        at = stretch.end


def mean_price(tariff: Tariff, zone: ZoneInfo, start: datetime, end: datetime) -> Money:
    """Per kilowatt-hour, of energy taken evenly from `start` to `end`; of no time, the price at its start."""
    weighted, length_us = weighted_price(tariff, zone, start, end)
    return Money(1, tariff.flat.currency).scaled(weighted, length_us)


def weighted_price(tariff: Tariff, zone: ZoneInfo, start: datetime, end: datetime) -> tuple[int, int]:
    """The mean price as an exact fraction: millionths times microseconds, and microseconds."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)  # else a difference would be the clock's on the wall
    if start >= end:
        return price_at(tariff, zone, start).per_kwh.micros, 1
    length_us = (end - start) // MICROSECOND
    if tariff.is_flat:
        return tariff.flat.micros * length_us, length_us
    return sum(part.price.per_kwh.micros * part.length_us for part in stretches(tariff, zone, start, end)), length_us


def next_change(tariff: Tariff, zone: ZoneInfo, at: datetime) -> tuple[datetime, Price] | None:
    """When a kilowatt-hour next costs something else, and what; None when that is never, or not known."""
    if tariff.is_flat:
        return None
    horizon = max(at, tariff.known_until or at) + _HORIZON
    now: Price | None = None
    for part in stretches(tariff, zone, at, horizon):
        if now is not None and part.price.per_kwh != now.per_kwh:
            return part.start, part.price
        now = now or part.price
    return None


def next_with(tariff: Tariff, zone: ZoneInfo, at: datetime, source: PriceSource) -> datetime | None:
    """The first instant from `at` on at which this part of the tariff says the price; None when it never does."""
    horizon = max(at, tariff.known_until or at) + _HORIZON
    return next((part.start for part in stretches(tariff, zone, at, horizon) if part.price.source is source), None)


def price_words(tariff: Tariff, zone: ZoneInfo, at: datetime) -> str:
    """`0.18 EUR/kWh (time of use), 0.30 EUR/kWh from 06:00`."""
    now, change = price_at(tariff, zone, at), next_change(tariff, zone, at)
    words = f"{now.per_kwh}/kWh ({SOURCE_WORDS[now.source]})"
    return words if change is None else f"{words}, {change[1].per_kwh}/kWh from {clock_time(change[0], at, zone)}"


SOURCE_WORDS = {
    PriceSource.FLAT: "your flat price",
    PriceSource.WEEK: "time of use",
    PriceSource.DAY_AHEAD: "day-ahead",
    PriceSource.SOLAR: "own solar power",
    PriceSource.BEYOND: "your flat price, for the day-ahead prices do not reach here",
}


def own_tariff(prices: Prices, spans: tuple[PriceSpan, ...] = ()) -> Tariff:
    """What the settings say, with the day-ahead prices of the owner's file where there is one."""
    feed_in, at_the_meter = prices.money(prices.feed_in_per_kwh), spans
    if prices.tariff_surcharge_per_kwh or prices.tariff_tax_percent:
        at_the_meter = tuple(replace(span, per_kwh=_at_the_meter(span.per_kwh, prices)) for span in spans)
    return Tariff(prices.electricity, prices.tariff, at_the_meter, prices.solar_hours, feed_in)


def _at_the_meter(traded: Money, prices: Prices) -> Money:
    """What its owner pays for what was traded at this price."""
    surcharge = prices.money(prices.tariff_surcharge_per_kwh)
    return (traded + surcharge).scaled(int((100 + prices.tariff_tax_percent) * 10_000), 1_000_000)


def _stretch_at(tariff: Tariff, zone: ZoneInfo, at: datetime, end: datetime) -> Stretch:
    """From `at` to the next instant at which something can change, `end` at the latest."""
    price, until = _week_price(tariff, zone, at, end)
    if price.source is not PriceSource.SOLAR and tariff.spans:
        number = bisect_right(tariff.starts, at)
        span = tariff.spans[number - 1] if number else None
        if span is not None and at < span.end:
            return Stretch(at, min(until, span.end), Price(span.per_kwh, PriceSource.DAY_AHEAD))
        if number < len(tariff.spans):
            until = min(until, tariff.spans[number].start)
        if price.source is PriceSource.FLAT:
            price = Price(price.per_kwh, PriceSource.BEYOND)
    return Stretch(at, until, price)


def _week_price(tariff: Tariff, zone: ZoneInfo, at: datetime, end: datetime) -> tuple[Price, datetime]:
    """What the owner's week says at `at`, and until when it certainly goes on saying that."""
    if len(tariff.week) == 1:
        return tariff.week[0][1], end
    local = at.astimezone(zone)
    minute = (local.weekday() * 24 + local.hour) * 60 + local.minute
    number = bisect_right(tariff.week_starts, minute)
    edge = tariff.week_starts[number] if number < len(tariff.week) else MINUTES_PER_WEEK
    into_minute = timedelta(seconds=local.second, microseconds=local.microsecond)
    until = min(end, at + min(_STEP, (edge - minute) * _MINUTE - into_minute))
    if until.astimezone(zone).utcoffset() != local.utcoffset():
        until = clock_jump(at, until, zone)
    return tariff.week[number - 1][1], until


def clock_jump(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `start`, `end` at the latest, from which on the clock is set as it is at `end`."""
    before = start.astimezone(zone).utcoffset()
    low, high = 0, (end - start) // MICROSECOND
    while high - low > 1:
        middle = (low + high) // 2
        if (start + middle * MICROSECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return start + high * MICROSECOND
