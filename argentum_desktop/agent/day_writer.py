"""Once a day (UTC) is over, what each card did in it goes into its passport; also when the application was off then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.passports import Passports
from argentum_desktop.domain.gpu import Gpu, GpuState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.summary import Span
from argentum_desktop.health.passport.days import JobTime, day_of_work
from argentum_desktop.telemetry.history import CardEvent

LOOK_EVERY_S = 600.0
# The last minutes of a day reach the disk a little later.
SETTLED_AFTER = timedelta(minutes=10)
# How far back it looks for days that were not written down.
MOST_DAYS = 400
_METRICS = ("temperature_c", "ecc_corrected", "ecc_uncorrected", "pcie_replays")
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


class CardHistory(Protocol):
    """Who remembers what the cards did: the history."""

    async def hours(
        self, gpu_id: str, start: datetime, end: datetime, metrics: Sequence[str]
    ) -> Mapping[datetime, Span]: ...

    async def begin(self, gpu_id: str) -> datetime | None: ...

    async def events(self, gpu_id: str, start: datetime, end: datetime) -> Sequence[CardEvent]: ...


class DayWriter:
    """Writes the days that are over, each once, the oldest first."""

    def __init__(self, bench: Bench, passports: Passports, history: CardHistory) -> None:
        self._bench = bench
        self._passports = passports
        self._history = history
        self._looked_at: dict[str, date] = {}

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self.write()
            await self._bench.clock.sleep(LOOK_EVERY_S)

    async def write(self) -> None:
        """Write what is over by now."""
        last = (self._bench.clock.now() - SETTLED_AFTER).astimezone(UTC).date() - _DAY
        for gpu in tuple(self._bench.gpus.values()):
            if gpu.state in {GpuState.READY, GpuState.LOST} and self._looked_at.get(gpu.gpu_id, date.min) < last:
                await self._write_card(gpu, last)
                self._looked_at[gpu.gpu_id] = last

    async def _write_card(self, gpu: Gpu, last: date) -> None:
        first, is_new = await self._first(gpu, last), False
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            start = datetime.combine(day, time(0), UTC)
            end = start + _DAY
            hours = await self._history.hours(gpu.gpu_id, start - _HOUR, end, _METRICS)
            before = hours.get(start - _HOUR)
            found = day_of_work(
                day,
                _job_times(await self._bench.book.touching(start, end), gpu.gpu_id, self._bench.clock.now()),
                {at.hour: span for at, span in hours.items() if at >= start},
                [event.number for event in await self._history.events(gpu.gpu_id, start, end)],
                before,
            )
            if found is not None:
                await self._passports.add_day(gpu, found)
                is_new = True
        if is_new:
            await self._passports.certify(gpu.gpu_id)

    async def _first(self, gpu: Gpu, last: date) -> date:
        """The day after the last one written; for a new passport the day on which the history begins."""
        written = await self._passports.last_day(gpu.gpu_id)
        if written is not None:
            return max(written + _DAY, last - timedelta(days=MOST_DAYS))
        begin = await self._history.begin(gpu.gpu_id)
        return max(begin.date(), last - timedelta(days=MOST_DAYS)) if begin is not None else last


def _job_times(leases: Iterable[Lease], gpu_id: str, now: datetime) -> list[JobTime]:
    """When jobs ran on this card; one that still does, until now."""
    return [
        JobTime(lease.started_at, lease.ended_at or now, lease.usage.energy_mj // len(lease.gpu_ids))
        for lease in leases
        if gpu_id in lease.gpu_ids and lease.started_at is not None
    ]
