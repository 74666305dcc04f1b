"""What the cards draw at work is counted by whole minutes, told to the bench after half an hour, and kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from benches import BenchWithClock, a_bench
from fake_market import FakeMarket
from samples import GPU, NOON, lease, reading

from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.power_profile import PowerWatch
from argentum_desktop.domain.job import JobState
from argentum_desktop.store import program_state
from argentum_desktop.telemetry.sampler import ReadingsTaken


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[BenchWithClock]:
    async with a_bench(tmp_path) as made:
        yield made


def at_work(desk: BenchWithClock) -> tuple[JobRun, PowerWatch]:
    run = JobRun(lease(), FakeMarket(), desk.bench)
    return run, PowerWatch(desk.bench, desk.database, lambda: [run])


def take(desk: BenchWithClock, start_s: int, seconds: int, power_mw: int | None) -> None:
    for second in range(start_s, start_s + seconds):
        desk.bench.events.publish(ReadingsTaken((reading(second, power_mw=power_mw),)))


async def test_half_an_hour_at_work_stands_for_the_card(desk: BenchWithClock) -> None:
    _, watch = at_work(desk)
    take(desk, 0, 29 * 60 + 1, 180_000)
    assert (watch.profile(GPU.gpu_id).minutes, desk.bench.power_at_work_mw) == (29, {})
    take(desk, 29 * 60 + 1, 60, 180_000)
    assert desk.bench.power_at_work_mw == {GPU.gpu_id: 180_000}
    assert desk.bench.circumstances(GPU, market_is_local=True).measured_power_mw == 180_000


async def test_only_whole_minutes_under_a_job_count(desk: BenchWithClock) -> None:
    run, watch = at_work(desk)
    take(desk, 0, 59, 180_000)
    run.lease = replace(run.lease, frozen_at=NOON)
    take(desk, 59, 200, 20_000)
    run.lease = replace(run.lease, frozen_at=None, state=JobState.COLLECTING)
    take(desk, 300, 200, 20_000)
    run.lease = replace(run.lease, state=JobState.RUNNING)
    take(desk, 600, 30, None)  # the card does not tell
    take(desk, 700, 50, 180_000)
    assert watch.profile(GPU.gpu_id).minutes == 0
    take(desk, 750, 11, 240_000)
    assert watch.profile(GPU.gpu_id).minutes_by_watts == {190: 1}  # fifty seconds of 180 W and ten of 240


async def test_a_gap_begins_a_new_minute_and_a_thin_one_says_nothing(desk: BenchWithClock) -> None:
    _, watch = at_work(desk)
    take(desk, 0, 50, 180_000)
    take(desk, 500, 50, 90_000)  # nobody looked for minutes
    take(desk, 100, 50, 90_000)  # the clock was set back
    assert watch.profile(GPU.gpu_id).minutes == 0
    for second in range(1000, 1300, 4):
        take(desk, second, 1, 90_000)
    assert watch.profile(GPU.gpu_id).minutes == 0


async def test_it_is_kept_over_a_restart(desk: BenchWithClock) -> None:
    _, watch = at_work(desk)
    take(desk, 0, 31 * 60 + 1, 180_000)
    await watch.save()
    desk.bench.power_at_work_mw.clear()
    _, again = at_work(desk)
    await again.load()
    assert desk.bench.power_at_work_mw == {GPU.gpu_id: 180_000}
    assert again.profile(GPU.gpu_id) == watch.profile(GPU.gpu_id)


@pytest.mark.parametrize("text", ["{", "[]", '{"GPU-1": 7}', '{"GPU-1": {"x": 1}}', '{"GPU-1": {"200": -40}}', "7"])
async def test_what_cannot_be_read_is_measured_anew(desk: BenchWithClock, text: str) -> None:
    await desk.database.write(lambda connection: program_state.put(connection, "power-at-work", text))
    _, watch = at_work(desk)
    await watch.load()
    assert (watch.profile(GPU.gpu_id).minutes, desk.bench.power_at_work_mw) == (0, {})


async def test_a_disk_that_cannot_be_written_costs_only_the_last_minutes(desk: BenchWithClock) -> None:
    _, watch = at_work(desk)
    take(desk, 0, 61, 180_000)
    await desk.database.close()
    await watch.close()
    assert watch.profile(GPU.gpu_id).minutes == 1
