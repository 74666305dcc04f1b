"""Keeps cards that work for a market cool and quiet: their power limits follow heat and the owner's hours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.power_setter import PowerSetter
from argentum_desktop.domain.gpu import Gpu, GpuState
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import PowerLimitError, SensorError, StoreError
from argentum_desktop.gpus.watched_sensor import CardsFound, Sensor
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates.owner import card_offered
from argentum_desktop.policy.thermal import QUARTERS, Heat, PowerRange, may_still_help, next_heat
from argentum_desktop.policy.windows import in_force_at
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.sampler import ReadingsTaken

log = logging.getLogger(__name__)


class _Wish(NamedTuple):
    """What heat and the owner's hours ask of a card's limit."""

    quarters: int
    window_w: int | None


_OWN_LIMIT = _Wish(0, None)

# A limit that could not be set for want of an answer or of disk is tried again after so long.
AGAIN_AFTER_S = 5.0


class ThermalGuard:
    """Decides with each reading; what is to be set is set by a task of its own.

    Args:
        runs: the jobs under way.
    """

    def __init__(
        self,
        bench: Bench,
        database: Database,
        sensor: Sensor,
        notices: NoticeBoard,
        runs: Callable[[], Sequence[JobRun]],
    ) -> None:
        self._bench = bench
        self._notices = notices
        self._runs = runs
        self._setter = PowerSetter(database, sensor)
        self._heats: dict[str, Heat] = {}
        self._most: dict[str, int] = {}
        self._refused_w: dict[str, int] = {}
        self._due = asyncio.Event()
        bench.events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))
        bench.events.subscribe(CardsFound, lambda _: self._found())

    async def load(self) -> None:
        """Take up what an earlier run did not set back.

        Raises:
            StoreError: the database cannot be read.
        """
        await self._setter.load()

    async def run(self) -> None:
        """Set what is to be set, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                for gpu in tuple(self._bench.gpus.values()):
                    if gpu.state is GpuState.READY:
                        await self._see_to(gpu)
            except (SensorError, StoreError) as error:
                log.info("power limits: %s; again in %g s", error, AGAIN_AFTER_S)
                await self._bench.clock.sleep(AGAIN_AFTER_S)
                self._due.set()

    async def restore(self) -> None:
        """Set everything back, at the end of the application."""
        await self._setter.set_all_back()

    # -- deciding -----------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        """The sensor is another one, and with it perhaps the driver."""
        self._setter.forget()
        self._most.clear()
        self._refused_w.clear()
        self._due.set()

    def _taken(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            gpu = self._bench.gpus.get(reading.gpu_id)
            if gpu is not None:
                self._judge(gpu, reading)
        self._due.set()

    def _judge(self, gpu: Gpu, reading: Reading) -> None:
        """How hot the card is, and whether less power may still help it."""
        job = self._job_on(gpu.gpu_id)
        if job is None:
            self._heats.pop(gpu.gpu_id, None)
            self._bench.cooling.discard(gpu.gpu_id)
            return
        at, now_s = self._circumstances(gpu), self._bench.clock.elapsed_s()
        limit_c, temperature_c = at.temperature_limit_c, reading.temperature_c
        heat = self._heats.get(gpu.gpu_id, Heat())
        if job.lease.frozen_at is None:
            heat = next_heat(heat, temperature_c, limit_c, now_s, self._most_quarters(gpu, at))
            self._heats[gpu.gpu_id] = heat
        if may_still_help(heat, temperature_c, limit_c, now_s):
            self._bench.cooling.add(gpu.gpu_id)
        else:
            self._bench.cooling.discard(gpu.gpu_id)

    def _most_quarters(self, gpu: Gpu, at: Circumstances) -> int:
        known_mw = self._setter.changed.get(gpu.gpu_id, gpu.power_limit_mw)
        if known_mw is None or not _range(at, known_mw, self._wish(gpu, at).window_w).can_lower:
            return 0
        return self._most.get(gpu.gpu_id, QUARTERS)

    def _wish(self, gpu: Gpu, at: Circumstances) -> _Wish:
        """The limit that is wanted of a card. A frozen job draws nothing, and a health check measures it as it is."""
        if at.is_being_checked or not card_offered(at).is_yes:
            return _OWN_LIMIT
        job = self._job_on(gpu.gpu_id)
        quarters = self._heats.get(gpu.gpu_id, Heat()).quarters
        window_w = _window_w(at)
        if window_w is None or window_w != self._refused_w.get(gpu.gpu_id):
            self._refused_w.pop(gpu.gpu_id, None)
        else:
            window_w = None
        return _Wish(quarters if job is not None and job.lease.frozen_at is None else 0, window_w)

    def _job_on(self, gpu_id: str) -> JobRun | None:
        return next(
            (run for run in self._runs() if gpu_id in run.lease.gpu_ids and run.lease.state is JobState.RUNNING), None
        )

    def _circumstances(self, gpu: Gpu) -> Circumstances:
        return self._bench.circumstances(gpu, market_is_local=True)

    # -- setting ------------------------------------------------------------------------------------------------------

    async def _see_to(self, gpu: Gpu) -> None:
        """Bring one card to what is wanted of it, or back to its own.

        Raises:
            SensorError: there is no answer.
            StoreError: it cannot be written down.
        """
        at = self._circumstances(gpu)
        wish = self._wish(gpu, at)
        try:
            await self._fulfil(gpu, at, wish)
        except PowerLimitError as error:
            self._note_refusal(gpu, wish, error)
        else:
            if gpu.gpu_id not in self._most and gpu.gpu_id not in self._refused_w:
                self._notices.take_down(_part(gpu))

    async def _fulfil(self, gpu: Gpu, at: Circumstances, wish: _Wish) -> None:
        if wish != _OWN_LIMIT:
            original_mw = await self._setter.original_mw(gpu.gpu_id)
            limit_mw = _range(at, original_mw, wish.window_w).limit_mw(wish.quarters)
            if limit_mw != original_mw:
                await self._setter.bring_to(gpu.gpu_id, limit_mw)
                return
        await self._setter.set_back(gpu.gpu_id)

    def _note_refusal(self, gpu: Gpu, wish: _Wish, error: PowerLimitError) -> None:
        """Told once, and not asked for again until the sensor is another one."""
        self._notices.put(_part(gpu), PowerLimitError(f"{gpu.label}: {error.message}", error.remedy))
        if wish.quarters:
            self._most[gpu.gpu_id] = wish.quarters - 1
            self._heats[gpu.gpu_id] = Heat(wish.quarters - 1)
        elif wish.window_w is not None:
            self._refused_w[gpu.gpu_id] = wish.window_w


def _window_w(at: Circumstances) -> int | None:
    """The most the card may draw in the hours of this moment; most owners say nothing of it."""
    choices = at.settings.availability
    if all(window.power_limit_w is None for window in choices.windows):
        return None
    return in_force_at(choices, at.gpu.gpu_id, at.zone, at.now).power_limit_w


def _range(at: Circumstances, original_mw: int, window_w: int | None) -> PowerRange:
    window_mw = None if window_w is None else window_w * 1000
    return PowerRange(original_mw, window_mw, at.settings.cards.lower_power_percent)


def _part(gpu: Gpu) -> str:
    return f"power limit {gpu.gpu_id}"
