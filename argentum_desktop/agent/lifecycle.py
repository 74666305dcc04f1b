"""One job carried from the accepted offer to the settled and cleaned-up end.

The lease's state names the work to do next and is on disk before that work begins, so a restart simply goes on with
the state it finds. What fails for reasons outside the job (no engine, no market, no disk) is tried again for as long
as the lease lives.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.lease_keeper import LeaseKeeper
from argentum_desktop.agent.steps import WORK
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.errors import (
    ArgentumError,
    EngineError,
    EngineMissingError,
    ImageError,
    LeaseLostError,
    MarketRefusedError,
    StoreError,
)
from argentum_desktop.marketplace.wire import Heartbeat

log = logging.getLogger(__name__)

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
# A card is not kept for a job that cannot even begin here; it may begin elsewhere.
LONGEST_BEFORE_RUNNING_S = 600.0

# While the lease must be renewed.
_LEASED = frozenset(
    {
        JobState.PREPARING,
        JobState.CREATING,
        JobState.STARTING,
        JobState.RUNNING,
        JobState.STOPPING,
        JobState.COLLECTING,
        JobState.COMPLETING,
    }
)
# Before the job's own code has run: a fault here is the host's, and the job can go elsewhere unharmed.
_BEFORE_RUNNING = frozenset({JobState.PREPARING, JobState.CREATING, JobState.STARTING})
# Work that can take long without looking up; an early end cuts it short.
_INTERRUPTIBLE = frozenset({JobState.PREPARING, JobState.COLLECTING})


async def carry(run: JobRun) -> None:
    """Return when everything is done and nothing of the job is left on this machine."""
    keeper: asyncio.Task[None] | None = None
    try:
        while run.lease.state is not JobState.CLOSED:
            if run.lease.state in _LEASED and keeper is None:
                keeper = asyncio.create_task(_keeper(run).run(), name=f"keeper {run.lease.lease_id}")
            if run.lease.state not in _LEASED and keeper is not None:
                keeper.cancel()
            await _leave_state(run)
    finally:
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)


async def _leave_state(run: JobRun) -> None:
    """Do the work of the present state, as often as it takes."""
    before, delay = run.lease.state, FIRST_RETRY_S
    begun_s = run.bench.clock.elapsed_s()
    while run.lease.state is before:
        problem = await _attempt(run)
        if not problem:
            run.problem = ""
            return
        if problem != run.problem:
            log.info("job %s, %s: %s", run.lease.lease_id, before, problem)
        run.problem = problem
        if before in _BEFORE_RUNNING and run.bench.clock.elapsed_s() - begun_s > LONGEST_BEFORE_RUNNING_S:
            run.request_end(Outcome.RECLAIMED, problem)
        await run.rest(delay)
        delay = min(LONGEST_RETRY_S, delay * 2)


async def _attempt(run: JobRun) -> str:
    """Try once; returns why it could not be done, or nothing when the state was left."""
    try:
        return await _attempt_or_decide(run)
    except ArgentumError as error:
        return str(error)
    except Exception:
        # A fault of ours must not cost the buyer the job or the owner the money: tell it and try again.
        log.exception("job %s, %s", run.lease.lease_id, run.lease.state)
        return "Something unexpected happened; the log tells more."


async def _attempt_or_decide(run: JobRun) -> str:
    """The same; whatever cannot even be written down (a full disk) is raised, and the state is what it was."""
    try:
        if run.lease.state is not JobState.STOPPING and await run.leave_if_ending():
            return ""
    except StoreError:
        await _free_the_card(run)
        raise
    try:
        await _work(run)
    except ArgentumError as error:
        return "" if await _decides_the_end(run, error) else str(error)
    return ""


async def _free_the_card(run: JobRun) -> None:
    """Whoever wants the card back does not wait for the disk: the end is written down as soon as it can be."""
    if run.lease.state in {JobState.STARTING, JobState.RUNNING}:
        await run.bench.needed_engine().stop(run.lease.container_name, run.notice_s)


async def _work(run: JobRun) -> None:
    work = asyncio.ensure_future(WORK[run.lease.state](run))
    ending = asyncio.ensure_future(run.ended.wait())
    watched = {work, ending} if run.lease.state in _INTERRUPTIBLE and not run.ended.is_set() else {work}
    try:
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and await _cut_short(run, work):
            return
        await work
    finally:
        ending.cancel()
        work.cancel()


async def _cut_short(run: JobRun, work: asyncio.Future[None]) -> bool:
    """Give up the present work for an early end, if the end allows it."""
    is_lost = run.ending is not None and run.ending.outcome is Outcome.LEASE_LOST
    if run.lease.state is JobState.COLLECTING and not is_lost:
        return False  # the results are still worth having
    work.cancel()
    with suppress(asyncio.CancelledError, ArgentumError):
        await work
    return await run.leave_if_ending()


async def _decides_the_end(run: JobRun, error: ArgentumError) -> bool:
    """Whether the fault settles the job's fate; then the next state is already entered."""
    state = run.lease.state
    if isinstance(error, LeaseLostError) and state in _LEASED:
        run.request_end(Outcome.LEASE_LOST, error.message)
        return await run.leave_if_ending()
    if state not in _BEFORE_RUNNING:
        return False
    if isinstance(error, ImageError):
        await run.move(JobState.COMPLETING, outcome=Outcome.FAILED, reason=str(error))
        return True
    is_host_fault = isinstance(error, EngineError) and not isinstance(error, EngineMissingError)
    if is_host_fault:
        run.bench.engine_failed(error)
    if is_host_fault or isinstance(error, MarketRefusedError):
        await run.move(JobState.COMPLETING, outcome=Outcome.RECLAIMED, reason=error.message)
        return True
    return False


def _keeper(run: JobRun) -> LeaseKeeper:
    async def beat() -> Heartbeat:
        await run.note_soon(beat_seq=run.lease.beat_seq + 1, usage=run.usage())
        return Heartbeat(
            fence=run.lease.offer.fence,
            seq=run.lease.beat_seq,
            usage=run.lease.usage,
            progress_percent=run.progress_percent,
            frozen=run.lease.frozen_at is not None,
        )

    async def renewed(sent_at: datetime) -> None:
        await run.note_soon(renewed_at=sent_at)

    return LeaseKeeper(run.lease, run.market, run.bench.clock, beat, renewed, run.request_end)
