"""The history on disk: the same batch twice is once, a gap stays a gap, the last minute is there too."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argentum_desktop.domain.reading import METRICS, EnergySource, Reading, ThrottleReason
from argentum_desktop.domain.summary import Span, Summary
from argentum_desktop.store import migrations
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History, Point, keep
from argentum_desktop.telemetry.retention import MINUTES_KEPT_S, SECONDS_KEPT_S, forget_seconds
from argentum_desktop.telemetry.rollup import summarise

SUMMARIES = (Level.MINUTES, Level.HOURS, Level.DAYS)
FOR_EVER = 2**40
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

    async def seconds(self) -> dict[tuple[str, int], int | None]:
        """The power of each second on disk."""

        def ask(connection: Connection) -> dict[tuple[str, int], int | None]:
            names = rows.read_names(connection)
            return {
                (gpu_id, raw.start_s + second): value
                for gpu_id, card in names.cards.items()
                for raw in rows.get_raw(connection, names, card, 0, FOR_EVER)
                for second, value in zip(raw.seconds, raw.columns.get("power_mw", [None] * 60), strict=False)
            }

        return await self.database.read(ask)

    async def kept(self, level: Level) -> dict[tuple[str, int], Span]:
        """The summaries on disk."""

        def ask(connection: Connection) -> dict[tuple[str, int], Span]:
            names = rows.read_names(connection)
            return {
                (gpu_id, at): span
                for gpu_id, card in names.cards.items()
                for at, span in rows.get_spans(connection, names, level, card, 0, FOR_EVER).items()
            }

        return await self.database.read(ask)

    async def everything(self) -> list[object]:
        due = await self.database.read(lambda c: c.execute("SELECT key FROM due ORDER BY key").fetchall())
        return [due, await self.seconds(), *[await self.kept(level) for level in SUMMARIES]]

    async def settle(self) -> None:
        """Summarise all hours, as if the last were over too."""
        await self.history.roll_up(START - timedelta(days=40 * 365), 10_000)  # which is old enough to forget nothing

    async def series(self, start_s: float, end_s: float, points: int = 10_000, metric: str = "power_mw") -> list[Point]:
        start, end = (START + timedelta(seconds=second) for second in (start_s, end_s))
        return await self.history.series("A", metric, start, end, points)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    database = Database(tmp_path / "history.db", migrations.TELEMETRY, durable=False)
    await database.open()
    yield Shelf(database)
    await database.close()


async def sums_agree(shelf: Shelf) -> None:
    """Once all is summarised: each span is what its seconds come to, for as far as all are kept."""
    await shelf.settle()
    seconds = await shelf.seconds()
    for level in SUMMARIES:
        groups: dict[tuple[str, int], list[int | None]] = {}
        for (gpu_id, at), value in seconds.items():
            groups.setdefault((gpu_id, at // level.step_s * level.step_s), []).append(value)
        expected = {key: summarise(len(values), {"power_mw": values}) for key, values in groups.items()}
        found = {
            key: Span(span.readings, {name: found for name, found in span.metrics.items() if name == "power_mw"})
            for key, span in (await shelf.kept(level)).items()
        }
        assert found == expected


def batches(readings: Sequence[Reading], size: int) -> list[Sequence[Reading]]:
    return [readings[index : index + size] for index in range(0, len(readings), size)]


async def test_a_batch_that_comes_twice_changes_nothing(shelf: Shelf) -> None:
    batch = [reading(second, card) for second in range(150) for card in ("A", "B")]
    await shelf.history.append(batch)
    once = await shelf.everything()
    await shelf.history.append(batch)
    await shelf.history.append(batch[10:20])
    assert await shelf.everything() == once
    assert len(await shelf.seconds()) == 300
    await sums_agree(shelf)
    assert [len(await shelf.kept(level)) for level in SUMMARIES] == [6, 2, 2]


@pytest.mark.parametrize("size", [1, 7, 60, 61, 1000])
async def test_how_it_is_cut_into_batches_does_not_matter(shelf: Shelf, size: int) -> None:
    readings = [reading(second) for second in range(0, 200, 2)]
    for batch in batches(readings, size):
        await shelf.history.append(batch)
    assert len(await shelf.seconds()) == 100
    await sums_agree(shelf)


async def test_a_late_batch_is_merged_into_its_minute_and_hour(shelf: Shelf) -> None:
    await shelf.history.append([reading(second) for second in range(30)])
    await shelf.history.append([reading(second) for second in range(90, 120)])
    await shelf.settle()
    await shelf.history.append([reading(second) for second in range(30, 90)])
    await sums_agree(shelf)
    (hour,) = (await shelf.kept(Level.HOURS)).values()
    assert hour.readings == 120


async def test_a_second_that_comes_again_is_replaced_metric_by_metric(shelf: Shelf) -> None:
    await shelf.history.append([reading(0, power_mw=1, temperature_c=40), reading(1, power_mw=2)])
    await shelf.history.append([reading(0, power_mw=9), reading(2, temperature_c=50)])
    assert [point.mean for point in await shelf.series(0, 10)] == [9, 2]
    assert [point.at.second for point in await shelf.series(0, 10, metric="temperature_c")] == [22]


async def test_an_hour_is_summarised_once_it_is_over(shelf: Shelf) -> None:
    for minute in range(0, 1860, 60):
        await shelf.history.append([reading(minute)])
    assert [len(await shelf.kept(level)) for level in SUMMARIES] == [30, 1, 1]
    due = await shelf.database.read(lambda c: c.execute("SELECT COUNT(*) FROM due").fetchone())
    assert due == (1,)  # the one that has just begun


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
        assert len(await shelf.seconds()) == len({entry for arrival in arrivals for entry in arrival})
        await database.close()


async def test_nothing_to_keep_is_nothing_done(shelf: Shelf) -> None:
    await shelf.history.append([])
    assert await shelf.everything() == [[], {}, {}, {}, {}]


async def test_a_metric_that_is_not_there_is_not_zero(shelf: Shelf) -> None:
    await shelf.history.append([reading(0, fan_percent=None, temperature_c=50), reading(1, fan_percent=30)])
    assert await shelf.series(0, 10, metric="fan_percent") == [Point(START + timedelta(seconds=1), 1, 30, 30, 30)]
    assert await shelf.series(0, 86_400, metric="power_mw") == []


@pytest.mark.parametrize("jump_s", [-86_400, -3600, -90, 90, 3600, 20 * 365 * 86_400, -20 * 365 * 86_400])
async def test_a_clock_that_jumps_within_a_batch_and_back_costs_nothing_of_what_was(shelf: Shelf, jump_s: int) -> None:
    await shelf.history.append([reading(second) for second in range(600)])
    before = await shelf.seconds()
    jumped = [reading(second + (jump_s if second < 630 else 0)) for second in range(600, 660)]
    await shelf.database.write(lambda c: keep(c, jumped))
    await sums_agree(shelf)
    assert (await shelf.seconds()).keys() == before.keys() | {("A", int(r.taken_at.timestamp())) for r in jumped}
    # And back for good: the same seconds are written over, not counted twice.
    await shelf.database.write(lambda c: keep(c, [reading(second) for second in range(590, 640)]))
    await sums_agree(shelf)
    await shelf.history.append([reading(660)])
    assert (await shelf.seconds()).keys() >= before.keys()


async def test_a_clock_before_all_time_is_no_time(shelf: Shelf) -> None:
    long_ago = Reading("A", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), power_mw=5, xid_events=(79,))
    await shelf.history.append([long_ago, reading(0)])
    assert len(await shelf.seconds()) == 1


async def test_a_clock_that_was_wrong_for_an_hour_costs_two_hours_of_seconds_and_not_all(shelf: Shelf) -> None:
    for hour in range(10):
        await shelf.history.append([reading(hour * 3600 + second) for second in range(0, 3600, 30)])
    whole = len(await shelf.seconds())
    for minute in range(60):
        await shelf.history.append([reading(365 * 86_400 + minute * 60)])
    assert whole - 2 * 60 * 2 <= len(await shelf.seconds()) - 60 < whole
    # Two hours were summarised meanwhile, so that at most four of the oldest lost their minutes; hours are for ever.
    await sums_of_minutes(shelf, 6 * 60)
    assert len(await shelf.kept(Level.HOURS)) == 11 + 2


async def sums_of_minutes(shelf: Shelf, least: int) -> None:
    """What was forgotten is still in the minutes."""
    await shelf.settle()
    assert len(await shelf.kept(Level.MINUTES)) >= least


async def test_old_seconds_go_as_fast_as_new_ones_come_and_only_once_they_are_summarised(shelf: Shelf) -> None:
    hours = SECONDS_KEPT_S // 3600 + 6
    for hour in range(hours):
        await shelf.history.append([reading(hour * 3600 + minute * 60) for minute in range(60)])
    seconds = sorted(at for _, at in await shelf.seconds())
    assert SECONDS_KEPT_S - 3600 <= seconds[-1] - seconds[0] <= SECONDS_KEPT_S + 3600
    assert seconds[0] // 60 * 60 % 3600 == 0
    await sums_of_minutes(shelf, hours * 60)


async def test_nothing_is_forgotten_that_is_in_no_summary(shelf: Shelf) -> None:
    await shelf.database.write(lambda c: keep(c, [reading(second) for second in range(0, 7200, 60)]))
    now_s = int(START.timestamp()) + 10 * SECONDS_KEPT_S
    assert await shelf.database.write(lambda c: forget_seconds(c, now_s, 1000)) == 0
    await shelf.settle()
    assert await shelf.database.write(lambda c: forget_seconds(c, now_s, 1000)) == 120


async def test_minutes_are_kept_for_ninety_days_and_hours_for_ever(shelf: Shelf) -> None:
    days = MINUTES_KEPT_S // 86_400 + 10
    for day in range(days):
        await shelf.history.append([reading(day * 86_400)])
    await shelf.settle()
    kept = sorted(at for _, at in await shelf.kept(Level.MINUTES))
    assert kept[-1] - kept[0] <= MINUTES_KEPT_S
    assert len(kept) >= 90
    assert len(await shelf.kept(Level.HOURS)) == len(await shelf.kept(Level.DAYS)) == days


async def test_a_late_second_does_not_take_the_place_of_a_minute_whose_seconds_are_forgotten(shelf: Shelf) -> None:
    await shelf.history.append([reading(second, power_mw=100) for second in range(40, 100)])
    await shelf.settle()
    await shelf.database.write(lambda c: c.execute("DELETE FROM seconds"))
    await shelf.history.append([reading(50, power_mw=7)])
    await shelf.settle()
    assert [summary.high for summary in await powers(shelf, Level.MINUTES)] == [100]
    assert [summary.n for summary in await powers(shelf, Level.HOURS)] == [60]


async def powers(shelf: Shelf, level: Level) -> list[Summary]:
    return [span.metrics["power_mw"] for span in (await shelf.kept(level)).values()]


async def test_the_seconds_of_an_hour_with_its_gaps(shelf: Shelf) -> None:
    await shelf.history.append([reading(second, power_mw=second) for second in (0, 1, 2, 10, 11)])
    found = await shelf.series(0, 3600)
    assert [(point.at - START).total_seconds() for point in found] == [0, 1, 2, 10, 11]
    assert [point.mean for point in found] == [0, 1, 2, 10, 11]
    assert {point.span_s for point in found} == {1}


@pytest.mark.parametrize(
    ("span_s", "step_s"),
    [(3600, 1), (3599.5, 1), (86_400, 60), (7 * 86_400, 60), (31 * 86_400, 3600), (366 * 86_400, 86_400)],
)
@pytest.mark.parametrize("is_settled", [False, True])
async def test_each_span_has_its_resolution_wherever_it_begins(
    shelf: Shelf, span_s: float, step_s: int, is_settled: bool
) -> None:
    ages = [*range(100), 3 * 3600, 3 * 86_400, 20 * 86_400, 200 * 86_400, 400 * 86_400]
    await shelf.history.append([reading(-age) for age in reversed(ages)])
    if is_settled:
        await shelf.settle()
    for begin in (0, 0.001, 0.5, 0.999):
        found = await shelf.series(begin - span_s + 1, begin + 1, points=20_000)
        assert {point.span_s for point in found} == {step_s}
        assert sum(1 for _ in found) == {1: 100, 60: 4, 3600: 4, 86_400: 4}[step_s] + (span_s == 7 * 86_400)


async def test_a_young_history_is_shown_finely_in_a_long_time(shelf: Shelf) -> None:
    """The time before the first reading says nothing, and costs nothing of the rest."""
    await shelf.history.append([reading(second) for second in range(100)])
    assert {point.span_s for point in await shelf.series(-365 * 86_400, 100)} == {1}
    await shelf.history.append([reading(-5 * 86_400)])
    await shelf.settle()
    assert {point.span_s for point in await shelf.series(-365 * 86_400, 100)} == {60}


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
    await shelf.history.append([reading(-10 * 86_400), *(reading(second) for second in range(0, 7200, 5))])
    await shelf.settle()
    for table, step_s in ((None, 1), ("seconds", 60), ("minutes", 3600), ("hours", 86_400)):
        if table is not None:
            await shelf.database.write(lambda c, table=table: c.execute(f"DELETE FROM {table}"))
        found = await shelf.series(0, 3600)
        assert {point.span_s for point in found} == {step_s}
        assert found[0].at <= START + timedelta(seconds=60)


@pytest.mark.parametrize("span_s", [3600, 86_400, 30 * 86_400, 365 * 86_400])
async def test_what_is_due_is_shown_as_if_it_were_done(shelf: Shelf, span_s: int) -> None:
    """Before and after the summaries are made, and when late seconds have made some of them due again."""
    old = [reading(-age * 7200, power_mw=age) for age in range(20 * 12, 0, -1)]
    await shelf.history.append(old)
    await shelf.settle()
    await shelf.database.write(lambda c: keep(c, [reading(second) for second in range(-9000, 60, 10)]))
    before = await shelf.series(60 - span_s, 60, 500)
    await shelf.settle()
    assert await shelf.series(60 - span_s, 60, 500) == before
    assert len(before) > 3


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


# -- events -----------------------------------------------------------------------------------------------------------


async def test_every_error_number_is_kept_once_with_its_time(shelf: Shelf) -> None:
    given = [reading(0.25), reading(1.5, xid_events=(48, 48, 63)), reading(2, "B", xid_events=(79,))]
    await shelf.history.append(given)
    await shelf.history.append(given)
    shelf.memory = [given[1], reading(3, xid_events=(31,))]
    found = await shelf.history.events("A", START, START + timedelta(seconds=10))
    assert [(event.number, event.at - START) for event in found] == [
        (48, timedelta(seconds=1.5)),
        (48, timedelta(seconds=1.5)),
        (63, timedelta(seconds=1.5)),
        (31, timedelta(seconds=3)),
    ]
    assert await shelf.history.events("A", START, START + timedelta(seconds=1.5)) == []
    assert [event.number for event in await shelf.history.events("B", START, START + timedelta(days=1))] == [79]
    assert await shelf.history.events("C", START, START + timedelta(days=1)) == []


# -- all that a card may report ---------------------------------------------------------------------------------------


async def test_every_metric_is_kept(shelf: Shelf) -> None:
    values = {metric.name: metric.high for metric in METRICS if hasattr(Reading("", START), metric.name)}
    derived = {"throttled_by_heat": 1, "throttled_by_power": 0}
    reasons = (ThrottleReason.TEMPERATURE,)
    plain = {name: value for name, value in values.items() if name not in derived}
    await shelf.history.append([reading(second, throttle_reasons=reasons, **plain) for second in range(90)])
    for is_settled in (False, True):
        if is_settled:
            await shelf.settle()
        for name, value in (plain | derived).items():
            for span_s in (3600, 86_400):
                found = await shelf.series(90 - span_s, 90, metric=name)
                assert {(point.low, point.mean, point.high) for point in found} == {(value, value, value)}


async def test_a_metric_of_a_later_version_needs_no_new_file(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    await shelf.history.append([reading(0)])
    numbers = (await shelf.database.read(rows.read_names)).metrics
    later = (*rows.KEPT[:3], "tensor_load_percent", *rows.KEPT[3:])
    monkeypatch.setattr(rows.name_all, "__defaults__", (later,))
    await shelf.history.append([reading(1)])
    found = (await shelf.database.read(rows.read_names)).metrics
    assert found == {**numbers, "tensor_load_percent": max(numbers.values()) + 1}
    assert len(await shelf.series(0, 10)) == 2


async def test_who_counted_the_energy_is_kept_with_it(shelf: Shelf) -> None:
    added_up = {"energy_mj": 5, "energy_source": EnergySource.INTEGRATED}
    await shelf.history.append([reading(0, energy_mj=5), reading(1, **added_up)])

    def marks(connection: Connection) -> list[int | None]:
        names = rows.read_names(connection)
        (raw,) = rows.get_raw(connection, names, names.cards["A"], 0, FOR_EVER)
        return list(raw.columns[rows.ENERGY_INTEGRATED])

    assert await shelf.database.read(marks) == [None, 1]
