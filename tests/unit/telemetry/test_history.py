"""The history on disk: the same batch twice is once, a gap stays a gap, the last minute is there too."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argentum_desktop.domain.reading import METRIC_NAMES, Reading
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry import history as history_module
from argentum_desktop.telemetry.history import MINUTES_KEPT_S, SECONDS_KEPT_S, History, Point

# Half past, so that neither a minute nor an hour begins here.
START = datetime(2026, 3, 1, 12, 30, 20, tzinfo=UTC)


def reading(second: float, gpu_id: str = "A", **values: Any) -> Reading:
    if not values:
        values = {"temperature_c": 40 + int(second) % 40, "power_mw": 100_000 + int(second) * 10}
    return Reading(gpu_id, START + timedelta(seconds=second), **values)


@dataclass
class Shelf:
    """A history with its database and what is still in memory."""

    database: Database
    memory: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history = History(self.database, lambda gpu_id: [r for r in self.memory if r.gpu_id == gpu_id])

    async def rows(self, table: str) -> list[tuple[Any, ...]]:
        return await self.database.read(lambda c: c.execute(f"SELECT * FROM {table} ORDER BY at, card").fetchall())

    async def everything(self) -> list[list[tuple[Any, ...]]]:
        return [await self.rows(table) for table in ("seconds", "minutes", "hours")]

    async def series(self, start_s: float, end_s: float, points: int = 10_000, metric: str = "power_mw") -> list[Point]:
        start, end = (START + timedelta(seconds=second) for second in (start_s, end_s))
        return await self.history.series("A", metric, start, end, points)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    database = Database(tmp_path / "telemetry.db", migrations.TELEMETRY, durable=False)
    await database.open()
    yield Shelf(database)
    await database.close()


async def sums_agree(shelf: Shelf) -> None:
    """Every minute is the summary of its seconds, and every hour of its minutes, for as far as all are kept."""
    power = METRIC_NAMES.index("power_mw")
    seconds, minutes, hours = await shelf.everything()
    for row in minutes:
        card, at, summaries = row[0], row[1], row[2:]
        values = [s[2 + power] for s in seconds if s[1] == card and at <= s[0] < at + 60 and s[2 + power] is not None]
        n, low, mean, high = summaries[4 * power : 4 * power + 4]
        assert n == (len(values) or None)
        if values:
            assert (low, high) == (min(values), max(values))
            assert mean == pytest.approx(sum(values) / len(values))
    for row in hours:
        card, at, summaries = row[0], row[1], row[2:]
        below = [m[2 + 4 * power] or 0 for m in minutes if m[0] == card and at <= m[1] < at + 3600]
        assert not below or (summaries[4 * power] or 0) == sum(below)
    assert {(s[1], s[0] // 60 * 60) for s in seconds} == {(m[0], m[1]) for m in minutes}
    assert {(m[0], m[1] // 3600 * 3600) for m in minutes} <= {(h[0], h[1]) for h in hours}


def batches(readings: Sequence[Reading], size: int) -> list[Sequence[Reading]]:
    return [readings[index : index + size] for index in range(0, len(readings), size)]


async def test_a_batch_that_comes_twice_changes_nothing(shelf: Shelf) -> None:
    batch = [reading(second, card) for second in range(150) for card in ("A", "B")]
    await shelf.history.append(batch)
    once = await shelf.everything()
    await shelf.history.append(batch)
    await shelf.history.append(batch[10:20])
    assert await shelf.everything() == once
    assert [len(rows) for rows in once] == [300, 6, 2]
    await sums_agree(shelf)


@pytest.mark.parametrize("size", [1, 7, 60, 61, 1000])
async def test_how_it_is_cut_into_batches_does_not_matter(shelf: Shelf, size: int) -> None:
    readings = [reading(second) for second in range(0, 200, 2)]
    for batch in batches(readings, size):
        await shelf.history.append(batch)
    assert [len(rows) for rows in await shelf.everything()] == [100, 4, 1]
    await sums_agree(shelf)


async def test_a_late_batch_is_merged_into_its_minute_and_hour(shelf: Shelf) -> None:
    await shelf.history.append([reading(second) for second in range(30)])
    await shelf.history.append([reading(second) for second in range(90, 120)])
    await shelf.history.append([reading(second) for second in range(30, 90)])
    assert [len(rows) for rows in await shelf.everything()] == [120, 3, 1]
    await sums_agree(shelf)
    (hour,) = await shelf.rows("hours")
    assert hour[2] == 120


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 400), st.sampled_from("AB")), min_size=1, max_size=30), max_size=6))
async def test_whatever_comes_in_whatever_order_the_sums_agree(arrivals: list[list[tuple[int, str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "t.db", migrations.TELEMETRY, durable=False)
        await database.open()
        shelf = Shelf(database)
        for arrival in arrivals:
            await shelf.history.append([reading(second * 7, card) for second, card in arrival])
        await sums_agree(shelf)
        assert len(await shelf.rows("seconds")) == len({entry for arrival in arrivals for entry in arrival})
        await database.close()


async def test_nothing_to_keep_is_nothing_done(shelf: Shelf) -> None:
    await shelf.history.append([])
    assert await shelf.everything() == [[], [], []]


async def test_a_metric_that_is_not_there_is_not_zero(shelf: Shelf) -> None:
    await shelf.history.append([reading(0, fan_percent=None, temperature_c=50), reading(1, fan_percent=30)])
    assert await shelf.series(0, 10, metric="fan_percent") == [Point(START + timedelta(seconds=1), 1, 30, 30, 30)]
    assert await shelf.series(0, 86_400, metric="power_mw") == []


@pytest.mark.parametrize("jump_s", [-86_400, -3600, -90, 90, 3600, 20 * 365 * 86_400, -20 * 365 * 86_400])
async def test_a_clock_that_jumps_within_a_batch_and_back_costs_nothing_of_what_was(shelf: Shelf, jump_s: int) -> None:
    await shelf.history.append([reading(second) for second in range(600)])
    before = await shelf.everything()
    jumped = [reading(second + (jump_s if second < 630 else 0)) for second in range(600, 660)]
    await shelf.history.append(jumped)
    await sums_agree(shelf)
    after = await shelf.everything()
    kept = {row[0] for row in after[0]}
    assert kept >= {row[0] for row in before[0]}
    gone = {int(entry.taken_at.timestamp()) for entry in jumped} - kept
    assert len(gone) == (30 if jump_s < -SECONDS_KEPT_S else 0)
    # And back for good: the same seconds are written over, not counted twice.
    await shelf.history.append([reading(second) for second in range(590, 640)])
    await sums_agree(shelf)


async def test_old_rows_go_in_portions_and_in_whole_minutes(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "FORGOTTEN_AT_ONCE", 100)
    await shelf.history.append([reading(second) for second in range(300)])
    oldest = (await shelf.rows("seconds"))[0][0]
    await shelf.history.append([reading(SECONDS_KEPT_S + 150)])
    assert len(await shelf.rows("seconds")) == 301 - 100
    await shelf.history.append([reading(SECONDS_KEPT_S + 150)])
    left = await shelf.rows("seconds")
    assert left[0][0] % 60 == 0
    assert left[0][0] == (oldest + 150) // 60 * 60
    assert len(await shelf.rows("minutes")) == 7
    await shelf.history.append([reading(MINUTES_KEPT_S + 2 * 3600)])
    assert len(await shelf.rows("minutes")) == 2
    assert len(await shelf.rows("hours")) == 3


async def test_the_seconds_of_an_hour_with_its_gaps(shelf: Shelf) -> None:
    await shelf.history.append([reading(second, power_mw=second) for second in (0, 1, 2, 10, 11)])
    found = await shelf.series(0, 3600)
    assert [(point.at - START).total_seconds() for point in found] == [0, 1, 2, 10, 11]
    assert [point.mean for point in found] == [0, 1, 2, 10, 11]
    assert {point.span_s for point in found} == {1}


@pytest.mark.parametrize(
    ("span_s", "step_s"), [(3600, 1), (3599.5, 1), (86_400, 60), (7 * 86_400, 60), (366 * 86_400, 3600)]
)
async def test_each_span_has_its_resolution_wherever_it_begins(shelf: Shelf, span_s: float, step_s: int) -> None:
    await shelf.history.append([reading(second) for second in range(100)])
    for begin in (0, 0.001, 0.5, 0.999):
        found = await shelf.series(begin - span_s + 200, begin + 200, points=20_000)
        assert {point.span_s for point in found} == {step_s}
        assert sum(1 for _ in found) == {1: 100, 60: 2, 3600: 1}[step_s]


@pytest.mark.parametrize("span_s", [600, 3600, 86_400, 7 * 86_400, 366 * 86_400])
@pytest.mark.parametrize("on_disk", [0, 30, 61, 120])
async def test_what_is_still_in_memory_is_part_of_every_picture(shelf: Shelf, span_s: int, on_disk: int) -> None:
    """Wherever the last batch ended, each reading counts once."""
    readings = [reading(second, power_mw=1000 + second) for second in range(120)]
    await shelf.history.append(readings[:on_disk])
    shelf.memory = readings
    found = await shelf.series(120 - span_s, 120, points=20_000)
    step = found[0].span_s
    expected: dict[int, list[int]] = {}
    for entry in readings:
        at = int(entry.taken_at.timestamp())
        expected.setdefault(at // step * step, []).append(entry.power_mw or 0)
    assert [int(point.at.timestamp()) for point in found] == sorted(expected)
    for point in found:
        values = expected[int(point.at.timestamp())]
        assert (point.low, point.high) == (min(values), max(values))
        assert point.mean == pytest.approx(sum(values) / len(values))


async def test_a_hole_in_the_middle_is_filled_from_memory(shelf: Shelf) -> None:
    """The clock was set back, so that what is new is older than what is on disk."""
    await shelf.history.append([reading(second) for second in range(50, 60)])
    shelf.memory = [reading(second) for second in range(20)]
    assert len(await shelf.series(0, 60)) == 30


async def test_only_the_asked_card_and_the_asked_time(shelf: Shelf) -> None:
    await shelf.history.append([reading(second, card) for second in range(20) for card in ("A", "B")])
    shelf.memory = [reading(25), reading(26, "B"), reading(40)]
    found = await shelf.series(5, 30)
    assert [(point.at - START).total_seconds() for point in found] == [*range(5, 20), 25]
    assert await shelf.history.series("C", "power_mw", START, START + timedelta(hours=1), 10) == []


async def test_a_metric_that_is_none_is_a_fault_of_the_program(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="is no metric"):
        await shelf.series(0, 10, metric="power_mw; DROP TABLE hours")


async def test_of_a_time_long_ago_the_rougher_rows_still_tell(shelf: Shelf) -> None:
    await shelf.history.append([reading(second) for second in range(0, 7200, 5)])
    fine = await shelf.series(0, 3600)
    assert {point.span_s for point in fine} == {1}
    await shelf.database.write(lambda c: c.execute("DELETE FROM seconds"))
    rough = await shelf.series(0, 3600)
    assert {point.span_s for point in rough} == {60}
    assert len(rough) >= 60
    await shelf.database.write(lambda c: c.execute("DELETE FROM minutes"))
    assert {point.span_s for point in await shelf.series(0, 3600)} == {3600}


async def test_a_young_history_is_shown_in_its_finest_rows(shelf: Shelf) -> None:
    await shelf.history.append([reading(second) for second in range(3000, 3100)])
    assert {point.span_s for point in await shelf.series(0, 3600)} == {1}


@pytest.mark.parametrize("span_s", [60, 3600, 86_400, 7 * 86_400, 366 * 86_400])
@pytest.mark.parametrize("points", [2, 3, 100, 300, 720])
async def test_never_more_points_than_asked_for(shelf: Shelf, span_s: int, points: int) -> None:
    chance = random.Random(span_s * points)
    await shelf.history.append([reading(second) for second in range(0, 3700, 7)])
    for _ in range(5):
        begin = chance.randint(0, 3000) + chance.random() - max(0, span_s - 3600)
        assert len(await shelf.series(begin, begin + span_s, points)) <= points


async def test_the_grid_stands_still_while_time_goes_on(shelf: Shelf) -> None:
    """Drawn again each second, a point that is complete does not change."""
    await shelf.history.append([reading(second) for second in range(700)])
    one, other = await shelf.series(0, 600, 50), await shelf.series(1, 601, 50)
    assert one[2:-2] == [point for point in other if one[2].at <= point.at <= one[-3].at]


async def test_a_week_of_eight_cards_is_answered_quickly(shelf: Shelf) -> None:
    """Not a benchmark: an answer in no more than the time that a scan of all rows would never keep."""
    cards = [f"GPU-{number}" for number in range(8)]
    for minute in range(0, 7 * 24 * 60, 60):
        await shelf.history.append([reading(minute * 60, card) for card in cards])
    plan = await shelf.database.read(
        lambda c: c.execute(
            "EXPLAIN QUERY PLAN SELECT at FROM minutes WHERE card = 3 AND at >= 5 AND at < 9"
        ).fetchall()
    )
    assert any("SEARCH" in str(row) for row in plan)
    start = START - timedelta(seconds=60)
    assert len(await shelf.history.series("GPU-3", "power_mw", start, start + timedelta(days=7), 1000)) == 168
