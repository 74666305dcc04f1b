"""The cards, as the sensor tells of them: kept up to date on the bench, and told to the jobs that use them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.domain.gpu import Gpu, GpuState, SourceReport
from argentum_desktop.domain.job import MIB, JobState
from argentum_desktop.domain.reading import Reading, lost
from argentum_desktop.errors import ArgentumError, CardLostError, NoCardError, SensorError, StoreError
from argentum_desktop.gpus.watched_sensor import CardsFound, Sensor
from argentum_desktop.system.host import read_host
from argentum_desktop.telemetry.history import HistoryRescued
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
_LOST = (
    "The card no longer answers its driver.",
    "Check its seat and its power cables, then restart the computer.",
)


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
        self._told_lost: set[str] = set()
        events = bench.events
        events.subscribe(CardsFound, lambda event: self._found(event.reports))
        events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))
        events.subscribe(SensorFailed, lambda event: self._failed("sensor", SensorError(event.message, event.remedy)))
        events.subscribe(SensorRecovered, lambda _: notices.take_down("sensor"))
        events.subscribe(HistoryFailed, lambda event: self._failed("history", StoreError(event.message, event.remedy)))
        events.subscribe(HistoryRecovered, lambda _: notices.take_down("history"))
        events.subscribe(
            HistoryRescued, lambda event: notices.put("history file", StoreError(event.message, event.remedy))
        )
        events.subscribe(LeaseMoved, self._moved)

    async def run(self) -> None:
        """Keep the rest of the machine in view too."""
        while True:
            self._bench.host = await asyncio.to_thread(read_host, self._bench.home.root)
            await self._bench.clock.sleep(HOST_EVERY_S)

    def _found(self, reports: Sequence[SourceReport]) -> None:
        """Take over the new list; cards that were there before and are not now stay in view as lost."""
        before = self._bench.gpus
        gpus = with_lost(before, reports)
        self._bench.gpus = gpus
        for gpu_id in before.keys() | gpus.keys():
            gpu = gpus.get(gpu_id)
            if gpu is None or gpu.state is not GpuState.READY:
                self._give_up(gpu_id, is_shown=gpu is not None and gpu.state is GpuState.LOST)
        self._tell_of_lost(gpus)
        self._tell_of_none(reports)

    def _give_up(self, gpu_id: str, *, is_shown: bool) -> None:
        """A card that no driver answers for reports nothing, and a job on it has lost it, whatever became of it."""
        runs = self._using(gpu_id)
        if runs or is_shown:
            self._bench.readings[gpu_id] = lost(gpu_id, self._bench.clock.now())
        else:
            self._bench.readings.pop(gpu_id, None)
        for run in runs:
            run.wake()

    def _tell_of_lost(self, gpus: Mapping[str, Gpu]) -> None:
        now_lost = {gpu_id: gpu for gpu_id, gpu in gpus.items() if gpu.state is GpuState.LOST}
        for gpu_id, gpu in now_lost.items():
            self._notices.put(f"card {gpu_id}", CardLostError(f"{gpu.label}: {gpu.problem}", gpu.remedy))
        for gpu_id in self._told_lost - now_lost.keys():
            self._notices.take_down(f"card {gpu_id}")
        self._told_lost = set(now_lost)

    def _tell_of_none(self, reports: Sequence[SourceReport]) -> None:
        if any(gpu.state is GpuState.READY for gpu in self._bench.gpus.values()):
            self._notices.take_down("cards")
            return
        hindered = next((gpu for gpu in self._bench.gpus.values() if gpu.problem), None)
        problem = next((report for report in reports if report.problem), None)
        if hindered is not None:
            self._notices.put("cards", NoCardError(f"{hindered.label}: {hindered.problem}", hindered.remedy))
        elif problem is not None:
            self._notices.put("cards", NoCardError(problem.problem, problem.remedy))
        else:
            self._notices.put("cards", NoCardError("No card was found in this computer."))

    def _taken(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            self._bench.readings[reading.gpu_id] = reading
            for number in reading.xid_events:
                log.warning("%s reported the error %s (NVIDIA's Xid)", self._label(reading.gpu_id), number)
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

    def _label(self, gpu_id: str) -> str:
        gpu = self._bench.gpus.get(gpu_id)
        return gpu.label if gpu else gpu_id

    def _using(self, gpu_id: str) -> list[JobRun]:
        return [run for run in self._runs() if gpu_id in run.lease.gpu_ids]


def with_lost(before: Mapping[str, Gpu], reports: Sequence[SourceReport]) -> dict[str, Gpu]:
    """The cards by id: those listed now, and as lost those that answered before and do not now. Pure.

    A lost card may still stand in the list of the bus, under the only name it has there; it is shown once, as itself.
    """
    listed = [gpu for report in reports for gpu in report.gpus]
    words = {report.vendor: (report.problem, report.remedy) for report in reports if report.problem}
    gpus = {gpu.gpu_id: gpu for gpu in listed}
    for gpu in before.values():
        if gpu.gpu_id in gpus or gpu.state not in {GpuState.READY, GpuState.LOST}:
            continue
        same_place = [other for other in listed if gpu.pci_address and other.pci_address == gpu.pci_address]
        if any(other.state is not GpuState.IGNORED for other in same_place):
            continue  # another card sits there now, or its owner gave it to a virtual machine or took its driver away
        for other in same_place:
            gpus.pop(other.gpu_id, None)
        problem, remedy = words.get(gpu.vendor, _LOST)
        gpus[gpu.gpu_id] = replace(gpu, state=GpuState.LOST, problem=problem, remedy=remedy)
    return gpus
