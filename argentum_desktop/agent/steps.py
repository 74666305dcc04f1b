"""The work of each state of a job. Every step may be done twice without harm, and ends by entering another state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from argentum_desktop.agent.handback import note_freed
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.watch import ended, send_log, watch
from argentum_desktop.domain.job import MIB, JobState, Outcome
from argentum_desktop.domain.receipt import Receipt
from argentum_desktop.errors import LeaseLostError, MarketRefusedError, MarketUnreachableError
from argentum_desktop.ledger.settlement import settle
from argentum_desktop.marketplace import wire
from argentum_desktop.policy.energy_bill import energy_bill
from argentum_desktop.policy.tariff import own_tariff
from argentum_desktop.resources import resource
from argentum_desktop.runner.sandbox import SandboxSpec, sandbox_for

log = logging.getLogger(__name__)

# A card does not wait longer than this for a market that does not answer, whatever times the offer named.
LONGEST_ACCEPT_S = 600


async def accept(run: JobRun) -> None:
    try:
        await run.market.accept(run.lease.offer)
    except MarketRefusedError as error:
        await run.move(JobState.CLEANING, outcome=Outcome.LEASE_LOST, reason=error.message)
        return
    except MarketUnreachableError as error:
        if not _has_lapsed(run):
            raise
        await run.move(JobState.CLEANING, outcome=Outcome.LEASE_LOST, reason=error.message)
        return
    await run.move(JobState.PREPARING, renewed_at=run.bench.clock.now())


def _has_lapsed(run: JobRun) -> bool:
    """Whether the market has given the job up even if it heard us: nobody has renewed the lease for its whole life."""
    lease, offer = run.lease, run.lease.offer
    since = run.bench.clock.now() - lease.accepted_at
    return since > timedelta(seconds=min(offer.accept_within_s + offer.lease_ttl_s, LONGEST_ACCEPT_S))


async def prepare(run: JobRun) -> None:
    """Fetch the image and the inputs, each by its digest, and load the image."""
    engine, job, workspace = run.bench.needed_engine(), run.lease.job, run.workspace
    await asyncio.to_thread(workspace.create)
    for number, file in enumerate(job.inputs):
        fetched = workspace.scratch / f"input-{number}"
        await run.market.download(run.lease.offer, file, fetched)
        await asyncio.to_thread(workspace.place, file, fetched)
    archive = workspace.scratch / "image.tar"
    await run.market.download(run.lease.offer, job.image, archive)
    image_id = await engine.load_image(archive, job.image_digest)
    await asyncio.to_thread(archive.unlink, missing_ok=True)
    await run.move(JobState.CREATING, image_id=image_id)


async def create(run: JobRun) -> None:
    await run.bench.needed_engine().create(_sandbox(run))
    await run.move(JobState.STARTING)


async def start(run: JobRun) -> None:
    """The container first, the bill second: nobody pays for a job that does not run."""
    await run.bench.needed_engine().start(run.lease.container_name)
    await run.market.start(run.lease.offer)
    await run.move(JobState.RUNNING, started_at=run.lease.started_at or run.bench.clock.now())


async def stop(run: JobRun) -> None:
    """End the container; with notice, so that the job can save, unless the lease is no longer ours."""
    engine, lease = run.bench.needed_engine(), run.lease
    await engine.stop(lease.container_name, run.notice_s)
    container = await engine.inspect(lease.container_name)
    note_freed(run)
    await run.move(
        JobState.COMPLETING if lease.outcome is Outcome.LEASE_LOST else JobState.COLLECTING,
        exit_code=ended(container, lease).exit_code,
        usage=run.usage(),
        ended_at=run.bench.clock.now(),
    )


async def collect(run: JobRun) -> None:
    """Send the rest of the log and whatever the job left in its output folder."""
    await send_log(run, is_final=True)
    found = await asyncio.to_thread(run.workspace.collect, run.lease.job.limits.disk_mib * MIB)
    for output in found.files:
        await run.market.upload(run.lease.offer, output.artifact, output.path)
    refused = "; ".join(f"{entry.name} ({entry.reason})" for entry in found.refused[:5])
    await run.move(
        JobState.COMPLETING,
        outputs=tuple(output.artifact for output in found.files),
        reason=" ".join(filter(None, (run.lease.reason, f"Not taken over: {refused}." if refused else ""))),
    )


async def complete(run: JobRun) -> None:
    """Settle with the market; the posting and the new state are one transaction."""
    receipt = await _receipt(run)
    if receipt is None:
        await run.move(JobState.CLEANING, receipt=None)
        return
    bench = run.bench
    bill = energy_bill(run.lease, bench.tariff or own_tariff(bench.settings.prices), bench.zone, bench.grid)
    posting = settle(run.lease, receipt, bill, bench.clock.now())
    await run.move(JobState.CLEANING, posting=posting, receipt=receipt, bill=bill)


async def clean(run: JobRun) -> None:
    """Leave nothing of the job on this machine."""
    engine, lease = run.bench.needed_engine(), run.lease
    await engine.remove(lease.container_name)
    if lease.image_id and not await _is_shared(run):
        await engine.remove_image(lease.image_id)
    await asyncio.to_thread(run.workspace.remove)
    await run.move(JobState.CLOSED, ended_at=lease.ended_at or run.bench.clock.now())


WORK: Mapping[JobState, Callable[[JobRun], Awaitable[None]]] = {
    JobState.ACCEPTING: accept,
    JobState.PREPARING: prepare,
    JobState.CREATING: create,
    JobState.STARTING: start,
    JobState.RUNNING: watch,
    JobState.STOPPING: stop,
    JobState.COLLECTING: collect,
    JobState.COMPLETING: complete,
    JobState.CLEANING: clean,
}


async def _receipt(run: JobRun) -> Receipt | None:
    """Tell the market how it ended; when the market ended it first, ask what it pays."""
    lease, offer = run.lease, run.lease.offer
    completion = wire.Completion(
        fence=offer.fence,
        outcome=lease.outcome or Outcome.FAILED,
        usage=lease.usage,
        exit_code=lease.exit_code,
        reason=lease.reason[:500],
        outputs=lease.outputs,
    )
    if lease.outcome is not Outcome.LEASE_LOST:
        try:
            return (await run.market.complete(offer, completion)).receipt
        except MarketRefusedError as error:
            log.info("lease %s: not completed (%s); asking what it pays", lease.lease_id, error)
    try:
        return (await run.market.lease(offer)).receipt
    except (MarketRefusedError, LeaseLostError):
        log.info("lease %s: the market does not know it; nothing to settle", lease.lease_id)
        return None


def _sandbox(run: JobRun) -> SandboxSpec:
    lease, workspace = run.lease, run.workspace
    return sandbox_for(
        lease.job,
        name=lease.container_name,
        image_id=lease.image_id,
        inputs=workspace.inputs,
        outputs=workspace.outputs,
        lease_id=lease.lease_id,
        installation_id=run.bench.installation_id,
        seccomp_profile=resource("seccomp", "argentum.json"),
        gpu_devices=_gpu_devices(run),
    )


def _gpu_devices(run: JobRun) -> tuple[str, ...]:
    """The CDI name of each leased card; a simulated one has nothing to hand over, and some jobs want none."""
    if run.lease.job.limits.gpus == 0:
        return ()
    cards = [run.bench.gpus[gpu_id] for gpu_id in run.lease.gpu_ids if gpu_id in run.bench.gpus]
    return tuple(f"{card.vendor}.com/gpu={card.gpu_id}" for card in cards if not card.is_simulated)


async def _is_shared(run: JobRun) -> bool:
    others = await run.bench.book.unfinished()
    return any(other.image_id == run.lease.image_id and other.lease_id != run.lease.lease_id for other in others)
