"""Readings made small: one row a minute, one an hour, and the energy between two instants. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from argentum_desktop.domain.reading import METRIC_NAMES, EnergySource, Reading

MINUTE_S = 60
HOUR_S = 3600

# Readings come each second. Power is taken to run straight between two of them only as long as this.
LONGEST_BRIDGE_S = 5.0
# A counter that rises faster than any card draws was set anew and not counted up.
_MOST_POWER_MW = 5_000_000


@dataclass(frozen=True)
class MetricSummary:
    """One metric over one span: how many readings had it, their lowest, mean and highest."""

    n: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Bucket:
    """One card over one span. A metric that no reading had is not in `metrics`; a span without readings is no bucket.

    Attributes:
        start_epoch_s: when the span begins, in seconds since 1970 UTC; a multiple of `span_s`.
    """

    gpu_id: str
    start_epoch_s: int
    span_s: int
    metrics: Mapping[str, MetricSummary]


@dataclass(frozen=True)
class EnergyUsed:
    """What a card took between its first and its last reading.

    Attributes:
        covered_s: the part of that time the figure stands for; the rest are gaps, for which nothing is assumed.
    """

    energy_mj: int
    source: EnergySource
    covered_s: float


def roll_up(readings: Iterable[Reading], span_s: int = MINUTE_S) -> tuple[Bucket, ...]:
    """Summarise raw readings, in any order, by card and span; a reading given twice counts once."""
    groups: dict[tuple[int, str], list[Reading]] = {}
    for reading in _without_repeats(readings):
        start = int(reading.taken_at.timestamp() // span_s) * span_s
        groups.setdefault((start, reading.gpu_id), []).append(reading)
    return tuple(Bucket(gpu_id, start, span_s, _summarise(group)) for (start, gpu_id), group in sorted(groups.items()))


def merge(buckets: Iterable[Bucket], span_s: int = HOUR_S) -> tuple[Bucket, ...]:
    """Summarise short spans into longer ones, each reading weighing the same; a bucket given twice counts once.

    Raises:
        ValueError: the longer span is no multiple of a shorter one.
    """
    unique = {(bucket.gpu_id, bucket.start_epoch_s, bucket.span_s): bucket for bucket in buckets}
    groups: dict[tuple[int, str], list[Bucket]] = {}
    for _, bucket in sorted(unique.items()):
        if span_s % bucket.span_s:
            raise ValueError(f"spans of {bucket.span_s} s do not fill one of {span_s} s")
        groups.setdefault((bucket.start_epoch_s // span_s * span_s, bucket.gpu_id), []).append(bucket)
    return tuple(Bucket(gpu_id, start, span_s, _combine(group)) for (start, gpu_id), group in sorted(groups.items()))


def integrate_energy(readings: Iterable[Reading]) -> EnergyUsed | None:
    """Energy of one card between its first and last reading: by its counter, else from its power.

    A counter runs on through gaps, so its differences are right over any time. Where it was set back (the driver was
    loaded anew) or is not there, the power is integrated, and gaps of more than `LONGEST_BRIDGE_S` count for nothing.

    Returns:
        None when not even one span of time is covered.

    Raises:
        ValueError: the readings are of more than one card.
    """
    row = _without_repeats(readings)
    if len({reading.gpu_id for reading in row}) > 1:
        raise ValueError("energy is integrated for one card at a time")
    counted: list[tuple[float, float]] = []
    integrated: list[tuple[float, float]] = []
    for part, energy_mj in _parts(row):
        if energy_mj is not None:
            counted.append((energy_mj, _seconds(part[0], part[-1])))
        else:
            integrated.extend(_trapezoids(part))
    spans = counted + integrated
    if not spans:
        return None
    source = EnergySource.MIXED if counted and integrated else None
    source = source or (EnergySource.COUNTER if counted else EnergySource.INTEGRATED)
    return EnergyUsed(round(math.fsum(mj for mj, _ in spans)), source, math.fsum(span for _, span in spans))


def _without_repeats(readings: Iterable[Reading]) -> list[Reading]:
    """In order of time, then card; of two for the same card and instant, the later given."""
    unique = {(reading.taken_at, reading.gpu_id): reading for reading in readings}
    return [unique[key] for key in sorted(unique)]


def _summarise(readings: Sequence[Reading]) -> dict[str, MetricSummary]:
    metrics = {}
    for name in METRIC_NAMES:
        values = [value for reading in readings if (value := getattr(reading, name)) is not None]
        if values:
            metrics[name] = MetricSummary(len(values), min(values), sum(values) / len(values), max(values))
    return metrics


def _combine(buckets: Sequence[Bucket]) -> dict[str, MetricSummary]:
    metrics = {}
    for name in METRIC_NAMES:
        parts = [bucket.metrics[name] for bucket in buckets if name in bucket.metrics]
        if parts:
            n = sum(part.n for part in parts)
            mean = math.fsum(part.mean * part.n for part in parts) / n
            metrics[name] = MetricSummary(n, min(part.low for part in parts), mean, max(part.high for part in parts))
    return metrics


def _parts(row: Sequence[Reading]) -> list[tuple[Sequence[Reading], int | None]]:
    """Cut at the readings that have a counter; each part comes with what the counter says about it, if it can be right.

    Neighbouring parts share their end, so that together they cover all of the time.
    """
    cuts = [index for index, reading in enumerate(row) if reading.energy_mj is not None]
    parts: list[tuple[Sequence[Reading], int | None]] = []
    for start, end in pairwise(sorted({0, *cuts, max(0, len(row) - 1)})):
        part = row[start : end + 1]
        parts.append((part, _counted_mj(part[0], part[-1])))
    # Parts without a counter between them belong together, lest a power value at their seam be needed and missing.
    joined: list[tuple[Sequence[Reading], int | None]] = []
    for is_counted, group in groupby(parts, key=lambda part: part[1] is not None):
        together = list(group)
        if is_counted:
            joined.extend(together)
        else:
            joined.append(([*together[0][0], *(reading for part, _ in together[1:] for reading in part[1:])], None))
    return joined


def _counted_mj(first: Reading, last: Reading) -> int | None:
    if first.energy_mj is None or last.energy_mj is None:
        return None
    difference = last.energy_mj - first.energy_mj
    # Two seconds more than the readings are apart: the counter itself moves in steps.
    return difference if 0 <= difference <= _MOST_POWER_MW * (_seconds(first, last) + 2) else None


def _trapezoids(row: Sequence[Reading]) -> list[tuple[float, float]]:
    """Millijoules and seconds between each two neighbours that have a power and are close enough."""
    spans = []
    for first, last in pairwise([reading for reading in row if reading.power_mw is not None]):
        span_s = _seconds(first, last)
        if first.power_mw is not None and last.power_mw is not None and span_s <= LONGEST_BRIDGE_S:
            spans.append(((first.power_mw + last.power_mw) / 2 * span_s, span_s))
    return spans


def _seconds(first: Reading, last: Reading) -> float:
    return (last.taken_at - first.taken_at).total_seconds()
