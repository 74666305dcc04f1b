"""The history as CSV: streamed, and also while the application runs and writes."""

from __future__ import annotations

import csv
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from sqlite3 import Connection
from typing import TextIO

from argentum_desktop.app.whole_file import whole_file
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.reading import METRIC_BY_NAME, METRICS, EnergySource
from argentum_desktop.domain.summary import Span, Summary
from argentum_desktop.errors import BadInputError, StoreError
from argentum_desktop.paths import Home
from argentum_desktop.store import migrations
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.store.database import DamagedError, Database
from argentum_desktop.telemetry.picture import level_for
from argentum_desktop.telemetry.rollup import HOUR_S, summarise
from argentum_desktop.telemetry.summaries import begin, spans

# Read at a time, so that memory stays bounded and nobody who writes waits: some ten thousand values of each metric.
_WINDOW_S = {Level.SECONDS: 3600, Level.MINUTES: 86_400, Level.HOURS: 30 * 86_400}
_ENERGY, _SOURCE = "energy_mj", "energy_source"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Table = list[tuple[int, str, Span]]


class Resolution(StrEnum):
    """How fine the rows are."""

    AUTO = "auto"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"


_LEVELS = {Resolution.SECOND: Level.SECONDS, Resolution.MINUTE: Level.MINUTES, Resolution.HOUR: Level.HOURS}


async def export_history(
    home: Home,
    gpu_ids: Sequence[str],
    start: datetime,
    end: datetime,
    resolution: Resolution,
    metrics: Sequence[str],
    out: TextIO,
) -> int:
    """Write one row for each time and card that has readings, oldest first (RFC 4180, times in UTC).

    Names carry the unit. At `SECOND` each metric is one column, else it is three: `…_min`, `…_mean`, `…_max`, after the
    number of `readings` behind the row. Beside the energy stands who counted it. A value that is not known is empty.

    Args:
        gpu_ids: which cards; all when empty.
        end: the first instant that is left out.
        metrics: which metrics, by name; all when empty.

    Returns:
        How many rows there were.

    Raises:
        BadInputError: a card or a metric that is not known, or a time that ends before it begins.
        StoreError: there is no history, or it cannot be read.
    """
    chosen = _known_metrics(metrics)
    if end <= start:
        raise BadInputError("The time to export ends before it begins.", "Give a later end.")
    first_s, last_s = int(start.timestamp() // 1), -int(-end.timestamp() // 1)
    async with _opened(home) as database:
        names = await database.read(rows.read_names)
        cards = _known_ids(names.cards, gpu_ids)
        # From the first reading on: nobody waits for the years before it.
        found = await database.read(lambda connection: [begin(connection, names, card) for card in cards.values()])
        first_s = max(first_s, min((at for at in found if at is not None), default=last_s))
        level = _LEVELS.get(resolution) or await _finest(database, cards, first_s, last_s)
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(_header(level, chosen))
        count = 0
        async for table in _tables(database, cards, level, first_s, last_s, chosen):
            writer.writerows(_cells(level, chosen, row) for row in table)
            count += len(table)
        return count


async def export_to_file(
    home: Home,
    gpu_ids: Sequence[str],
    span: tuple[datetime | None, datetime | None],
    resolution: Resolution,
    metrics: Sequence[str],
    file: Path,
) -> int:
    """As `export_history`, into a file that is there only once it is whole; "-" is standard output.

    Args:
        span: from when to when; None for the first reading and for now.

    Raises:
        BadInputError: as `export_history`, or the file cannot be written.
        StoreError: as `export_history`.
    """
    start, end = span[0] or _EPOCH, span[1] or SystemClock().now()
    if str(file) == "-":
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(newline="")  # the lines end as CSV's do; Windows would add to that
        return await export_history(home, gpu_ids, start, end, resolution, metrics, sys.stdout)
    with whole_file(file) as draft, draft.open("w", encoding="utf-8", newline="") as out:
        return await export_history(home, gpu_ids, start, end, resolution, metrics, out)


@asynccontextmanager
async def _opened(home: Home) -> AsyncIterator[Database]:
    path = home.telemetry_db
    if not path.exists():
        raise StoreError(
            f"There is no history in {home.root} yet.", "It begins with the first minute that the application runs."
        )
    database = Database(path, migrations.TELEMETRY, durable=False, reads_only=True)
    try:
        await database.open()
        yield database
    except DamagedError as error:
        raise StoreError(
            f"The history {path} is damaged.", "Start the application: it saves what can be read into a new file."
        ) from error
    finally:
        await database.close()


def _known_metrics(metrics: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in metrics if name not in METRIC_BY_NAME]
    if unknown:
        raise BadInputError(f"There is no metric {', '.join(unknown)}.", f"There are {', '.join(METRIC_BY_NAME)}.")
    return tuple(metric.name for metric in METRICS if not metrics or metric.name in metrics)


def _known_ids(cards: Mapping[str, int], gpu_ids: Sequence[str]) -> dict[str, int]:
    unknown = [gpu_id for gpu_id in gpu_ids if gpu_id not in cards]
    if unknown:
        known = f"There are {', '.join(sorted(cards))}." if cards else "There is none of any card yet."
        raise BadInputError(f"There is no history of a card {', '.join(unknown)}.", known)
    return {gpu_id: cards[gpu_id] for gpu_id in sorted(gpu_ids or cards)}


async def _finest(database: Database, cards: Mapping[str, int], first_s: int, last_s: int) -> Level:
    """As fine as suits the span, and not so fine that its begin is forgotten already."""
    wanted = min(level_for(last_s - first_s), Level.HOURS)
    async for hours in _tables(database, cards, Level.HOURS, first_s // HOUR_S * HOUR_S, last_s, ()):
        # The first hour of which anything is known must be known as finely.
        oldest_s = hours[0][0]
        for level in (level for level in _WINDOW_S if wanted <= level < Level.HOURS):
            begin_s = max(first_s // level.step_s * level.step_s, oldest_s)
            async for _ in _tables(database, cards, level, begin_s, min(last_s, oldest_s + HOUR_S), ()):
                return level
        break
    return Level.HOURS


async def _tables(
    database: Database, cards: Mapping[str, int], level: Level, first_s: int, last_s: int, metrics: Sequence[str]
) -> AsyncIterator[Table]:
    """The rows window by window; what has none, and be it years, is stepped over."""
    window_s = _WINDOW_S[level]
    begin_s = first_s // window_s * window_s
    while begin_s < last_s:
        window = (max(first_s, begin_s), min(last_s, begin_s + window_s))
        begin_s += window_s
        table = await database.read(partial(_table, cards=cards, level=level, window=window, metrics=metrics))
        if table:
            yield table
            continue
        next_s = await database.read(partial(rows.next_begin, level=level, at_s=begin_s))
        begin_s = last_s if next_s is None else max(begin_s, next_s // window_s * window_s)


def _table(
    connection: Connection, cards: Mapping[str, int], level: Level, window: tuple[int, int], metrics: Sequence[str]
) -> Table:
    names = rows.read_names(connection)
    first_s, last_s = window
    wanted = (*metrics, rows.ENERGY_INTEGRATED)
    table: Table = []
    for gpu_id, card in cards.items():
        if level is Level.SECONDS:
            found = _seconds(rows.get_raw(connection, names, card, first_s, last_s, wanted))
        else:
            found = iter(spans(connection, names, level, card, first_s, last_s, wanted).items())
        table += [(at, gpu_id, span) for at, span in found if first_s <= at < last_s]
    return sorted(table, key=lambda row: row[:2])


def _seconds(raws: Iterator[rows.Raw]) -> Iterator[tuple[int, Span]]:
    for raw in raws:
        for index, second in enumerate(raw.seconds):
            yield raw.start_s + second, summarise(1, {name: [column[index]] for name, column in raw.columns.items()})


def _header(level: Level, metrics: Sequence[str]) -> list[str]:
    header = ["time", "gpu"] if level is Level.SECONDS else ["time", "gpu", "readings"]
    for name in metrics:
        header += [name] if level is Level.SECONDS else [f"{name}_{part}" for part in ("min", "mean", "max")]
        header += [_SOURCE] if name == _ENERGY else []
    return header


def _cells(level: Level, metrics: Sequence[str], row: tuple[int, str, Span]) -> list[object]:
    at, gpu_id, span = row
    cells: list[object] = [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}", gpu_id]
    if level is not Level.SECONDS:
        cells.append(span.readings)
    for name in metrics:
        summary = span.metrics.get(name)
        if level is Level.SECONDS:
            cells.append(None if summary is None else summary.low)
        else:
            cells += [None, None, None] if summary is None else [summary.low, _rounded(summary), summary.high]
        if name == _ENERGY:
            cells.append(_source(summary, span.metrics.get(rows.ENERGY_INTEGRATED)))
    return cells


def _rounded(summary: Summary) -> float | int:
    return summary.low if summary.low == summary.high else round(summary.mean, 3)


def _source(energy: Summary | None, integrated: Summary | None) -> str | None:
    if energy is None:
        return None
    if integrated is None:
        return EnergySource.COUNTER
    return EnergySource.INTEGRATED if integrated.n == energy.n else EnergySource.MIXED
