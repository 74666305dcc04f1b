"""Each day that is over stands in a card's passport once, with what the history and the jobs of that day tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from benches import BenchWithClock, a_bench
from health_scene import KeyInHand
from samples import GPU, lease

from argentum_desktop.agent.day_writer import DayWriter
from argentum_desktop.agent.passports import Passports
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.passport import DayOfWork, EntryKind
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport.chain import verify_chain
from argentum_desktop.health.passport.codec import day_of
from argentum_desktop.store import leases, migrations
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History

# The bench's clock says noon of the first of March.
TODAY = datetime(2026, 3, 1, tzinfo=UTC)
YESTERDAY = TODAY - timedelta(days=1)


def hour(day: datetime, number: int, **values: Any) -> Reading:
    return Reading(GPU.gpu_id, day + timedelta(hours=number, minutes=20), **values)


@dataclass
class Calendar:
    desk: BenchWithClock
    history: History
    passports: Passports

    def writer(self) -> DayWriter:
        """As after a start of the application."""
        return DayWriter(self.desk.bench, self.passports, self.history)

    async def days(self) -> list[DayOfWork]:
        try:
            passport = await self.passports.passport(GPU.gpu_id)
        except PassportError:
            return []
        assert verify_chain(passport).is_whole
        return [day_of(entry.body) for entry in passport.entries if entry.kind is EntryKind.DAY]

    async def job(self, started_at: datetime, ended_at: datetime | None, energy_mj: int, **changes: Any) -> None:
        state = JobState.CLOSED if ended_at is not None else JobState.RUNNING
        made = replace(
            lease(state),
            accepted_at=started_at,
            started_at=started_at,
            ended_at=ended_at,
            usage=Usage(10, energy_mj),
            **changes,
        )
        number = await self.desk.database.read(lambda c: c.execute("SELECT COUNT(*) FROM leases").fetchone()[0])
        made = replace(made, offer=replace(made.offer, lease_id=f"lse_{number}"))
        await self.desk.database.write(lambda connection: leases.save(connection, made))

    async def keep(self, readings: Sequence[Reading]) -> None:
        await self.history.append(readings)


@pytest.fixture
async def calendar(tmp_path: Path) -> AsyncIterator[Calendar]:
    async with a_bench(tmp_path) as desk:
        telemetry = Database(tmp_path / "history.db", migrations.TELEMETRY, durable=False)
        await telemetry.open()
        made = Calendar(desk, History(telemetry, lambda _: []), Passports(desk.database, KeyInHand(), desk.bench))
        yield made
        await telemetry.close()


async def test_a_day_that_is_over_is_written_once(calendar: Calendar) -> None:
    await calendar.keep(
        [
            hour(YESTERDAY, -2, temperature_c=50, ecc_corrected=3),
            hour(YESTERDAY, 9, temperature_c=60, ecc_corrected=5, pcie_replays=0),
            hour(YESTERDAY, 14, temperature_c=80, ecc_corrected=6, pcie_replays=2, xid_events=(13, 13)),
            hour(TODAY, 3, temperature_c=99, ecc_corrected=9, xid_events=(79,)),
        ]
    )
    start = YESTERDAY + timedelta(hours=9)
    await calendar.job(start, start + timedelta(hours=2), 720_000)
    await calendar.writer().write()
    days = await calendar.days()
    assert [day.day for day in days] == ["2026-02-27", "2026-02-28"]
    assert days[-1] == DayOfWork(
        day="2026-02-28",
        jobs=1,
        job_s=7200,
        energy_mj=720_000,
        hottest_hour=14,
        hottest_hour_mean_c=80,
        hottest_c=80,
        xids=((13, 2),),
        ecc_corrected=1,
        pcie_replays=2,
    )
    writer = calendar.writer()
    await writer.write()
    await writer.write()
    assert len(await calendar.days()) == 2


async def test_days_in_which_the_application_was_off_are_written_later(calendar: Calendar) -> None:
    await calendar.keep([hour(TODAY, -24 * 5, temperature_c=50), hour(TODAY, -24 * 2, temperature_c=70)])
    writer = calendar.writer()
    await writer.write()
    assert [day.day for day in await calendar.days()] == ["2026-02-24", "2026-02-27"]
    await calendar.keep([hour(TODAY, 10, temperature_c=55)])
    await calendar.desk.clock.advance(86_400)
    await writer.write()
    assert [day.day for day in await calendar.days()] == ["2026-02-24", "2026-02-27", "2026-03-01"]


async def test_a_day_is_settled_before_it_is_written(calendar: Calendar) -> None:
    await calendar.keep([hour(TODAY, 8, temperature_c=50)])
    writer = calendar.writer()
    await calendar.desk.clock.advance(12 * 3600 + 540)
    await writer.write()
    assert await calendar.days() == []
    await calendar.desk.clock.advance(120)
    await writer.write()
    assert [day.day for day in await calendar.days()] == ["2026-03-01"]


async def test_a_job_over_midnight_counts_in_both_days(calendar: Calendar) -> None:
    await calendar.job(TODAY - timedelta(hours=1), None, 1_300_000)
    await calendar.keep([hour(YESTERDAY, 23, temperature_c=70)])
    await calendar.writer().write()
    (day,) = await calendar.days()
    assert (day.jobs, day.job_s, day.energy_mj) == (1, 3600, 100_000)
    await calendar.desk.clock.advance(86_400)
    await calendar.writer().write()
    second = (await calendar.days())[-1]
    assert (second.day, second.jobs, second.job_s) == ("2026-03-01", 0, 86_400)


async def test_another_cards_jobs_are_not_its_own(calendar: Calendar) -> None:
    other = replace(lease().offer, gpu_ids=("GPU-9",))
    await calendar.job(YESTERDAY, YESTERDAY + timedelta(hours=1), 1000, offer=other)
    await calendar.writer().write()
    assert await calendar.days() == []


@pytest.mark.parametrize("state", [GpuState.NO_DRIVER, GpuState.PASSED_THROUGH, GpuState.IGNORED])
async def test_a_card_that_nobody_answers_for_has_no_days(calendar: Calendar, state: GpuState) -> None:
    calendar.desk.bench.gpus = {GPU.gpu_id: replace(GPU, state=state)}
    await calendar.keep([hour(YESTERDAY, 9, temperature_c=50)])
    await calendar.writer().write()
    assert await calendar.days() == []
