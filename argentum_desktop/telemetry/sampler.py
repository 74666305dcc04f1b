"""One reading of every card each second, kept for five minutes and handed on minute by minute.

While a card is under a health check's load they are asked four times a second; what is kept stays one a second.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from argentum_desktop.clock import Clock
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import SensorError, StoreError
from argentum_desktop.events import EventBus
from argentum_desktop.telemetry.energy import MissingEnergy

log = logging.getLogger(__name__)

PERIOD_S = 1.0
HURRIED_PERIOD_S = 0.25
MINUTE_S = 60
KEPT_S = 300.0
# A sleep ends late and never early. Asked in the last part of a second, one now and then would fall into the next, and
# leave a second without a reading.
LATEST_IN_SECOND_S = 0.8
_KEPT_PER_CARD = int(KEPT_S / PERIOD_S)  # bounds memory also when the wall clock is set back


@dataclass(frozen=True)
class ReadingsTaken:
    """Published after each tick on which the sensor answered."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class SensorFailed:
    """Published once when the cards can no longer be read."""

    message: str
    remedy: str


@dataclass(frozen=True)
class SensorRecovered:
    """Published once when they can be read again."""


@dataclass(frozen=True)
class HistoryFailed:
    """Published once when readings can no longer be kept; what the cards do now is still shown."""

    message: str
    remedy: str


@dataclass(frozen=True)
class HistoryRecovered:
    """Published once when they can be kept again."""


class ReadingSource(Protocol):
    """Who is asked each second."""

    async def read(self, *, all_anew: bool) -> Sequence[Reading]:
        """Raises `SensorError` when there is no answer."""
        ...


class ReadingSink(Protocol):
    """Who keeps the readings."""

    async def append(self, readings: Sequence[Reading]) -> None:
        """Keep them all or none; raises `StoreError` when that fails. A reading given again does no harm."""
        ...


class Sampler:
    """Asks once a period, on a fixed grid, for as long as `run` runs."""

    def __init__(self, source: ReadingSource, sink: ReadingSink, clock: Clock, bus: EventBus) -> None:
        self._source = source
        self._sink = sink
        self._clock = clock
        self._bus = bus
        self._recent: dict[str, deque[Reading]] = {}
        self._pending: deque[Reading] = deque()
        self._energy = MissingEnergy()
        self._storing: asyncio.Task[None] | None = None
        self._sensor_failed = False
        self._history_failed = False
        self._hurried = 0
        self._read_took_s = 0.0

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Ask four times a second while this is held; whoever hears `ReadingsTaken` hears them all."""
        self._hurried += 1
        try:
            yield
        finally:
            self._hurried -= 1

    def recent(self, gpu_id: str) -> tuple[Reading, ...]:
        """The readings of the last five minutes, oldest first."""
        return tuple(self._recent.get(gpu_id, ()))

    def latest(self, gpu_id: str) -> Reading | None:
        """The last reading, None while there is none; how old it is, its `taken_at` says."""
        readings = self._recent.get(gpu_id)
        return readings[-1] if readings else None

    async def run(self) -> None:
        """Sample until cancelled; what is not stored yet then is stored by `flush`."""
        start_s = self._clock.elapsed_s()
        tick = 0
        minute = self._minute()
        while True:
            if self._clock.now().timestamp() % 1 > LATEST_IN_SECOND_S:
                start_s -= PERIOD_S / 2
            await self.sample()
            if self._minute() != minute:
                minute = self._minute()
                self._begin_storing()
            # The next point of the grid that is still ahead: ticks missed in a sleep or a hang are not made up for.
            passed = (self._clock.elapsed_s() - start_s) / PERIOD_S
            tick = max(tick + 1, math.floor(passed) + 1)
            await self._sleep_until(start_s + tick * PERIOD_S)

    async def _sleep_until(self, at_s: float) -> None:
        """Until the next tick of the grid, with readings in between while somebody is in a hurry."""
        while (left_s := at_s - self._clock.elapsed_s()) > 0:
            # The tick of the grid is the one that is kept: none in between may still be read when it comes.
            if not self._hurried or left_s <= 1.5 * HURRIED_PERIOD_S + self._read_took_s:
                await self._clock.sleep(left_s)
                return
            await self._clock.sleep(HURRIED_PERIOD_S)
            await self.sample(is_kept=False)

    async def sample(self, *, is_kept: bool = True) -> None:
        """Take one reading of every card now; one that is not kept is heard of all the same."""
        began_s = self._clock.elapsed_s()
        # Error counts are half a minute old at most, and a health check wants them as they are at its end.
        all_anew = bool(self._hurried) and is_kept
        try:
            readings = tuple(map(self._energy.complete, await self._source.read(all_anew=all_anew)))
        except SensorError as error:
            self._note_sensor_failure(error)
            return
        finally:
            self._read_took_s = self._clock.elapsed_s() - began_s
        if self._sensor_failed:
            self._sensor_failed = False
            log.info("the cards can be read again")
            self._bus.publish(SensorRecovered())
        kept = readings if is_kept else tuple(reading for reading in readings if reading.xid_events)
        for reading in kept:
            self._keep(reading)
        self._pending.extend(kept)
        self._drop_what_is_too_old()
        self._bus.publish(ReadingsTaken(readings))

    async def flush(self) -> None:
        """Hand on everything not stored yet, and wait for it."""
        if self._storing is not None:
            await self._storing
        await self._store()

    def _begin_storing(self) -> None:
        """Store in the background, so that a slow disk costs no tick; one batch at a time."""
        if self._storing is not None:
            if not self._storing.done():
                return
            self._storing.result()  # only a bug is raised here
        self._storing = asyncio.create_task(self._store(but_minute=self._minute()))

    async def _store(self, but_minute: int | None = None) -> None:
        """Hand on what is pending, but not the minute that has only begun: each is best written once and whole."""
        batch = tuple(reading for reading in self._pending if _minute_of(reading.taken_at) != but_minute)
        if not batch:
            return
        self._pending = deque(reading for reading in self._pending if _minute_of(reading.taken_at) == but_minute)
        try:
            await self._sink.append(batch)
        except StoreError as error:
            self._pending.extendleft(reversed(batch))
            self._drop_what_is_too_old()
            self._note_history_failure(error)
            return
        except BaseException:
            self._pending.extendleft(reversed(batch))  # cancelled halfway: `flush` gives them again
            raise
        if self._history_failed:
            self._history_failed = False
            log.info("readings are kept again")
            self._bus.publish(HistoryRecovered())

    def _keep(self, reading: Reading) -> None:
        readings = self._recent.setdefault(reading.gpu_id, deque(maxlen=_KEPT_PER_CARD))
        readings.append(reading)
        oldest = reading.taken_at - timedelta(seconds=KEPT_S)
        while readings[0].taken_at <= oldest:
            readings.popleft()

    def _drop_what_is_too_old(self) -> None:
        """What could not be stored for five minutes is given up: memory stays bounded whatever the disk does."""
        while len(self._pending) > _KEPT_PER_CARD * max(1, len(self._recent)):
            self._pending.popleft()

    def _minute(self) -> int:
        return _minute_of(self._clock.now())

    def _note_sensor_failure(self, error: SensorError) -> None:
        if self._sensor_failed:
            return
        self._sensor_failed = True
        log.warning("the cards cannot be read: %s", error)
        self._bus.publish(SensorFailed(error.message, error.remedy))

    def _note_history_failure(self, error: StoreError) -> None:
        if self._history_failed:
            return
        self._history_failed = True
        log.warning("readings cannot be kept: %s", error)
        self._bus.publish(HistoryFailed(error.message, error.remedy))


def _minute_of(at: datetime) -> int:
    return int(at.timestamp() // MINUTE_S)
