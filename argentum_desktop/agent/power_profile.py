"""Watches what the cards draw while jobs run on them, and keeps it over a restart."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import StoreError
from argentum_desktop.policy.power_profile import READINGS_FOR_A_MINUTE, PowerProfile, is_plausible
from argentum_desktop.store import program_state
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.sampler import ReadingsTaken

log = logging.getLogger(__name__)

_KEY = "power-at-work"
_MINUTE = timedelta(minutes=1)
SAVE_EVERY_S = 300.0


@dataclass
class _Minute:
    """The minute that is being counted."""

    since: datetime
    readings: list[int] = field(default_factory=list)


class PowerWatch:
    """Listens to the sampler; tells the bench what each card draws at work once enough is known.

    Args:
        runs: the jobs under way.
    """

    def __init__(self, bench: Bench, database: Database, runs: Callable[[], Sequence[JobRun]]) -> None:
        self._bench = bench
        self._database = database
        self._runs = runs
        self._profiles: dict[str, PowerProfile] = {}
        self._counting: dict[str, _Minute] = {}
        self._is_new = False
        bench.events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))

    async def load(self) -> None:
        """Take up what an earlier run of the application measured; what cannot be read is measured anew."""
        text = await self._database.read(lambda connection: program_state.get(connection, _KEY))
        try:
            self._profiles = _decoded(text) if text else {}
        except (ValueError, TypeError, AttributeError) as error:
            log.info("what the cards drew at work is measured anew (%s)", error)
        for gpu_id in self._profiles:
            self._tell(gpu_id)

    async def run(self) -> None:
        """Keep it for ever."""
        while True:
            await self._bench.clock.sleep(SAVE_EVERY_S)
            await self.save()

    async def save(self) -> None:
        """Write down what is new.

        Raises:
            StoreError: it cannot be written now; nothing is lost as long as the application runs.
        """
        if not self._is_new:
            return
        text = json.dumps({gpu_id: dict(found.minutes_by_watts) for gpu_id, found in self._profiles.items()})
        await self._database.write(lambda connection: program_state.put(connection, _KEY, text))
        self._is_new = False

    async def close(self) -> None:
        """Write down what is new, if that can be done; a few minutes less are no loss."""
        try:
            await self.save()
        except StoreError as error:
            log.info("what the cards drew of late was not written down (%s)", error)

    def profile(self, gpu_id: str) -> PowerProfile:
        return self._profiles.get(gpu_id, PowerProfile())

    def _taken(self, readings: Sequence[Reading]) -> None:
        at_work = {gpu_id for run in self._runs() if _works(run) for gpu_id in run.lease.gpu_ids}
        for reading in readings:
            if reading.gpu_id not in at_work or reading.power_mw is None:
                self._counting.pop(reading.gpu_id, None)  # a minute counts only when a job ran through all of it
            else:
                self._count(reading.gpu_id, reading.taken_at, reading.power_mw)

    def _count(self, gpu_id: str, at: datetime, power_mw: int) -> None:
        minute = self._counting.setdefault(gpu_id, _Minute(at))
        if not minute.since <= at < minute.since + 2 * _MINUTE:  # the clock was set, or nobody looked for a while
            minute = self._counting[gpu_id] = _Minute(at)
        if at >= minute.since + _MINUTE:
            if len(minute.readings) >= READINGS_FOR_A_MINUTE:
                mean = sum(minute.readings) / len(minute.readings)
                self._profiles[gpu_id] = self.profile(gpu_id).with_minute(mean)
                self._is_new = True
                self._tell(gpu_id)
            minute = self._counting[gpu_id] = _Minute(at)
        minute.readings.append(power_mw)

    def _tell(self, gpu_id: str) -> None:
        power_mw = self._profiles[gpu_id].power_mw
        if power_mw is not None:
            self._bench.power_at_work_mw[gpu_id] = power_mw


def _works(run: JobRun) -> bool:
    return run.lease.state is JobState.RUNNING and run.lease.frozen_at is None


def _decoded(text: str) -> dict[str, PowerProfile]:
    profiles = {
        gpu_id: PowerProfile({int(watts): int(count) for watts, count in counts.items()})
        for gpu_id, counts in json.loads(text).items()
    }
    if not all(is_plausible(profile) for profile in profiles.values()):
        raise ValueError("a count that nobody counted")
    return profiles
