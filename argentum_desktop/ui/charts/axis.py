"""Where the lines of a chart's axes stand and what is written beside them. No widget in here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, time, timedelta

_MINUTE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)
_DAY_STEPS = (1, 2, 7, 14, 30, 61, 122)


def value_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values, at most about `most` of them, that enclose `low` and `high`."""
    if high <= low:
        high = low + 1
    step = _round_step((high - low) / max(1, most - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


def decimals_of(ticks: list[float]) -> int:
    """How many decimals are needed to tell neighbouring ticks apart."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1
    return max(0, -math.floor(math.log10(step) + 1e-9))


def time_ticks(start: datetime, end: datetime, most: int) -> list[datetime]:
    """Instants at round local times, at most `most` of them, between two instants."""
    span_minutes = (end - start).total_seconds() / 60
    for step in _MINUTE_STEPS:
        if span_minutes / step <= most:
            return [at for at in _within_days(start, end, step) if start <= at <= end][:most]
    for days in _DAY_STEPS:
        if span_minutes / (days * 1440) <= most:
            break
    return [at for at in _midnights(start, end, days) if start <= at <= end][:most]


def is_midnight(at: datetime) -> bool:
    local = at.astimezone()
    return local.hour == 0 and local.minute == 0


def _round_step(rough: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5):
        if rough <= factor * magnitude * (1 + 1e-9):
            return factor * magnitude
    return 10 * magnitude


def _within_days(start: datetime, end: datetime, step_minutes: int) -> Iterator[datetime]:
    # Counted anew from each local midnight, so that the night the clocks change does not shift the rest of the week.
    for midnight in _midnights(start, end, 1):
        for minutes in range(0, 24 * 60, step_minutes):
            yield datetime.combine(midnight.date(), time(minutes // 60, minutes % 60)).astimezone()


def _midnights(start: datetime, end: datetime, days: int) -> Iterator[datetime]:
    day, last = start.astimezone().date(), end.astimezone().date()
    while day <= last:
        yield datetime.combine(day, time()).astimezone()
        day += timedelta(days=days)
