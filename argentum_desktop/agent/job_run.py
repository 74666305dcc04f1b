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
    """How and why a job is to end before its time.

    Attributes:
        rule: the rule that wants it to end; empty where none does.
        notice_s: how long it may save its work; None for as long as the owner set.
        since_s: when that was wanted first, on the clock's count of seconds.
        within_s: within how long from then the card is promised to be free.
    """

    outcome: Outcome
    reason: str
    rule: str = ""
    notice_s: int | None = None
    since_s: float | None = None
    within_s: float = 0.0


@dataclass
class JobRun:
    """The one place where a lease is changed while its job lives.

    Attributes:
        ending: set once somebody wants it to end; the steps act on it.
        problem: why the present step cannot be done right now, in words; empty while all is well.
        store_problem: why something could not be written down, in words; the next note that succeeds carries it too.
        missed_signal_s: when the machine was wanted back, while that could not be done yet.
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
    missed_signal_s: float | None = None
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _signalled: asyncio.Event = field(default_factory=asyncio.Event)
    _signal_s: float | None = None
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

    def request_end(
        self,
        outcome: Outcome,
        reason: str,
        *,
        rule: str = "",
        notice_s: int | None = None,
        since_s: float | None = None,
        within_s: float = 0.0,
    ) -> None:
        """End it early; the first request counts, except that a lost lease outranks every other."""
        if self.ending is None or outcome is Outcome.LEASE_LOST:
            self.ending = Ending(outcome, reason, rule, notice_s, since_s, within_s)
        self.ended.set()
        self.wake()

    def wake(self) -> None:
        """Look again at once: the owner paused, resumed or stopped."""
        self._woken.set()
        self.signal()

    def signal(self) -> None:
        """Something was learned that may want the machine back; what is promised counts from its first moment."""
        if self._signal_s is None:
            self._signal_s = self.bench.clock.elapsed_s()
        self._signalled.set()

    async def rest(self, seconds: float) -> None:
        """Wait, but not longer than until somebody calls `wake`."""
        await self._wait(self._woken, seconds)
        self._woken.clear()

    async def next_signal(self, within_s: float) -> float:
        """Wait for `signal`, but not longer than `within_s`; returns when it came, or else the time it is now."""
        await self._wait(self._signalled, within_s)
        self._signalled.clear()
        came_s, self._signal_s = self._signal_s, None
        return self.bench.clock.elapsed_s() if came_s is None else came_s

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self.bench.clock.sleep(seconds))
        waking = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

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

    @property
    def notice_s(self) -> int:
        """How long it may save its work when it is ended early."""
        ending, usual = self.ending, self.bench.settings.jobs.stop_grace_s
        if self.lease.outcome is Outcome.LEASE_LOST or (ending is not None and ending.outcome is Outcome.LEASE_LOST):
            return 0
        return usual if ending is None or ending.notice_s is None else ending.notice_s

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
