"""Keeping a lease alive, and giving it up in time: measured by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from clocks import NOON, FakeClock
from fake_market import FakeMarket
from quiet_log import ExpectLog
from samples import lease, offer

from argentum_desktop.agent.lease_keeper import SAFETY_MARGIN_S, LeaseKeeper
from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.lease import Lease, Usage
from argentum_desktop.errors import (
    DiskFullError,
    LeaseLostError,
    MarketRefusedError,
    MarketUnreachableError,
)
from argentum_desktop.marketplace import wire

TTL_S = 60
LIMIT_S = TTL_S - SAFETY_MARGIN_S
AWAY = MarketUnreachableError("No answer.")


class Kept:
    """A keeper with everything around it that the test looks at."""

    def __init__(self, of: Lease) -> None:
        self.clock, self.market = FakeClock(), FakeMarket()
        self.renewed: list[datetime] = []
        self.ends: list[tuple[Outcome, str, float]] = []
        self.beat_trouble: list[Exception] = []
        self.note_trouble: list[Exception] = []
        self.seq = 0
        self.keeper = LeaseKeeper(of, self.market, self.clock, self.beat, self.note, self.end)
        self.began_s = self.clock.elapsed_s()

    async def beat(self) -> wire.Heartbeat:
        if self.beat_trouble:
            raise self.beat_trouble.pop(0)
        self.seq += 1
        return wire.Heartbeat(1, self.seq, Usage())

    async def note(self, at: datetime) -> None:
        if self.note_trouble:
            raise self.note_trouble.pop(0)
        self.renewed.append(at)

    def end(self, outcome: Outcome, reason: str) -> None:
        self.ends.append((outcome, reason, self.clock.elapsed_s() - self.began_s))

    @property
    def beats(self) -> int:
        return len(self.market.beats)


@asynccontextmanager
async def kept(of: Lease | None = None, *, prepare: Callable[[Kept], None] | None = None) -> AsyncIterator[Kept]:
    made = Kept(of or lease())
    if prepare:
        prepare(made)
    task = asyncio.create_task(made.keeper.run())
    await made.clock.settle()
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not [error for error in [task.exception() if not task.cancelled() else None] if error]


async def test_it_beats_at_once_and_then_as_often_as_the_market_asks() -> None:
    async with kept() as made:
        assert made.beats == 1
        await made.clock.advance(19.9)
        assert made.beats == 1
        await made.clock.advance(0.2)
        assert made.beats == 2
        await made.clock.advance(600)
        assert made.beats == 32
        assert [beat.seq for beat in made.market.beats] == list(range(1, 33))
        assert made.renewed[:3] == [NOON, NOON + timedelta(seconds=20), NOON + timedelta(seconds=40)]
        assert made.ends == []


async def test_a_market_that_asks_for_rare_beats_is_beaten_in_time_for_a_second_try() -> None:
    def rarely(made: Kept) -> None:
        made.market.beat_every_s = 10**9

    async with kept(prepare=rarely) as made:
        await made.clock.advance(LIMIT_S / 2 + 0.1)
        assert made.beats == 2


async def test_a_market_that_asks_for_a_beat_every_instant_gets_one_a_second() -> None:
    def often(made: Kept) -> None:
        made.market.beat_every_s = 0

    async with kept(prepare=often) as made:
        await made.clock.advance(10)
        assert made.beats == 11


async def test_a_market_that_stays_away_ends_the_job_before_it_can_be_given_to_another() -> None:
    async with kept() as made:
        made.market.for_ever = AWAY
        await made.clock.advance(1000)
        ((outcome, reason, at_s),) = made.ends
        assert outcome is Outcome.LEASE_LOST
        assert "could not be reached in time" in reason
        assert at_s == pytest.approx(LIMIT_S)


async def test_the_limit_is_measured_from_when_the_last_taken_beat_was_sent() -> None:
    """Its answer took 15 seconds: the market counts from somewhere within these, so we count from their beginning."""
    async with kept() as made:
        await made.clock.advance(19)
        slow = asyncio.Event()
        answer = made.market.heartbeat

        async def late(of: Any, beat: wire.Heartbeat) -> wire.LeaseStatus:
            await slow.wait()
            return await answer(of, beat)

        made.market.heartbeat = late  # type: ignore[method-assign]
        await made.clock.advance(16)  # sent at 20, answered at 35
        slow.set()
        await made.clock.settle()
        assert made.renewed[-1] == NOON + timedelta(seconds=20)
        made.market.for_ever = AWAY
        await made.clock.advance(1000)
        assert [at_s for _, _, at_s in made.ends] == [pytest.approx(20 + LIMIT_S)]


async def test_a_market_that_never_answers_is_not_waited_for_beyond_the_limit() -> None:
    async with kept() as made:
        made.market.for_ever = FakeMarket.HANG
        await made.clock.advance(1000)
        ((outcome, _, at_s),) = made.ends
        assert outcome is Outcome.LEASE_LOST
        assert at_s == pytest.approx(LIMIT_S)


async def test_short_absences_are_bridged_by_retries() -> None:
    async with kept() as made:
        made.market.trouble.extend([AWAY, MarketRefusedError("Slow down."), AWAY])
        await made.clock.advance(20)
        assert made.beats == 2
        await made.clock.advance(15)
        assert made.beats == 5
        assert made.renewed[-1] == NOON + timedelta(seconds=35)
        made.market.for_ever = AWAY
        await made.clock.advance(LIMIT_S - 0.1)
        assert made.ends == []
        await made.clock.advance(0.2)
        assert len(made.ends) == 1


async def test_a_lost_lease_ends_the_job_at_once() -> None:
    async with kept() as made:
        made.market.trouble.append(LeaseLostError("It is somebody else's."))
        await made.clock.advance(20)
        assert made.ends == [(Outcome.LEASE_LOST, "The market gave up the lease: It is somebody else's.", 20)]
        await made.clock.advance(100)
        assert made.beats == 2


async def test_a_buyer_who_cancels_ends_the_job_after_the_beat_is_noted() -> None:
    async with kept() as made:
        made.market.desired = wire.Desired.STOP
        await made.clock.advance(20)
        assert made.ends == [(Outcome.CANCELLED, "The buyer cancelled the job.", 20)]
        assert len(made.renewed) == 2
        await made.clock.advance(100)
        assert made.beats == 2


async def test_a_beat_that_cannot_be_written_down_is_not_sent_and_tried_again() -> None:
    def full(made: Kept) -> None:
        made.beat_trouble = [DiskFullError("Full."), DiskFullError("Full.")]

    async with kept(prepare=full) as made:
        assert made.beats == 0
        await made.clock.advance(10)
        assert made.beats == 1
        assert made.ends == []


async def test_a_renewal_that_cannot_be_written_down_is_a_renewal_all_the_same() -> None:
    async with kept() as made:
        made.note_trouble = [DiskFullError("Full.")] * 5
        await made.clock.advance(100)
        assert made.beats == 6
        assert made.ends == []


async def test_a_fault_of_our_own_does_not_leave_the_job_without_a_keeper(expect_log: ExpectLog) -> None:
    expect_log("lease lse_1 not renewed")
    async with kept() as made:
        made.beat_trouble = [ZeroDivisionError("a bug")]
        await made.clock.advance(25)
        assert made.beats == 2
        assert made.ends == []
        made.beat_trouble = [ZeroDivisionError("a bug")] * 100
        await made.clock.advance(100)
        assert [outcome for outcome, _, _ in made.ends] == [Outcome.LEASE_LOST]


@pytest.mark.parametrize(("age_s", "left_s"), [(0, LIMIT_S), (30, LIMIT_S - 30), (-5, LIMIT_S)])
async def test_after_a_restart_the_time_before_it_counts(age_s: int, left_s: int) -> None:
    def away(made: Kept) -> None:
        made.market.for_ever = AWAY

    async with kept(replace(lease(), renewed_at=NOON - timedelta(seconds=age_s)), prepare=away) as made:
        await made.clock.advance(left_s - 0.1)
        assert made.ends == []
        await made.clock.advance(0.2)
        assert len(made.ends) == 1


async def test_a_lease_that_was_never_renewed_counts_from_its_acceptance() -> None:
    def away(made: Kept) -> None:
        made.market.for_ever = AWAY

    fresh = replace(lease(), renewed_at=None, accepted_at=NOON - timedelta(seconds=40))
    async with kept(fresh, prepare=away) as made:
        await made.clock.advance(LIMIT_S - 40 + 0.1)
        assert len(made.ends) == 1


async def test_after_a_long_absence_the_market_is_asked_once_before_the_job_is_given_up() -> None:
    old = replace(lease(), renewed_at=NOON - timedelta(days=1))
    async with kept(old) as made:
        assert made.beats == 1
        await made.clock.advance(100)
        assert made.ends == []

    def away(made: Kept) -> None:
        made.market.for_ever = AWAY

    async with kept(old, prepare=away) as made:
        await made.clock.advance(0)
        assert (made.beats, len(made.ends)) == (1, 1)

    def silent(made: Kept) -> None:
        made.market.for_ever = FakeMarket.HANG

    async with kept(old, prepare=silent) as made:
        await made.clock.advance(SAFETY_MARGIN_S)
        assert (made.beats, len(made.ends)) == (1, 1)


async def test_a_computer_that_slept_through_the_limit_does_not_go_on() -> None:
    """The clock counts sleep: the first thing after waking is the try that was due, the second the end."""
    async with kept() as made:
        made.market.for_ever = AWAY
        made.clock._move_to(made.clock.elapsed_s() + 3600)
        await made.clock.advance(0)
        assert [outcome for outcome, _, _ in made.ends] == [Outcome.LEASE_LOST]


async def test_a_wall_clock_that_is_set_changes_nothing() -> None:
    async with kept() as made:
        made.clock.set_wall_clock(NOON + timedelta(days=365))
        await made.clock.advance(30)
        assert made.beats == 2
        made.market.for_ever = AWAY
        made.clock.set_wall_clock(NOON - timedelta(days=365))
        await made.clock.advance(LIMIT_S - 10.1)
        assert made.ends == []
        await made.clock.advance(0.2)
        assert len(made.ends) == 1


async def test_a_lease_too_short_to_be_safe_is_given_up_when_the_market_is_away() -> None:
    short = lease(offer=offer(lease_ttl_s=SAFETY_MARGIN_S // 2))
    async with kept(short) as made:
        assert made.ends == []
        made.market.for_ever = AWAY
        await made.clock.advance(2)
        assert len(made.ends) == 1
