"""The jobs that are not closed yet, each carried by a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.lifecycle import carry
from argentum_desktop.agent.loops import end_all
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.marketplace.market import Market

# A card is free for the next job as soon as nothing of the last one can be on it.
_CARD_IN_USE = frozenset(JobState) - {JobState.COMPLETING, JobState.CLEANING, JobState.CLOSED}


class JobsAtWork:
    """Begins jobs, knows which cards they hold, ends them when asked.

    Args:
        closed: awaited after each job that is done with.
    """

    def __init__(self, bench: Bench, closed: Callable[[], Awaitable[None]]) -> None:
        self._bench = bench
        self._closed = closed
        self._runs: dict[str, JobRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, Lease] = {}

    def expect(self, leases: Sequence[Lease]) -> None:
        """Leases of an earlier run that are still to be taken up; until then their cards are as busy as any other's."""
        self._waiting = {lease.lease_id: lease for lease in leases}

    @property
    def waiting(self) -> tuple[Lease, ...]:
        return tuple(self._waiting.values())

    def take_up(self, lease: Lease, market: Market) -> None:
        """Go on with a lease that was expected; no harm when that was done."""
        if lease.lease_id in self._waiting:
            self.begin(lease, market)

    def begin(self, lease: Lease, market: Market) -> None:
        self._waiting.pop(lease.lease_id, None)
        run = JobRun(lease, market, self._bench)
        self._runs[lease.lease_id] = run
        self._tasks[lease.lease_id] = asyncio.create_task(self._carry(run), name=f"job {lease.lease_id}")

    def runs(self) -> list[JobRun]:
        """What is under way, oldest first."""
        return list(self._runs.values())

    def busy(self) -> list[Lease]:
        """The leases whose cards are not free."""
        leases = [*(run.lease for run in self._runs.values()), *self.waiting]
        return [lease for lease in leases if lease.state in _CARD_IN_USE]

    def wake(self) -> None:
        """Let each look again at once at what the owner wants."""
        for run in self._runs.values():
            run.wake()

    def give_back(self, reason: str) -> None:
        """End every job early, with notice."""
        since_s, notice_s = self._bench.clock.elapsed_s(), self._bench.settings.jobs.stop_grace_s
        for run in self._runs.values():
            run.request_end(Outcome.RECLAIMED, reason, rule="owner", since_s=since_s, within_s=notice_s)

    async def end(self, within_s: float) -> None:
        """Wait for them to close, but not longer; the next start takes up what is left."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=within_s)
        await end_all([*self._tasks.values()])

    async def _carry(self, run: JobRun) -> None:
        try:
            await carry(run)
        finally:
            self._runs.pop(run.lease.lease_id, None)
            self._tasks.pop(run.lease.lease_id, None)
        await self._closed()
