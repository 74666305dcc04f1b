"""What running a card costs: watts over time at a price that changes. Exact in whole numbers, rounded once."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import PriceSource, Tariff
from argentum_desktop.policy.tariff import mean_price, stretches, weighted_price
from argentum_desktop.policy.words import clock_time

_MJ_PER_KWH = 3_600_000_000
_US_PER_S = 1_000_000
_MW_PER_KW = 1_000_000


def running_cost(tariff: Tariff, zone: ZoneInfo, power_mw: int, start: datetime, end: datetime) -> Money:
    """What it costs to draw `power_mw` all the time from `start` to just before `end`; nothing for no time."""
    one = Money(1, tariff.flat.currency)
    if start >= end:
        return Money.zero(one.currency)
    weighted, _ = weighted_price(tariff, zone, start, end)
    return one.scaled(weighted * power_mw, _MJ_PER_KWH * _US_PER_S)


def cost_per_hour(tariff: Tariff, zone: ZoneInfo, power_mw: int, start: datetime, end: datetime) -> Money:
    """What an hour at `power_mw` costs on average over the time from `start` to `end`."""
    weighted, length_us = weighted_price(tariff, zone, start, end)
    return Money(1, tariff.flat.currency).scaled(weighted * power_mw, length_us * _MW_PER_KW)


def most_per_hour(tariff: Tariff, zone: ZoneInfo, power_mw: int, start: datetime, end: datetime) -> Money:
    """The most that `cost_per_hour` comes to for any end from `start` up to `end`.

    The mean only ever moves towards the price of the stretch it is in, so that it is greatest at one of their ends.
    """
    one = Money(1, tariff.flat.currency)
    found = [cost_per_hour(tariff, zone, power_mw, start, start)]
    weighted = length_us = 0
    for part in stretches(tariff, zone, start, end):
        weighted += part.price.per_kwh.micros * part.length_us
        length_us += part.length_us
        found.append(one.scaled(weighted * power_mw, length_us * _MW_PER_KW))
    return max(found, key=lambda amount: amount.micros)


def energy_cost_between(tariff: Tariff, zone: ZoneInfo, energy_mj: int, start: datetime, end: datetime) -> Money:
    """What `energy_mj` cost when they were taken evenly from `start` to `end`; of no time, at the price then."""
    weighted, length_us = weighted_price(tariff, zone, start, end)
    return Money(1, tariff.flat.currency).scaled(weighted * energy_mj, length_us * _MJ_PER_KWH)


def spread_words(tariff: Tariff, zone: ZoneInfo, start: datetime, end: datetime) -> str:
    """How the price of a job's energy came about, for the owner.

    When in its time a job took its energy is not known, which matters only where the price changed meanwhile.
    """
    parts = list(stretches(tariff, zone, start, end))
    prices = {part.price.per_kwh for part in parts}
    missing = any(part.price.source is PriceSource.BEYOND for part in parts)
    beyond = " Where the day-ahead prices do not reach, your flat price counts." if missing else ""
    if len(prices) < 2:
        return f"At {mean_price(tariff, zone, start, end)}/kWh.{beyond}"
    low, high = min(prices, key=lambda price: price.micros), max(prices, key=lambda price: price.micros)
    begin = clock_time(start, end, zone)
    return (
        f"At {mean_price(tariff, zone, start, end)}/kWh on average ({low} to {high}), "
        f"its energy taken as spread evenly from {begin} to {clock_time(end, end, zone)}.{beyond}"
    )
