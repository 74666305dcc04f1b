"""What the grid emits for the energy of a job, and the two rules about where electricity comes from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import PriceSource, Tariff
from argentum_desktop.policy.tariff import MICROSECOND, next_change, next_with, price_at, stretches
from argentum_desktop.policy.words import clock_time

# The median of rooftop panels over their life: IPCC, Fifth Assessment Report, Working Group III, Annex III, table
# A.III.2 (2014).
SOLAR_MG_PER_KWH = 41_000
_MJ_PER_KWH = 3_600_000_000
_HORIZON = timedelta(days=16)


def intensity_at(grid: GridCarbon, tariff: Tariff, zone: ZoneInfo, at: datetime) -> int:
    """Milligrams of CO₂e for a kilowatt-hour at `at`: the owner's panels in their hours, else the grid."""
    if tariff.solar and price_at(tariff, zone, at).source is PriceSource.SOLAR:
        return SOLAR_MG_PER_KWH
    span = grid.span_at(at)
    return span.mg_per_kwh if span is not None else grid.mg_per_kwh


def carbon_mg(grid: GridCarbon, tariff: Tariff, zone: ZoneInfo, energy_mj: int, start: datetime, end: datetime) -> int:
    """Milligrams of CO₂e for energy taken evenly from `start` to `end`; rounded once, half to even."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:
        weighted, length_us = intensity_at(grid, tariff, zone, start), 1
    else:
        length_us = (end - start) // MICROSECOND
        weighted = sum(mg * ((until - at) // MICROSECOND) for at, until, mg in _levels(grid, tariff, zone, start, end))
    return Money(1, tariff.flat.currency).scaled(weighted * energy_mj, length_us * _MJ_PER_KWH).micros


def _levels(
    grid: GridCarbon, tariff: Tariff, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, int]]:
    """The time cut where the intensity can change."""
    for part in stretches(tariff, zone, start, end):
        if part.price.source is PriceSource.SOLAR or not grid.spans:
            mg = SOLAR_MG_PER_KWH if part.price.source is PriceSource.SOLAR else grid.mg_per_kwh
            yield part.start, part.end, mg
            continue
        at = part.start
        while at < part.end:
            span = grid.span_at(at)
            number = bisect_right(grid.starts, at)
            following = grid.starts[number] if number < len(grid.starts) else part.end
            until = min(part.end, span.end if span is not None else following)
            yield at, until, span.mg_per_kwh if span is not None else grid.mg_per_kwh
            at = until


def carbon_words(grid: GridCarbon, tariff: Tariff, zone: ZoneInfo, start: datetime, end: datetime) -> str:
    """Which figures an emission came from, for the owner."""
    parts = list(stretches(tariff, zone, start, end))
    suns = sum(part.price.source is PriceSource.SOLAR for part in parts)
    sun = f"your own panels at {SOLAR_MG_PER_KWH // 1000} g/kWh"
    if parts and suns == len(parts):
        return f"CO₂e: {sun}."
    return f"CO₂e: {grid.words}, {sun} in their hours." if suns else f"CO₂e: {grid.words}."


def cleaner_than(limit_g: int, grid: GridCarbon, tariff: Tariff, zone: ZoneInfo, now: datetime) -> Verdict:
    """The owner's "only when the grid is cleaner than…"."""
    rule = "clean_grid"
    mg = intensity_at(grid, tariff, zone, now)
    if mg < limit_g * 1000:
        return Verdict(rule, True, f"{mg / 1000:.0f} g/kWh, below {limit_g}")
    reason = f"Your electricity comes with {mg / 1000:.0f} g of CO₂e per kWh; jobs are to run below {limit_g} g."
    return Verdict(rule, False, reason, *_cleaner_change(limit_g, grid, tariff, zone, now, mg))


def _cleaner_change(
    limit_g: int, grid: GridCarbon, tariff: Tariff, zone: ZoneInfo, now: datetime, mg: int
) -> tuple[str, Change]:
    known_until = now
    if grid.spans or tariff.solar:
        known_until = max([now, *(span.end for span in grid.spans[-1:])]) + _HORIZON
    levels = _levels(grid, tariff, zone, now.astimezone(UTC), known_until)
    at = next((at for at, _, level in levels if level < limit_g * 1000), None)
    if at is not None:
        words = f"Cleaner from {clock_time(at, now, zone)}."
        return words, Change(ChangeKind.TIME, words, at=at)
    enough = mg // 1000 + 1
    words = f"Set energy.cleaner_than_g_per_kwh to {enough}."
    return words, Change(ChangeKind.SETTING, words, "energy.cleaner_than_g_per_kwh", value=str(enough))


def only_on_solar(tariff: Tariff, zone: ZoneInfo, now: datetime) -> Verdict:
    """The owner's "only on my solar hours"."""
    rule = "solar"
    if price_at(tariff, zone, now).source is PriceSource.SOLAR:
        change = next_change(tariff, zone, now)
        return Verdict(rule, True, f"until {clock_time(change[0], now, zone)}" if change else "solar hours")
    at = next_with(tariff, zone, now, PriceSource.SOLAR)
    if at is None:
        remedy = "Name them in prices.solar_hours, or clear prices.only_on_solar."
        reason = "Jobs are to run on your solar power alone, and you named no solar hours."
        return Verdict(
            rule, False, reason, remedy, Change(ChangeKind.SETTING, remedy, "prices.only_on_solar", value="false")
        )
    words = f"Your solar hours begin {clock_time(at, now, zone)}."
    return Verdict(rule, False, "It is outside your solar hours.", words, Change(ChangeKind.TIME, words, at=at))
