"""What the history of eight cards costs: on the disk, to write, to open, and to catch up with.

Time is given, so that days pass in seconds. What is measured as written goes the application's own way from the reading
on; the months and years behind the queries are summaries made by the same functions and put down by the same writer.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from sqlite3 import Connection
from statistics import median

import psutil
from figures import Figure, of_runs

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.reading import METRICS, Reading
from argentum_desktop.domain.summary import Span
from argentum_desktop.events import EventBus
from argentum_desktop.store import migrations
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History, keep
from argentum_desktop.telemetry.rollup import DAY_S, HOUR_S, MINUTE_S, combine, summarise
from argentum_desktop.telemetry.sampler import ReadingsTaken, Sampler

CARDS = 8
YEAR_DAYS = 365
MOST_MB_PER_CARD = 40.0
MOST_MB_WRITTEN = 15.0
MOST_QUERY_MS = 50.0
MOST_GROWTH = 1.5
MOST_BATCH_MS = 10.0
POINTS = 720
NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
SPANS_S = {"hour": HOUR_S, "day": DAY_S, "month": 30 * DAY_S, "year": 365 * DAY_S}
MB = 1_000_000
METRICS_PRESENT = tuple(
    metric.name
    for metric in METRICS
    if metric.name
    not in {
        "ecc_corrected_volatile",
        "ecc_uncorrected_volatile",
        "retired_pages_sbe",
        "retired_pages_dbe",
        "remapped_rows_correctable",
        "remapped_rows_uncorrectable",
        "remapped_rows_failed",
    }
)


class BusyCard:
    """A card at work, with the noise that real ones have and a load that changes every twenty minutes or so."""

    def __init__(self, number: int) -> None:
        self.gpu_id = f"GPU-{number:08x}-5d3c-41e9-9c6b-{random.Random(number).getrandbits(48):012x}"
        self._chance = random.Random(number)
        self._load, self._power_w, self._temperature_c, self._energy_mj = 95, 280.0, 64.0, 10**13 * number
        self._memory_bytes = 9 * 2**30

    def read(self, at: datetime) -> Reading:
        chance, noise = self._chance, self._chance.gauss
        if chance.random() < 1 / 1200:
            self._load = chance.choice((0, 35, 80, 95, 99))
            self._memory_bytes = chance.randrange(512, 23_000) * 2**20
        self._power_w += (20 + 3.0 * self._load - self._power_w) * 0.6
        power_mw = round(self._power_w * (1 + noise(0, 0.015)) * 1000)
        self._energy_mj += power_mw
        self._temperature_c += (26 + self._power_w / 7 - self._temperature_c) / 45
        temperature_c, is_busy = round(self._temperature_c + noise(0, 0.3)), self._load > 0
        return Reading(
            self.gpu_id,
            at,
            temperature_c=temperature_c,
            temperature_hotspot_c=round(self._temperature_c + 12 + noise(0, 0.7)),
            temperature_memory_c=round(self._temperature_c + 9 + noise(0, 0.3)),
            power_mw=power_mw,
            power_limit_mw=320_000,
            energy_mj=self._energy_mj,
            utilization_percent=min(100, round(self._load + abs(noise(0, 2)))) if is_busy else 0,
            memory_utilization_percent=round(max(0, self._load * 0.6 + noise(0, 3))) if is_busy else 0,
            memory_used_bytes=self._memory_bytes,
            clock_sm_mhz=15 * round((1850 + noise(0, 20)) / 15) if is_busy else 210,
            clock_memory_mhz=9501 if is_busy else 405,
            fan_percent=round(25 + self._temperature_c * 0.6),
            fan_rpm=round(900 + self._temperature_c * 22 + noise(0, 12)),
            pcie_generation=4,
            pcie_width=16,
            pcie_replays=0,
            ecc_corrected=0,
            ecc_uncorrected=0,
            retired_pages_pending=0,
            remapped_rows_pending=0,
        )


class Shelf:
    """A history on disk and the cards that fill it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cards = [BusyCard(number) for number in range(1, CARDS + 1)]
        self.database = Database(path, migrations.TELEMETRY, durable=False)
        self.history = History(self.database, lambda _: ())

    def minute(self, at_s: int) -> list[Reading]:
        instants = [datetime.fromtimestamp(at_s + second, UTC) for second in range(MINUTE_S)]
        return [card.read(at) for at in instants for card in self.cards]

    async def keep(self, at_s: int, minutes: int) -> None:
        """Readings of so many minutes, without what follows from them."""
        for minute in range(minutes):
            batch = self.minute(at_s + minute * MINUTE_S)
            await self.database.write(lambda connection, batch=batch: keep(connection, batch))


def measure(folder: Path, quick: bool = False) -> list[Figure]:
    """Each part in files of its own."""
    return asyncio.run(_measure(folder / "history", quick))


async def _measure(folder: Path, quick: bool) -> list[Figure]:
    folder.mkdir(parents=True, exist_ok=True)
    figures = await _writing(folder / "writing.db", hours=1 if quick else 2)
    figures += await _sizes_and_queries(
        folder, *(((30, YEAR_DAYS), 3) if quick else ((30, YEAR_DAYS, 3 * YEAR_DAYS), 11))
    )
    return figures + await _catching_up(folder / "late.db", hours=2 if quick else 24, least_s=3 if quick else 10)


# -- writing ----------------------------------------------------------------------------------------------------------


async def _writing(path: Path, hours: int) -> list[Figure]:
    """Batches of a minute with all that follows, on a history that is two days old: as much is forgotten as comes."""
    shelf = Shelf(path)
    await shelf.database.open()
    begin_s = NOW_S // HOUR_S * HOUR_S
    await shelf.keep(begin_s - 50 * HOUR_S, (hours + 1) * 60)
    await shelf.history.roll_up(NOW, 10_000)
    await shelf.database.read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    process, batch_ms = psutil.Process(), []
    written = process.io_counters().write_chars
    for minute in range(hours * 60):
        batch = shelf.minute(begin_s + minute * MINUTE_S)
        began = time.process_time()
        await shelf.history.append(batch)
        batch_ms.append((time.process_time() - began) * 1000)
    await shelf.database.close()  # what is in the journal goes to the file, and counts
    written = process.io_counters().write_chars - written
    topic = f"Keeping the history of {CARDS} cards at 1 Hz"
    return [
        Figure(
            topic,
            "written a day and card, journal and file",
            written / CARDS / (hours / 24) / MB,
            "MB",
            MOST_MB_WRITTEN,
        ),
        of_runs(topic, "processor time of a minute's batch", batch_ms, "ms", MOST_BATCH_MS),
        Figure(topic, "a minute, all summaries in it, mean", sum(batch_ms) / len(batch_ms), "ms"),
    ]


# -- size and queries -------------------------------------------------------------------------------------------------


async def _sizes_and_queries(folder: Path, ages: Sequence[int], rounds: int) -> list[Figure]:
    pool = Pool()
    shelves: dict[int, Shelf] = {}
    for days in ages:
        shelves[days] = shelf = Shelf(folder / f"{days}.db")
        await shelf.database.open()
        await shelf.keep(NOW_S - 30 * MINUTE_S, 30)  # of the hour that is not summarised yet
        await shelf.database.write(lambda connection, days=days: pool.fill(connection, days))
        await shelf.database.read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    sizes = {days: shelf.path.stat().st_size / CARDS / MB for days, shelf in shelves.items()}
    try:
        return [*_size_figures(sizes), *await _query_figures(shelves, rounds)]
    finally:
        for shelf in shelves.values():
            await shelf.database.close()


def _size_figures(sizes: Mapping[int, float]) -> list[Figure]:
    topic = f"On the disk per card, {CARDS} cards with {len(METRICS_PRESENT)} metrics"
    return [
        Figure(topic, f"{days} days old", size, "MB", MOST_MB_PER_CARD if days == YEAR_DAYS else None)
        for days, size in sizes.items()
    ]


async def _query_figures(shelves: Mapping[int, Shelf], rounds: int) -> list[Figure]:
    young, old = min(shelves), max(shelves)
    taken: dict[tuple[str, int], list[float]] = {(name, days): [] for name in SPANS_S for days in (young, old)}
    for number in range(rounds + 1):
        for (name, days), runs in taken.items():
            took_ms = await _opening_ms(shelves[days], name)
            if number > 0:  # the first of each was to warm up
                runs.append(took_ms)
    topic = f"Opening one metric of one card, at most {POINTS} points"
    figures = []
    for name in SPANS_S:
        growth = median(taken[name, old]) / median(taken[name, young])
        figures += [
            of_runs(topic, f"the last {name}, of {young} days", taken[name, young], "ms", MOST_QUERY_MS),
            of_runs(topic, f"the last {name}, of {old} days", taken[name, old], "ms", MOST_QUERY_MS),
            Figure(topic, f"the last {name}, growth", growth, "×", MOST_GROWTH),
        ]
    return figures


async def _opening_ms(shelf: Shelf, name: str) -> float:
    start = NOW - timedelta(seconds=SPANS_S[name])
    began = time.perf_counter()
    found = await shelf.history.series(shelf.cards[0].gpu_id, "power_mw", start, NOW, POINTS)
    took_ms = (time.perf_counter() - began) * 1000
    if len(found) < 300:
        raise RuntimeError(f"only {len(found)} points for the last {name}")
    return took_ms


class Pool:
    """Summaries made of real readings, in other orders for other times, and written as the application writes them.

    Two cards are packed anew for each span; the other six get the same bytes under their own keys.
    """

    def __init__(self) -> None:
        chance = self._chance = random.Random(5)
        self.cards = [BusyCard(number) for number in (1, 2)]
        begin_s = NOW_S - DAY_S
        self.raws = [[_raw(card, begin_s + minute * MINUTE_S) for minute in range(240)] for card in self.cards]
        self.minutes = [[summarise(MINUTE_S, raw.columns) for raw in raws] for raws in self.raws]
        self.hours = [[combine(chance.sample(minutes, 60)) for _ in range(200)] for minutes in self.minutes]
        self.days = [[combine(chance.sample(hours, 24)) for _ in range(100)] for hours in self.hours]

    def fill(self, connection: Connection, days: int) -> None:
        names, this_hour_s = rows.read_names(connection), NOW_S // HOUR_S * HOUR_S
        pools = {Level.MINUTES: (self.minutes, 90), Level.HOURS: (self.hours, days), Level.DAYS: (self.days, days)}
        for level, (pool, kept_days) in pools.items():
            begin_s = this_hour_s - min(days, kept_days) * DAY_S
            for start_s in range(begin_s // level.span_s * level.span_s, this_hour_s, level.span_s):
                for card, spans in enumerate(pool, 1):
                    found = self._spans(spans, level, max(start_s, begin_s), min(start_s + level.span_s, this_hour_s))
                    rows.put_spans(connection, names, level, card, start_s, found)
                _copy_to_the_others(connection, level, start_s)
        for start_s in range(this_hour_s - min(days * DAY_S, 49 * HOUR_S), this_hour_s, MINUTE_S):
            for card, raws in enumerate(self.raws, 1):
                raw = self._chance.choice(raws)
                rows.put_raw(connection, names, card, rows.Raw(start_s, raw.seconds, raw.columns))
            _copy_to_the_others(connection, Level.SECONDS, start_s)

    def _spans(self, pool: Sequence[Span], level: Level, first_s: int, last_s: int) -> dict[int, Span]:
        first = self._chance.randrange(len(pool))
        steps = range(-(-first_s // level.step_s) * level.step_s, last_s, level.step_s)
        return {at: pool[(first + index) % len(pool)] for index, at in enumerate(steps)}


def _raw(card: BusyCard, start_s: int) -> rows.Raw:
    readings = [card.read(datetime.fromtimestamp(start_s + second, UTC)) for second in range(MINUTE_S)]
    columns = {name: [getattr(reading, name) for reading in readings] for name in METRICS_PRESENT}
    return rows.Raw(start_s, range(MINUTE_S), columns)


def _copy_to_the_others(connection: Connection, level: Level, start_s: int) -> None:
    first = start_s // level.span_s << 16
    for card in range(3, CARDS + 1):
        connection.execute(
            f"INSERT OR REPLACE INTO {level.table} SELECT ?, body FROM {level.table} WHERE key = ?",
            (first | card, first | (1 + card % 2)),
        )


# -- catching up ------------------------------------------------------------------------------------------------------


class CardsAtHand:
    """What the sampler asks."""

    def __init__(self, cards: Sequence[BusyCard], clock: SystemClock) -> None:
        self._cards = cards
        self._clock = clock

    async def read(self, *, all_anew: bool = False) -> Sequence[Reading]:
        return [card.read(self._clock.now()) for card in self._cards]


async def _catching_up(path: Path, hours: int, least_s: float) -> list[Figure]:
    """Sample in real time while the hours before are summarised, again and again until the time is over."""
    shelf, clock, bus, instants = Shelf(path), SystemClock(), EventBus(), []
    await shelf.database.open()
    this_hour_s = int(clock.now().timestamp()) // HOUR_S * HOUR_S
    late = [this_hour_s - hour * HOUR_S for hour in range(1, hours + 1)]
    await shelf.database.write(lambda connection: _put_late_hours(connection, shelf, late))
    bus.subscribe(ReadingsTaken, lambda event: instants.append(event.readings[0].taken_at.timestamp()))
    sampler = Sampler(CardsAtHand(shelf.cards, clock), shelf.history, clock, bus)
    sampling, took_s = asyncio.create_task(sampler.run()), []
    began = time.monotonic()
    while time.monotonic() - began < least_s:
        await shelf.database.write(lambda connection: _make_due(connection, late))
        round_began = time.monotonic()
        done = await shelf.history.roll_up(clock.now(), 10_000)
        took_s.append(time.monotonic() - round_began)
        assert done == hours * CARDS
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)
    await sampler.flush()
    await shelf.database.close()
    seconds = {int(at) for at in instants}
    missed = max(seconds) - min(seconds) + 1 - len(seconds)
    gaps = [(later - earlier - 1) * 1000 for earlier, later in pairwise(instants)]
    topic = f"Sampling {CARDS} cards at 1 Hz while {hours} hours of them are summarised"
    return [
        Figure(topic, f"ticks missed, of {len(seconds)}", missed, "", 0),
        Figure(topic, "the latest tick", max(gaps), "ms"),
        of_runs(topic, f"summarising {hours} hours", took_s, "s"),
    ]


def _put_late_hours(connection: Connection, shelf: Shelf, late: Sequence[int]) -> None:
    names = rows.name_all(connection, [card.gpu_id for card in shelf.cards])
    for card in shelf.cards:
        number = names.cards[card.gpu_id]
        raws = [_raw(card, late[0] + minute * MINUTE_S) for minute in range(60)]
        for hour_s in late:
            for index, raw in enumerate(raws):
                moved = rows.Raw(hour_s + index * MINUTE_S, raw.seconds, raw.columns)
                rows.put_raw(connection, names, number, moved)


def _make_due(connection: Connection, late: Sequence[int]) -> None:
    for hour_s in late:
        for card in range(1, CARDS + 1):
            rows.mark_due(connection, card, hour_s)
