"""One job on this machine: its lease, and what is known of it while it runs."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from typing import Any

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Lease, Usage
from argentum_desktop.errors import StoreError
from argentum_desktop.marketplace.market import Market
from argentum_desktop.runner.workspace import Workspace
from argentum_desktop.telemetry.energy import EnergyMeter


@dataclass(frozen=True)
class Ending:
    """How and why a job is to end before its time."""

    outcome: Outcome
    reason: str


@dataclass
class JobRun:
    """The one place where a lease is changed while its job lives.

    Attributes:
        ending: set once somebody wants it to end; the steps act on it.
        problem: why the present step cannot be done right now, in words; empty while all is well.
        store_problem: why something could not be written down, in words; the next note that succeeds carries it too.
        log_tail: the last lines the job wrote, for the owner's eyes.
    """

    lease: Lease
    market: Market
    bench: Bench
    ending: Ending | None = None
    problem: str = ""
    store_problem: str = ""
    progress_percent: int | None = None
    log_tail: str = ""
    next_log_at_s: float = 0.0
    meter: EnergyMeter = field(default_factory=EnergyMeter)
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.meter.start_from(self.lease.usage.energy_mj)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.bench.home.jobs, self.lease.lease_id)

    async def move(self, state: JobState, **changes: Any) -> None:
        """Enter `state`; written down before this returns."""
        async with self._changing:
            self.lease = await self.bench.book.move(self.lease, state, **changes)

    async def note(self, **changes: Any) -> None:
        """Write down something other than the state."""
        async with self._changing:
            self.lease = await self.bench.book.note(self.lease, **changes)

    async def note_soon(self, **changes: Any) -> None:
        """The same for what may be written down later: a full disk must cost neither the lease nor the owner's wish."""
        async with self._changing:
            try:
                self.lease = await self.bench.book.note(self.lease, **changes)
                self.store_problem = ""
            except StoreError as error:
                self.lease = replace(self.lease, **changes)
                self.store_problem = str(error)

    def request_end(self, outcome: Outcome, reason: str) -> None:
        """End it early; the first request counts, except that a lost lease outranks every other."""
        if self.ending is None or outcome is Outcome.LEASE_LOST:
            self.ending = Ending(outcome, reason)
        self.ended.set()
        self.wake()

    def wake(self) -> None:
        """Look again at once: the owner paused, resumed or stopped."""
        self._woken.set()

    async def rest(self, seconds: float) -> None:
        """Wait, but not longer than until somebody calls `wake`."""
        sleeping = asyncio.ensure_future(self.bench.clock.sleep(seconds))
        waking = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
        self._woken.clear()

    async def leave_if_ending(self) -> bool:
        """Enter the state in which an early end is carried out, when one was requested and this state can be left.

        Returns:
            Whether another state was entered.
        """
        if self.ending is None:
            return False
        state = self.lease.state
        if state in {JobState.PREPARING, JobState.CREATING}:
            following = JobState.COMPLETING
        elif state in {JobState.STARTING, JobState.RUNNING}:
            following = JobState.STOPPING
        elif state is JobState.COLLECTING and self.ending.outcome is Outcome.LEASE_LOST:
            following = JobState.COMPLETING
        else:
            return False
        await self.move(following, outcome=self.ending.outcome, reason=self.ending.reason)
        return True

    def usage(self) -> Usage:
        """What it has used until now, each begun second counted; never less than was said before."""
        lease, said = self.lease, self.lease.usage
        if lease.started_at is None:
            return said
        until = lease.ended_at or lease.frozen_at or self.bench.clock.now()
        ran_s = math.ceil((until - lease.started_at).total_seconds()) - lease.frozen_s
        return Usage(
            billable_s=max(said.billable_s, min(ran_s, lease.job.limits.wall_s)),
            energy_mj=max(said.energy_mj, self.meter.energy_mj),
        )
