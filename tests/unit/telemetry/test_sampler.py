"""The sampler on a clock that only moves when it is slept on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from quiet_log import ExpectLog
from small_disk import SmallDisk, small_disk

from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import DiskFullError, SensorError, StoreError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History
from argentum_desktop.telemetry.sampler import (
    KEPT_S,
    HistoryFailed,
    HistoryRecovered,
    ReadingsTaken,
    Sampler,
    SensorFailed,
    SensorRecovered,
)

__all__ = ["small_disk"]


class SteppedClock:
    """Sleeping is what makes its time pass; `stop_at_s` ends the test by cancelling the sleeper."""

    def __init__(self, stop_at_s: float) -> None:
        self.start = datetime(2026, 3, 1, tzinfo=UTC)
        self.at_s = 0.0
        self.stop_at_s = stop_at_s

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.at_s)

    def elapsed_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds
        await asyncio.sleep(0)
        if self.at_s >= self.stop_at_s:
            raise asyncio.CancelledError


class SimulatedSensor:
    """Simulated cards in this process; a read takes `cost_s` of the clock and fails while that is in `down`."""

    def __init__(self, clock: SteppedClock, cards: int = 2) -> None:
        self.clock = clock
        self.cards = SimulatedSource(cards)
        self.cost_s = 0.0
        self.down = (-1.0, -1.0)
        self.asked_at: list[float] = []
        self.asked_all_at: list[float] = []

    async def read(self, *, all_anew: bool) -> Sequence[Reading]:
        self.asked_at.append(self.clock.at_s)
        if all_anew:
            self.asked_all_at.append(self.clock.at_s)
        self.clock.at_s += self.cost_s
        if self.down[0] <= self.clock.at_s < self.down[1]:
            raise SensorError("The driver hangs.", "Wait.")
        return self.cards.read(self.clock.now())


class ListSink:
    """Keeps batches; refuses while `error` is set."""

    def __init__(self) -> None:
        self.batches: list[tuple[Reading, ...]] = []
        self.tried = 0
        self.error: StoreError | None = None

    async def append(self, readings: Sequence[Reading]) -> None:
        self.tried += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.batches.append(tuple(readings))


class House:
    """A sampler with everything around it."""

    def __init__(self, for_s: float) -> None:
        self.clock = SteppedClock(for_s)
        self.sensor = SimulatedSensor(self.clock)
        self.sink = ListSink()
        self.bus = EventBus()
        self.events: list[object] = []
        for kind in (ReadingsTaken, SensorFailed, SensorRecovered, HistoryFailed, HistoryRecovered):
            self.bus.subscribe(kind, self.events.append)
        self.sampler = Sampler(self.sensor, self.sink, self.clock, self.bus)

    async def run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self.sampler.run()

    def said(self, *kinds: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kinds)]


async def test_it_asks_once_a_second_on_the_grid_whatever_a_read_takes() -> None:
    house = House(20)
    house.sensor.cost_s = 0.37
    await house.run()
    assert house.sensor.asked_at == pytest.approx([float(second) for second in range(20)])


async def test_ticks_missed_in_a_hang_or_a_sleep_are_not_made_up_for() -> None:
    house = House(10)
    house.sensor.cost_s = 2.5
    await house.run()
    assert house.sensor.asked_at == pytest.approx([0, 3, 6, 9])


async def test_in_a_hurry_it_asks_four_times_a_second_and_keeps_one() -> None:
    house = House(10)
    with house.sampler.hurry():
        await house.run()
    assert house.sensor.asked_at == pytest.approx([quarter / 4 for quarter in range(40)])
    assert len(house.said(ReadingsTaken)) == 40
    assert house.sensor.asked_all_at == pytest.approx(list(range(10)))
    await house.sampler.flush()
    kept = [reading for batch in house.sink.batches for reading in batch if reading.gpu_id.endswith("0")]
    assert len(kept) == 10
    assert len(house.sampler.recent(kept[0].gpu_id)) == 10


@pytest.mark.parametrize("cost_s", [0.1, 0.3, 0.6, 0.9])
async def test_a_hurry_with_slow_readings_still_keeps_every_second(cost_s: float) -> None:
    house = House(20)
    house.sensor.cost_s = cost_s
    with house.sampler.hurry():
        await house.run()
    await house.sampler.flush()
    seconds = {int(reading.taken_at.timestamp()) for batch in house.sink.batches for reading in batch}
    assert len(seconds) >= 19


async def test_the_last_five_minutes_are_at_hand_and_no_more() -> None:
    house = House(400)
    await house.run()
    recent = house.sampler.recent("SIM-1")
    assert len(recent) == KEPT_S
    assert recent[-1] == house.sampler.latest("SIM-1")
    assert recent[-1].taken_at - recent[0].taken_at == timedelta(seconds=KEPT_S - 1)
    assert house.sampler.recent("SIM-9") == ()
    assert house.sampler.latest("SIM-9") is None


async def test_a_wall_clock_that_is_set_back_does_not_fill_the_memory() -> None:
    house = House(1000)
    house.clock.start += timedelta(hours=1)
    for second in range(700):
        if second == 350:
            house.clock.start -= timedelta(hours=1)
        house.clock.at_s = second
        await house.sampler.sample()
    assert len(house.sampler.recent("SIM-0")) <= KEPT_S
    await house.sampler.flush()
    assert sum(map(len, house.sink.batches)) <= 2 * KEPT_S


async def test_a_minute_is_handed_on_at_a_time_and_the_rest_at_the_end() -> None:
    house = House(150)
    await house.run()
    assert [len(batch) for batch in house.sink.batches] == [120, 120]
    assert [{reading.taken_at.minute for reading in batch} for batch in house.sink.batches] == [{0}, {1}]
    await house.sampler.flush()
    stored = [reading for batch in house.sink.batches for reading in batch]
    assert len(stored) == 300
    assert len({(reading.gpu_id, reading.taken_at) for reading in stored}) == 300
    await house.sampler.flush()
    assert len(house.sink.batches) == 3


async def test_batches_end_with_the_minute_of_the_clock_wherever_it_began() -> None:
    house = House(100)
    house.clock.start += timedelta(seconds=42.3)
    await house.run()
    seconds = [sorted({reading.taken_at.second for reading in batch}) for batch in house.sink.batches]
    assert seconds == [list(range(42, 60)), list(range(60))]


@pytest.mark.parametrize("jump_s", [-3600, -90, 90, 3600])
async def test_a_clock_that_is_set_costs_no_reading(jump_s: float) -> None:
    house = House(300)
    read, taken = house.sensor.read, 0

    async def read_and_jump(*, all_anew: bool) -> Sequence[Reading]:
        nonlocal taken
        taken += 1
        if taken == 100:
            house.clock.start += timedelta(seconds=jump_s)
        return await read(all_anew=all_anew)

    house.sensor.read = read_and_jump  # type: ignore[method-assign]
    await house.run()
    await house.sampler.flush()
    assert sum(map(len, house.sink.batches)) == 600
    assert all(len({r.taken_at.replace(second=0, microsecond=0) for r in b}) <= 2 for b in house.sink.batches[:-1])


async def test_no_second_is_left_out_because_a_sleep_ends_a_little_late() -> None:
    """The grid begins so near to the end of a second that the least delay would be the next one."""
    house = House(120)
    house.clock.start += timedelta(milliseconds=999)
    sleep, late = house.clock.sleep, iter([0.0, 0.004, 0.0005, 0.002] * 40)

    async def sleep_a_little_longer(seconds: float) -> None:
        await sleep(seconds + next(late))

    house.clock.sleep = sleep_a_little_longer  # type: ignore[method-assign]
    await house.run()
    seconds = [int(entry.taken_at.timestamp()) for entry in house.sampler.recent("SIM-0")]
    assert set(seconds) == set(range(min(seconds), max(seconds) + 1))
    assert len(seconds) <= len(set(seconds)) + 1


async def test_every_reading_is_published() -> None:
    house = House(5)
    await house.run()
    taken = house.said(ReadingsTaken)
    assert len(taken) == 5
    assert [reading.gpu_id for reading in taken[0].readings] == ["SIM-0", "SIM-1"]


async def test_a_failing_sensor_is_a_gap_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    house = House(60)
    house.sensor.down = (10, 30)
    await house.run()
    assert house.said(SensorFailed, SensorRecovered) == [SensorFailed("The driver hangs.", "Wait."), SensorRecovered()]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    seconds = [int((reading.taken_at - house.clock.start).total_seconds()) for reading in house.sampler.recent("SIM-0")]
    assert seconds == [*range(10), *range(30, 60)]


async def test_a_full_disk_costs_no_tick_and_nothing_of_the_last_minutes(caplog: pytest.LogCaptureFixture) -> None:
    house = House(250)
    house.sink.error = DiskFullError("The disk is full.", "Make room.")
    await house.run()
    assert len(house.sensor.asked_at) == 250
    assert house.said(HistoryFailed, HistoryRecovered) == [HistoryFailed("The disk is full.", "Make room.")]
    house.sink.error = None
    await house.sampler.flush()
    assert house.said(HistoryRecovered) == [HistoryRecovered()]
    assert sum(map(len, house.sink.batches)) == 500
    assert "disk is full" in caplog.text


async def test_a_disk_that_stays_full_drops_the_oldest_and_keeps_the_memory_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(700)
    house.sink.error = StoreError("The database is locked.")
    await house.run()
    assert house.sink.tried > 5
    house.sink.error = None
    await house.sampler.flush()
    kept = [reading for batch in house.sink.batches for reading in batch]
    assert len(kept) == 2 * KEPT_S
    assert kept[-1].taken_at == house.clock.start + timedelta(seconds=699)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


async def test_a_slow_disk_costs_no_tick() -> None:
    house = House(200)
    free = asyncio.Event()

    class SlowSink(ListSink):
        async def append(self, readings: Sequence[Reading]) -> None:
            await free.wait()
            await super().append(readings)

    slow = SlowSink()
    house.sampler = Sampler(house.sensor, slow, house.clock, house.bus)
    await house.run()
    assert len(house.sensor.asked_at) == 200
    assert slow.tried == 0
    free.set()
    await house.sampler.flush()
    assert sum(map(len, slow.batches)) == 400


async def test_a_bug_in_the_sink_is_not_hidden() -> None:
    house = House(200)

    class BrokenSink(ListSink):
        async def append(self, readings: Sequence[Reading]) -> None:
            raise ZeroDivisionError

    house.sampler = Sampler(house.sensor, BrokenSink(), house.clock, house.bus)
    with pytest.raises(ZeroDivisionError):
        await house.run()


async def test_a_full_disk_stops_the_recording_with_a_notice_and_it_goes_on_by_itself(
    small_disk: SmallDisk, expect_log: ExpectLog
) -> None:
    """The real history on a real, small disk."""
    expect_log("readings cannot be kept: The disk that holds .* is full")
    house = House(200)
    database = Database(small_disk.folder / "history.db", migrations.TELEMETRY, durable=False)
    await database.open()
    history = History(database, lambda _: ())
    house.sampler = Sampler(house.sensor, history, house.clock, house.bus)
    await house.run()
    await house.sampler.flush()
    small_disk.fill()
    for house.clock.stop_at_s in (300, 400):
        await house.run()
        await house.sampler.flush()
    assert [type(event) for event in house.said(HistoryFailed, HistoryRecovered)] == [HistoryFailed]
    small_disk.make_room()
    await house.sampler.flush()
    assert [type(event) for event in house.said(HistoryFailed, HistoryRecovered)] == [HistoryFailed, HistoryRecovered]
    kept = await history.series("SIM-1", "power_mw", house.clock.start, house.clock.now(), 4000)
    assert len(kept) == 400
    await database.close()
