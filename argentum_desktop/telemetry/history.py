"""What the cards did, from the last seconds to years ago.

Raw readings stay for two days, summaries of a minute for ninety, summaries of an hour for ever. A batch and every
summary it touches are written in one transaction, and the summaries are always made anew from the rows below them: a
batch that comes twice, or a crash at any point, leaves neither a gap nor a double count. A clock that is set back
writes over what it had written for the same second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any

from argentum_desktop.domain.reading import METRIC_NAMES, Reading
from argentum_desktop.store import readings as rows
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.rollup import HOUR_S, MINUTE_S, Bucket, MetricSummary, merge, roll_up

SECONDS_KEPT_S = 48 * HOUR_S
MINUTES_KEPT_S = 90 * 24 * HOUR_S
# Old rows go in small portions with each batch, so that no single transaction is long.
FORGOTTEN_AT_ONCE = 2000

# The finest rows that still make a picture of a span: raw up to an hour, minutes up to a week. "The last hour" is a
# little more than an hour once both its ends are whole seconds.
_SLACK_S = 2
_LONGEST_FOR_SECONDS_S = HOUR_S + _SLACK_S
_LONGEST_FOR_MINUTES_S = 7 * 24 * HOUR_S + _SLACK_S
_COARSER = ((rows.SECONDS, 1), (rows.MINUTES, MINUTE_S), (rows.HOURS, HOUR_S))


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
        """At most `points` points (of which there must be two), oldest first; no point where nothing was recorded.

        Points lie on a grid that does not move with `start`, so that a picture drawn again each second stands still.
        """
        first, last = math.floor(start.timestamp()), math.ceil(end.timestamp())
        recent = [reading for reading in self._recent(gpu_id) if first <= _second(reading) < last]
        span_s, found = await self._database.read(
            lambda connection: _samples(connection, gpu_id, metric, first, last, recent)
        )
        first = first // span_s * span_s
        step_s = max(span_s, math.ceil((last - first) / (max(2, points) - 1) / span_s) * span_s)
        return _binned(found, step_s)


def _append(connection: Connection, readings: Sequence[Reading]) -> None:
    rows.put_seconds(connection, ((_second(reading), reading.gpu_id, _values(reading)) for reading in readings))
    seconds = [_second(reading) for reading in readings]
    # Only the spans that were touched: a clock that jumped by years within a batch must not have them all made anew.
    for minute in sorted({second // MINUTE_S * MINUTE_S for second in seconds}):
        raw = [_reading(*row) for row in rows.get_seconds(connection, minute, minute + MINUTE_S)]
        rows.put_summaries(connection, rows.MINUTES, map(_row, roll_up(raw, MINUTE_S)))
    for hour in sorted({second // HOUR_S * HOUR_S for second in seconds}):
        minutes = [_bucket(row, MINUTE_S) for row in rows.get_summaries(connection, rows.MINUTES, hour, hour + HOUR_S)]
        rows.put_summaries(connection, rows.HOURS, map(_row, merge(minutes, HOUR_S)))
    newest = seconds[-1]  # and not the highest: a clock that was wrong for a moment must not have everything forgotten
    # Whole spans of the next coarser kind, so that a late reading never makes one anew from half of its rows.
    oldest_second = (newest - SECONDS_KEPT_S) // MINUTE_S * MINUTE_S
    oldest_minute = (newest - MINUTES_KEPT_S) // HOUR_S * HOUR_S
    rows.forget_before(connection, rows.SECONDS, oldest_second, FORGOTTEN_AT_ONCE)
    rows.forget_before(connection, rows.MINUTES, oldest_minute, FORGOTTEN_AT_ONCE)


Sample = tuple[int, int, float, float, float]


def _samples(
    connection: Connection, gpu_id: str, metric: str, first: int, last: int, recent: Sequence[Reading]
) -> tuple[int, list[Sample]]:
    """The span of the rows that picture the time best, and these rows with what is still in memory and not on disk."""
    wanted = _resolution(last - first)
    span_s = 1
    found: list[Sample] = []
    for table, table_span_s in _COARSER[wanted:]:
        rougher = rows.get_metric(connection, table, gpu_id, metric, first // table_span_s * table_span_s, last)
        # Fine rows are forgotten first: of a time long ago only the rougher ones know.
        if table == _COARSER[wanted][0] or _reaches_further(rougher, found, table_span_s):
            span_s, found = table_span_s, rougher
    values = {_second(reading): getattr(reading, metric) for reading in recent}
    if values:
        kept = rows.get_metric(connection, rows.SECONDS, gpu_id, metric, min(values), max(values) + 1)
        fresh = values.keys() - {at for at, *_ in kept}
        found += [(at, 1, values[at], values[at], values[at]) for at in fresh if values[at] is not None]
    return span_s, sorted(found)


def _resolution(span_s: int) -> int:
    if span_s <= _LONGEST_FOR_SECONDS_S:
        return 0
    return 1 if span_s <= _LONGEST_FOR_MINUTES_S else 2


def _reaches_further(rougher: Sequence[Sample], finer: Sequence[Sample], span_s: int) -> bool:
    return bool(rougher) and (not finer or rougher[0][0] + span_s <= finer[0][0])


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
    return tuple(getattr(reading, metric) for metric in METRIC_NAMES)


def _reading(at: int, gpu_id: str, values: rows.Values) -> Reading:
    by_name: dict[str, Any] = dict(zip(METRIC_NAMES, values, strict=True))
    return Reading(gpu_id, datetime.fromtimestamp(at, UTC), **by_name)


def _row(bucket: Bucket) -> rows.SummaryRow:
    summaries = []
    for metric in METRIC_NAMES:
        found = bucket.metrics.get(metric)
        summaries.append((found.n, found.low, found.mean, found.high) if found else (None, None, None, None))
    return rows.SummaryRow(bucket.gpu_id, bucket.start_epoch_s, tuple(summaries))


def _bucket(row: rows.SummaryRow, span_s: int) -> Bucket:
    metrics = {
        metric: MetricSummary(n, low, mean, high)
        for metric, (n, low, mean, high) in zip(METRIC_NAMES, row.summaries, strict=True)
        if n is not None and low is not None and mean is not None and high is not None
    }
    return Bucket(row.gpu_id, row.at, span_s, metrics)
