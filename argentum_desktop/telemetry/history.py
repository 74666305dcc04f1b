"""What the cards did, from the last seconds to years ago.

Raw readings stay for two days, summaries of a minute for ninety, summaries of an hour for ever. A batch and every
summary it touches are written in one transaction, and the summaries are always made anew from the rows below them: a
batch that comes twice, or a crash at any point, leaves neither a gap nor a double count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any

from argentum_desktop.domain.gpu import METRICS, Reading
from argentum_desktop.store import readings as rows
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.rollup import HOUR_S, MINUTE_S, Bucket, MetricSummary, merge, roll_up

SECONDS_KEPT_S = 48 * HOUR_S
MINUTES_KEPT_S = 90 * 24 * HOUR_S
# Old rows go in small portions with each batch, so that no single transaction is long.
FORGOTTEN_AT_ONCE = 2000

# The finest rows that still make a picture of a span: raw up to an hour, minutes up to a week.
_LONGEST_FOR_SECONDS_S = HOUR_S
_LONGEST_FOR_MINUTES_S = 7 * 24 * HOUR_S


@dataclass(frozen=True)
class Point:
    """One metric over one span that begins at `at`: its lowest, mean and highest value, in the metric's unit."""

    at: datetime
    span_s: int
    low: float
    mean: float
    high: float


class History:
    """The readings on disk, and the last minute that is not there yet.

    Args:
        recent: the readings of one card still in memory, oldest first.
    """

    def __init__(self, database: Database, recent: Callable[[str], Sequence[Reading]]) -> None:
        self._database = database
        self._recent = recent

    async def append(self, readings: Sequence[Reading]) -> None:
        """Keep a batch.

        Raises:
            StoreError: nothing of it was kept.
        """
        if readings:
            await self._database.write(lambda connection: _append(connection, readings))

    async def series(self, gpu_id: str, metric: str, start: datetime, end: datetime, points: int) -> list[Point]:
        """At most `points` points, oldest first; no point where nothing was recorded."""
        first, last = math.floor(start.timestamp()), math.ceil(end.timestamp())
        table, span_s = _resolution((end - start).total_seconds())
        found = await self._database.read(lambda c: rows.get_metric(c, table, gpu_id, metric, first, last))
        found = _with_recent(found, span_s, self._recent(gpu_id), metric, last)
        step_s = max(span_s, math.ceil((last - first) / max(1, points) / span_s) * span_s)
        return _binned(found, step_s)


def _append(connection: Connection, readings: Sequence[Reading]) -> None:
    rows.put_seconds(connection, ((_second(reading), reading.gpu_id, _values(reading)) for reading in readings))
    seconds = [_second(reading) for reading in readings]
    minute_start, minute_end = min(seconds) // MINUTE_S * MINUTE_S, max(seconds) // MINUTE_S * MINUTE_S + MINUTE_S
    raw = [_reading(*row) for row in rows.get_seconds(connection, minute_start, minute_end)]
    rows.put_summaries(connection, rows.MINUTES, map(_row, roll_up(raw, MINUTE_S)))
    hour_start, hour_end = minute_start // HOUR_S * HOUR_S, (minute_end - 1) // HOUR_S * HOUR_S + HOUR_S
    minutes = [_bucket(row, MINUTE_S) for row in rows.get_summaries(connection, rows.MINUTES, hour_start, hour_end)]
    rows.put_summaries(connection, rows.HOURS, map(_row, merge(minutes, HOUR_S)))
    newest = max(seconds)
    rows.forget_before(connection, rows.SECONDS, newest - SECONDS_KEPT_S, FORGOTTEN_AT_ONCE)
    rows.forget_before(connection, rows.MINUTES, newest - MINUTES_KEPT_S, FORGOTTEN_AT_ONCE)


def _resolution(span_s: float) -> tuple[str, int]:
    if span_s <= _LONGEST_FOR_SECONDS_S:
        return rows.SECONDS, 1
    if span_s <= _LONGEST_FOR_MINUTES_S:
        return rows.MINUTES, MINUTE_S
    return rows.HOURS, HOUR_S


Sample = tuple[int, int, float, float, float]


def _with_recent(
    found: Sequence[Sample], span_s: int, recent: Sequence[Reading], metric: str, last: int
) -> list[Sample]:
    """Add what is still in memory and newer than everything on disk."""
    stored_until = found[-1][0] + span_s if found else 0
    fresh = ((_second(reading), getattr(reading, metric)) for reading in recent)
    return [*found, *((at, 1, v, v, v) for at, v in fresh if v is not None and stored_until <= at < last)]


def _binned(samples: Sequence[Sample], step_s: int) -> list[Point]:
    points: list[Point] = []
    total, count, low, high, begin = 0.0, 0, math.inf, -math.inf, -1

    def finish() -> None:
        if count:
            points.append(Point(datetime.fromtimestamp(begin, UTC), step_s, low, total / count, high))

    for at, n, lowest, mean, highest in samples:
        if at // step_s * step_s != begin:
            finish()
            total, count, low, high, begin = 0.0, 0, math.inf, -math.inf, at // step_s * step_s
        total, count, low, high = total + mean * n, count + n, min(low, lowest), max(high, highest)
    finish()
    return points


def _second(reading: Reading) -> int:
    return math.floor(reading.taken_at.timestamp())


def _values(reading: Reading) -> rows.Values:
    return tuple(getattr(reading, metric) for metric in METRICS)


def _reading(at: int, gpu_id: str, values: rows.Values) -> Reading:
    by_name: dict[str, Any] = dict(zip(METRICS, values, strict=True))
    return Reading(gpu_id, datetime.fromtimestamp(at, UTC), **by_name)


def _row(bucket: Bucket) -> rows.SummaryRow:
    summaries = []
    for metric in METRICS:
        found = bucket.metrics.get(metric)
        summaries.append((found.n, found.low, found.mean, found.high) if found else (None, None, None, None))
    return rows.SummaryRow(bucket.gpu_id, bucket.start_epoch_s, tuple(summaries))


def _bucket(row: rows.SummaryRow, span_s: int) -> Bucket:
    metrics = {
        metric: MetricSummary(n, low, mean, high)
        for metric, (n, low, mean, high) in zip(METRICS, row.summaries, strict=True)
        if n is not None and low is not None and mean is not None and high is not None
    }
    return Bucket(row.gpu_id, row.at, span_s, metrics)
