"""A lease changed in one place: on disk before in memory, ended once, billed never less than was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from benches import BenchWithClock, a_bench
from fake_market import FakeMarket
from samples import NOON, job, lease, offer, reading

from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.domain.job import ALLOWED_MOVES, JobState, Outcome
from argentum_desktop.domain.lease import Lease, Usage
from argentum_desktop.errors import DiskFullError
from argentum_desktop.store import leases


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[BenchWithClock]:
    async with a_bench(tmp_path) as made:
        yield made


def run_of(desk: BenchWithClock, of: Lease | None = None) -> JobRun:
    return JobRun(of or lease(), FakeMarket(), desk.bench)


async def on_disk(desk: BenchWithClock) -> Lease | None:
    return await desk.database.read(lambda connection: leases.find(connection, "lse_1"))


async def test_a_state_is_on_disk_before_it_is_true_in_memory(desk: BenchWithClock) -> None:
    run, seen = run_of(desk), list[tuple[JobState, JobState]]()
    desk.bench.events.subscribe(LeaseMoved, lambda event: seen.append((event.lease.state, run.lease.state)))
    await run.move(JobState.COLLECTING, outcome=Outcome.SUCCEEDED, exit_code=0)
    assert await on_disk(desk) == run.lease
    assert (run.lease.state, run.lease.outcome, run.lease.exit_code) == (JobState.COLLECTING, Outcome.SUCCEEDED, 0)
    assert seen == [(JobState.COLLECTING, JobState.RUNNING)]


@pytest.mark.parametrize("state", list(JobState))
async def test_only_allowed_moves_are_made(desk: BenchWithClock, state: JobState) -> None:
    for following in JobState:
        run = run_of(desk, lease(state))
        if following in ALLOWED_MOVES[state]:
            await run.move(following)
            assert run.lease.state is following
        else:
            with pytest.raises(ValueError, match="cannot go from"):
                await run.move(following)
            assert run.lease.state is state


async def test_what_cannot_be_written_is_not_true_in_memory_either(desk: BenchWithClock) -> None:
    run = run_of(desk)
    await run.note(beat_seq=1)
    await desk.database.write(lambda c: c.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(DiskFullError):
        await run.note(reason="x" * 1_000_000)
    with pytest.raises(DiskFullError):
        await run.move(JobState.COLLECTING, reason="x" * 1_000_000)
    assert (run.lease.state, run.lease.reason, run.lease.beat_seq) == (JobState.RUNNING, "", 1)


async def test_changes_at_once_all_count(desk: BenchWithClock) -> None:
    run = run_of(desk)
    await asyncio.gather(
        run.note(beat_seq=5),
        run.note(log_offset=7),
        run.move(JobState.STOPPING, reason="because"),
        run.note(usage=Usage(1, 2)),
    )
    found = await on_disk(desk)
    assert found == run.lease
    assert (found.beat_seq, found.log_offset, found.state, found.reason) == (5, 7, JobState.STOPPING, "because")
    assert found.usage == Usage(1, 2)


async def test_the_first_wish_to_end_counts_and_a_lost_lease_outranks_it(desk: BenchWithClock) -> None:
    run = run_of(desk)
    run.request_end(Outcome.RECLAIMED, "The owner stopped it.")
    run.request_end(Outcome.CANCELLED, "The buyer cancelled.")
    assert run.ending is not None
    assert (run.ending.outcome, run.ending.reason) == (Outcome.RECLAIMED, "The owner stopped it.")
    run.request_end(Outcome.LEASE_LOST, "Lost.")
    assert run.ending.outcome is Outcome.LEASE_LOST
    run.request_end(Outcome.RECLAIMED, "Again.")
    assert run.ending.outcome is Outcome.LEASE_LOST
    assert run.ended.is_set()


@pytest.mark.parametrize(
    ("state", "outcome", "following"),
    [
        (JobState.ACCEPTING, Outcome.RECLAIMED, None),
        (JobState.PREPARING, Outcome.RECLAIMED, JobState.COMPLETING),
        (JobState.CREATING, Outcome.CANCELLED, JobState.COMPLETING),
        (JobState.STARTING, Outcome.RECLAIMED, JobState.STOPPING),
        (JobState.RUNNING, Outcome.CANCELLED, JobState.STOPPING),
        (JobState.RUNNING, Outcome.LEASE_LOST, JobState.STOPPING),
        (JobState.STOPPING, Outcome.CANCELLED, None),
        (JobState.COLLECTING, Outcome.RECLAIMED, None),
        (JobState.COLLECTING, Outcome.LEASE_LOST, JobState.COMPLETING),
        (JobState.COMPLETING, Outcome.LEASE_LOST, None),
        (JobState.CLEANING, Outcome.RECLAIMED, None),
    ],
)
async def test_an_early_end_leaves_a_state_the_way_that_harms_least(
    desk: BenchWithClock, state: JobState, outcome: Outcome, following: JobState | None
) -> None:
    run = run_of(desk, lease(state))
    assert not await run.leave_if_ending()
    run.request_end(outcome, "Enough.")
    assert await run.leave_if_ending() == (following is not None)
    assert run.lease.state is (following or state)
    if following:
        assert (run.lease.outcome, run.lease.reason) == (outcome, "Enough.")


async def test_a_rest_ends_by_time_or_by_a_call(desk: BenchWithClock) -> None:
    run = run_of(desk)
    resting = asyncio.create_task(run.rest(10))
    await desk.clock.advance(9.9)
    assert not resting.done()
    await desk.clock.advance(0.2)
    await asyncio.wait_for(resting, 1)
    resting = asyncio.create_task(run.rest(10))
    await desk.clock.settle()
    run.wake()
    await asyncio.wait_for(resting, 1)
    run.wake()  # a call that comes before the rest is not lost
    await asyncio.wait_for(run.rest(10), 1)
    resting = asyncio.create_task(run.rest(10))
    await desk.clock.settle()
    assert not resting.done()
    resting.cancel()
    await asyncio.gather(resting, return_exceptions=True)


async def test_a_rest_that_is_cancelled_leaves_no_task_behind(desk: BenchWithClock) -> None:
    before = asyncio.all_tasks()
    resting = asyncio.create_task(run_of(desk).rest(10))
    await desk.clock.settle()
    resting.cancel()
    await asyncio.gather(resting, return_exceptions=True)
    await desk.clock.settle()
    assert asyncio.all_tasks() == before


async def test_the_time_that_is_billed(desk: BenchWithClock) -> None:
    run = run_of(desk, lease(offer=offer(job=job(wall_s=100))))
    assert run.usage() == Usage(0, 0)
    await desk.clock.advance(30)
    assert run.usage().billable_s == 30
    run.lease = replace(run.lease, frozen_at=NOON + timedelta(seconds=20))
    assert run.usage().billable_s == 20
    run.lease = replace(run.lease, frozen_at=None, frozen_s=10)
    assert run.usage().billable_s == 20
    await desk.clock.advance(1000)
    assert run.usage().billable_s == 100
    run.lease = replace(run.lease, ended_at=NOON + timedelta(seconds=60))
    assert run.usage().billable_s == 50


async def test_what_was_said_once_is_never_taken_back(desk: BenchWithClock) -> None:
    run = run_of(desk, replace(lease(), usage=Usage(40, 5000)))
    await desk.clock.advance(10)
    assert run.usage() == Usage(40, 5000)
    desk.clock.set_wall_clock(NOON - timedelta(days=1))
    assert run.usage() == Usage(40, 5000)
    for second in range(3):
        run.meter.add(reading(second, power_mw=1000))
    assert run.usage() == Usage(40, 7000)
    not_started = run_of(desk, replace(lease(JobState.PREPARING), started_at=None))
    assert not_started.usage() == Usage(0, 0)
