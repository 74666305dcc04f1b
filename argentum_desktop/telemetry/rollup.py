"""Readings made small: minutes, hours and days out of them, and the energy between two instants. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from argentum_desktop.domain.reading import EnergySource, Reading
from argentum_desktop.domain.summary import Span, Summary

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400

# Readings come each second. Power is taken to run straight between two of them only as long as this.
LONGEST_BRIDGE_S = 5.0
# A counter that rises faster than any card draws was set anew and not counted up.
_MOST_POWER_MW = 5_000_000


@dataclass(frozen=True)
class EnergyUsed:
    """What a card took between its first and its last reading.

    Attributes:
        covered_s: the part of that time the figure stands for; the rest are gaps, for which nothing is assumed.
    """

    energy_mj: int
    source: EnergySource
    covered_s: float


def summarise(readings: int, columns: Mapping[str, Sequence[int | None]]) -> Span:
    """What so many readings come to, of which each metric has a column; None where a reading lacks it."""
    metrics = {}
    for name, column in columns.items():
        values = [value for value in column if value is not None]
        if values:
            metrics[name] = Summary(len(values), min(values), sum(values), max(values))
    return Span(readings, metrics)


def combine(spans: Iterable[Span]) -> Span:
    """What these come to together, each reading weighing the same."""
    parts: dict[str, list[Summary]] = {}
    readings = 0
    for span in spans:
        readings += span.readings
        for name, summary in span.metrics.items():
            parts.setdefault(name, []).append(summary)
    return Span(readings, {name: _together(summaries) for name, summaries in parts.items()})


def settled(kept: Mapping[int, Span], made: Mapping[int, Span]) -> dict[int, Span]:
    """Summaries brought up to date: of two for the same span the one of more readings stands, of equals the new one.

    Readings only ever join a span, so a new summary of fewer was made after the readings behind the old were forgotten
    (a clock set far back), and knows less.
    """
    result = dict(kept)
    for at, span in made.items():
        if at not in result or span.readings >= result[at].readings:
            result[at] = span
    return result


def integrate_energy(readings: Iterable[Reading]) -> EnergyUsed | None:
    """Energy of one card between its first and last reading: by its counter, else from its power.

    A counter runs on through gaps, so its differences are right over any time. Where it was set back (the driver was
    loaded anew) or is not the card's own, the power is integrated, and gaps of more than `LONGEST_BRIDGE_S` count for
    nothing.

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


def _together(parts: Sequence[Summary]) -> Summary:
    counts, lows, totals, highs = zip(*parts, strict=True)
    return Summary(sum(counts), min(lows), sum(totals), max(highs))


def _counter_mj(reading: Reading) -> int | None:
    """What the card itself counted; what was added up from its power knows nothing of the gaps."""
    return reading.energy_mj if reading.energy_source is EnergySource.COUNTER else None


def _parts(row: Sequence[Reading]) -> list[tuple[Sequence[Reading], int | None]]:
    """Cut at the readings that have a counter; each part comes with what the counter says about it, if it can be right.

    Neighbouring parts share their end, so that together they cover all of the time.
    """
    cuts = [index for index, reading in enumerate(row) if _counter_mj(reading) is not None]
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
    first_mj, last_mj = _counter_mj(first), _counter_mj(last)
    if first_mj is None or last_mj is None:
        return None
    difference = last_mj - first_mj
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
