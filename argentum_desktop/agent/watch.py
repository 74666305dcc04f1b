"""A running job until its end: its log, its progress and its disk once a second, and the machine it stands back for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from argentum_desktop.agent.handback import HandingBack
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.domain.job import MIB, JobState, Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import ArgentumError
from argentum_desktop.runner.engine import Container, ContainerState
from argentum_desktop.runner.progress import last_progress

LOOK_EVERY_S = 1.0
LOG_CHUNK_BYTES = 256 * 1024
LOG_TAIL_BYTES = 16 * 1024
# The engine hands over the whole log each time, so a long one is fetched less often: a second per megabyte.
LOG_BYTES_PER_SECOND = MIB
# The engine's own limit comes first where it has one; this one is for engines without.
WALL_MARGIN_S = 10


@dataclass(frozen=True)
class Ended:
    """How a container ended, in the words of a job."""

    outcome: Outcome
    exit_code: int | None
    reason: str = ""


async def watch(run: JobRun) -> None:
    """Return when the job has ended or is to be ended, with the next state entered."""
    engine, name = run.bench.needed_engine(), run.lease.container_name
    container = await engine.inspect(name)
    if container is None:
        await _over(run, Ended(Outcome.RECLAIMED, None, "The container is gone."))
        return
    await _take_up(run, container)
    waiting = asyncio.ensure_future(engine.wait(name))
    ending = asyncio.ensure_future(run.ended.wait())
    keeping = [asyncio.ensure_future(HandingBack(run).run()), asyncio.ensure_future(_look_after(run))]
    try:
        await asyncio.wait([waiting, ending, *keeping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (ending, *keeping):
            task.cancel()
        results = await asyncio.gather(*keeping, return_exceptions=True)
        waiting.cancel()
    if waiting.done() and not waiting.cancelled():
        await _over(run, ended(waiting.result(), run.lease))
    elif not await run.leave_if_ending():
        raise next(result for result in results if isinstance(result, Exception))


async def _take_up(run: JobRun, container: Container) -> None:
    """What an earlier run of this application did to it last, and could not write down any more."""
    now, frozen_at = run.bench.clock.now(), run.lease.frozen_at
    if container.state is ContainerState.PAUSED and frozen_at is None:
        await run.note_soon(frozen_at=now)
    elif container.state is ContainerState.RUNNING and frozen_at is not None:
        frozen_s = run.lease.frozen_s + max(0, int((now - frozen_at).total_seconds()))
        await run.note_soon(frozen_at=None, frozen_s=frozen_s)


async def _look_after(run: JobRun) -> None:
    """Once a second: its disk, its time, its log. Any of it may take long; nobody waits for it.

    Raises:
        EngineError: the engine does not hand over the log.
    """
    while True:
        await _end_if_over_limits(run)
        if run.bench.clock.elapsed_s() >= run.next_log_at_s:
            await send_log(run, is_final=False)
        await run.bench.clock.sleep(LOOK_EVERY_S)


async def _over(run: JobRun, end: Ended) -> None:
    await run.move(
        JobState.COLLECTING,
        outcome=end.outcome,
        exit_code=end.exit_code,
        reason=end.reason,
        usage=run.usage(),
        ended_at=run.bench.clock.now(),
    )


async def _end_if_over_limits(run: JobRun) -> None:
    limits = run.lease.job.limits
    most = limits.disk_mib * MIB
    if await asyncio.to_thread(run.workspace.used_bytes, most) > most:
        run.request_end(Outcome.FAILED, f"It wrote more than the {limits.disk_mib} MiB it had asked for.")
    if run.usage().billable_s >= limits.wall_s and _has_run_s(run) > limits.wall_s + WALL_MARGIN_S:
        run.request_end(Outcome.FAILED, _too_long(limits.wall_s))


def _has_run_s(run: JobRun) -> float:
    started_at, frozen_s = run.lease.started_at, run.lease.frozen_s
    if started_at is None or run.lease.frozen_at is not None:
        return 0.0
    return (run.bench.clock.now() - started_at).total_seconds() - frozen_s


async def send_log(run: JobRun, *, is_final: bool) -> None:
    """Bring the market's copy of the log up to date. A market that is away gets it later; only the end insists."""
    lease = run.lease
    text = await run.bench.needed_engine().logs(lease.container_name)
    run.log_tail = text[-LOG_TAIL_BYTES:].decode(errors="replace")
    run.progress_percent = last_progress(text[-LOG_TAIL_BYTES:])
    run.next_log_at_s = run.bench.clock.elapsed_s() + max(LOOK_EVERY_S, len(text) / LOG_BYTES_PER_SECOND)
    offset = lease.log_offset
    try:
        while offset < len(text):
            taken = await run.market.append_log(lease.offer, offset, text[offset : offset + LOG_CHUNK_BYTES])
            if taken <= offset:
                break
            offset = taken
    except ArgentumError:
        if is_final:
            raise
    if offset != lease.log_offset:
        await run.note_soon(log_offset=offset)


def ended(container: Container | None, lease: Lease) -> Ended:
    """What a container's end means for the job."""
    if container is None or container.state is not ContainerState.EXITED:
        return Ended(Outcome.RECLAIMED, None, "The container is gone.")
    code = container.exit_code
    if container.timed_out:
        return Ended(Outcome.FAILED, code, _too_long(lease.job.limits.wall_s))
    if container.out_of_memory:
        return Ended(
            Outcome.FAILED, code, f"It needed more than the {lease.job.limits.memory_mib} MiB it had asked for."
        )
    if code == 0:
        return Ended(Outcome.SUCCEEDED, 0)
    if code == 137:
        return Ended(
            Outcome.FAILED, code, "It was killed, probably because it needed more memory than it had asked for."
        )
    return Ended(Outcome.FAILED, code, f"It ended with exit code {code}.")


def _too_long(wall_s: int) -> str:
    return f"It took longer than the {wall_s} seconds it had asked for."
