"""The cards, as the sensor tells of them: kept up to date on the bench, and told to the jobs that use them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.job import MIB, JobState
from argentum_desktop.domain.reading import Absence, Reading
from argentum_desktop.errors import ArgentumError, NoCardError, SensorError, StoreError
from argentum_desktop.gpus.watched_sensor import CardsFound, Sensor
from argentum_desktop.system.host import read_host
from argentum_desktop.telemetry.sampler import (
    HistoryFailed,
    HistoryRecovered,
    ReadingsTaken,
    SensorFailed,
    SensorRecovered,
)

log = logging.getLogger(__name__)

HOST_EVERY_S = 5.0
SIMULATED_LOAD_PERCENT = 96


class CardsWatch:
    """Listens to the sensor's and the sampler's events."""

    def __init__(
        self, bench: Bench, sensor: Sensor, notices: NoticeBoard, runs: Callable[[], Sequence[JobRun]]
    ) -> None:
        self._bench = bench
        self._sensor = sensor
        self._notices = notices
        self._runs = runs
        self._loads: set[asyncio.Task[None]] = set()
        events = bench.events
        events.subscribe(CardsFound, lambda event: self._found(event.reports))
        events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))
        events.subscribe(SensorFailed, lambda event: self._failed("sensor", SensorError(event.message, event.remedy)))
        events.subscribe(SensorRecovered, lambda _: notices.take_down("sensor"))
        events.subscribe(HistoryFailed, lambda event: self._failed("history", StoreError(event.message, event.remedy)))
        events.subscribe(HistoryRecovered, lambda _: notices.take_down("history"))
        events.subscribe(LeaseMoved, self._moved)

    async def run(self) -> None:
        """Keep the rest of the machine in view too."""
        while True:
            self._bench.host = await asyncio.to_thread(read_host, self._bench.home.root)
            await self._bench.clock.sleep(HOST_EVERY_S)

    def _found(self, reports: Sequence[SourceReport]) -> None:
        """Cards that were there before and are not now stay in view as lost while a job is on them."""
        gpus = {gpu.gpu_id: gpu for report in reports for gpu in report.gpus}
        for gpu_id in self._bench.gpus.keys() - gpus.keys():
            self._bench.readings.pop(gpu_id, None)
            for run in self._using(gpu_id):
                gpus[gpu_id] = self._bench.gpus[gpu_id]
                lost = Reading(gpu_id, self._bench.clock.now(), absent={"temperature_c": Absence.LOST})
                self._bench.readings[gpu_id] = lost
                run.wake()
        self._bench.gpus = gpus
        problem = next((report for report in reports if report.problem), None)
        if not gpus and problem is not None:
            self._notices.put("cards", NoCardError(problem.problem, problem.remedy))
        elif not gpus:
            self._notices.put("cards", NoCardError("No card was found in this computer."))
        else:
            self._notices.take_down("cards")

    def _taken(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            self._bench.readings[reading.gpu_id] = reading
            for run in self._using(reading.gpu_id):
                if run.lease.state is JobState.RUNNING:
                    run.meter.add(reading)

    def _failed(self, part: str, error: ArgentumError) -> None:
        self._notices.put(part, error)
        if part == "sensor":
            # What is not known any more must not be taken for true: a card that cannot be read takes no job.
            self._bench.readings.clear()

    def _moved(self, event: LeaseMoved) -> None:
        """A simulated card gets as warm as its job would make it."""
        lease = event.lease
        works = lease.state is JobState.RUNNING and lease.frozen_at is None
        for gpu_id in lease.gpu_ids:
            gpu = self._bench.gpus.get(gpu_id)
            if gpu is not None and gpu.is_simulated:
                used = max(lease.job.limits.vram_mib * MIB, (gpu.memory_total_bytes or 0) * 2 // 3)
                percent, memory = (SIMULATED_LOAD_PERCENT, used) if works else (0, 0)
                task = asyncio.ensure_future(self._sensor.set_load(gpu_id, percent, memory))
                self._loads.add(task)
                task.add_done_callback(self._loads.discard)

    def _using(self, gpu_id: str) -> list[JobRun]:
        return [run for run in self._runs() if gpu_id in run.lease.gpu_ids]
