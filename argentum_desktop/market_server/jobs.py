"""A job from its buyer's side: submitted, looked at, cancelled."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from argentum_desktop.domain.job import Artifact, JobSpec
from argentum_desktop.domain.money import Money, price_for
from argentum_desktop.market_server import ledger
from argentum_desktop.market_server.card_health import health_of
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.problems import ProblemError, invalid, not_found
from argentum_desktop.market_server.records import JobRecord, LeaseRecord, from_us, new_id
from argentum_desktop.market_server.settlement import end_job
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.codec import decode, encode
from argentum_desktop.marketplace.wire import CardHealth, JobPhase, JobStatus, LeaseState, ProblemType

LISTED = 200
MAX_INPUTS = 1000
_LARGEST_LIMIT = 2**40
_LONGEST_IDEMPOTENCY_KEY = 100


def submit(
    work: Work, config: MarketConfig, buyer_id: str, spec: JobSpec, idempotency_key: str | None, now_us: int
) -> JobRecord:
    """Queue a job and hold the most that it can cost. The same key again finds the same job."""
    body = encode(spec)
    digest = hashlib.sha256(body).hexdigest()
    if idempotency_key is not None:
        known = work.job_by_idempotency_key(buyer_id, idempotency_key)
        if known is not None:
            if known.request_sha256 != digest:
                raise invalid("This Idempotency-Key was used for another job.")
            return known
        if not 1 <= len(idempotency_key) <= _LONGEST_IDEMPOTENCY_KEY:
            raise invalid(f"Idempotency-Key must have 1 to {_LONGEST_IDEMPOTENCY_KEY} characters.")
    _check(config, spec)
    for file in (spec.image, *spec.inputs):
        known_file = work.artifact(buyer_id, file.sha256)
        if known_file is None or known_file.size_bytes != file.size_bytes:
            raise invalid(f"The file {file.name!r} has not been sent yet.")
    limits = spec.limits
    job = JobRecord(
        job_id=new_id("job", now_us),
        buyer_id=buyer_id,
        spec=body,
        phase=JobPhase.QUEUED,
        price_micros=spec.max_price_per_hour.micros,
        gpus=limits.gpus,
        vram_mib=limits.vram_mib,
        cpu_millis=limits.cpu_millis,
        memory_mib=limits.memory_mib,
        disk_mib=limits.disk_mib,
        wall_s=limits.wall_s,
        submitted_us=now_us,
        idempotency_key=idempotency_key,
        request_sha256=digest,
    )
    _hold(work, config, job, now_us)
    work.add_job(job)
    return job


def cancel(work: Work, config: MarketConfig, job: JobRecord, now_us: int) -> JobRecord:
    """End a job that nobody works on at once; ask for the end of one that runs."""
    if job.phase is JobPhase.CANCELLED or (job.cancel_requested and not job.phase.is_terminal):
        return job
    if job.phase.is_terminal:
        raise ProblemError(ProblemType.ALREADY_TERMINAL, f"The job has {job.phase} already.")
    job = replace(job, cancel_requested=True)
    current = current_lease(work, job)
    if current is not None and current.state is LeaseState.OFFERED:
        reason = "Cancelled by the buyer."
        work.save_lease(replace(current, state=LeaseState.EXPIRED, ended_us=now_us, reason=reason))
        current = None
    if current is None or not current.is_live:
        return end_job(work, job, JobPhase.CANCELLED, "Cancelled by the buyer.", now_us)
    work.save_job(job)
    return job


def of_buyer(work: Work, buyer_id: str, job_id: str) -> JobRecord:
    """A job of this buyer; of somebody else's it learns nothing."""
    job = work.job(job_id)
    if job is None or job.buyer_id != buyer_id:
        raise not_found("job")
    return job


def current_lease(work: Work, job: JobRecord) -> LeaseRecord | None:
    """The last lease of a job, live or not."""
    leases = work.leases_of(job.job_id)
    return leases[-1] if leases else None


def view(work: Work, config: MarketConfig, job: JobRecord) -> JobStatus:
    lease = current_lease(work, job)
    taken = lease if lease is not None and lease.accepted_us is not None else None
    cost = Money(job.cost_micros, config.currency)
    if taken is not None and taken.is_live:
        cost += price_for(Money(taken.price_micros, config.currency), taken.billable_s)
    outputs = work.outputs(taken.lease_id) if taken is not None and job.phase.is_terminal else []
    return JobStatus(
        job_id=job.job_id,
        spec=decode(JobSpec, job.spec),
        phase=job.phase,
        submitted_at=from_us(job.submitted_us),
        started_at=None if job.started_us is None else from_us(job.started_us),
        ended_at=None if job.ended_us is None else from_us(job.ended_us),
        progress_percent=None if taken is None or job.phase is JobPhase.QUEUED else taken.progress_percent,
        price_per_hour=None if taken is None else Money(taken.price_micros, config.currency),
        cost=cost,
        exit_code=job.exit_code,
        reason=job.reason or _last_words(job, lease),
        outputs=tuple(Artifact(output.name, output.sha256, output.size_bytes) for output in outputs),
        card_health=None if taken is None else _health_of_card(work, taken),
    )


def _health_of_card(work: Work, lease: LeaseRecord) -> CardHealth | None:
    return next((health_of(card) for card in work.cards(lease.provider_id) if card.gpu_id == lease.gpu_id), None)


def _last_words(job: JobRecord, lease: LeaseRecord | None) -> str:
    """Why a job that waits again was not taken or not finished the last time."""
    return lease.reason if job.phase is JobPhase.QUEUED and lease is not None and not lease.is_live else ""


def _check(config: MarketConfig, spec: JobSpec) -> None:
    limits = spec.limits
    if spec.max_price_per_hour.currency != config.currency:
        raise invalid(f"This market pays in {config.currency}, not in {spec.max_price_per_hour.currency}.")
    if limits.gpus > 1:
        raise ProblemError(ProblemType.NOT_ELIGIBLE, "This market gives one card to a job.")
    if limits.wall_s > config.max_wall_s:
        raise invalid(f"wall_s can be at most {config.max_wall_s}.")
    if max(limits.vram_mib, limits.cpu_millis, limits.memory_mib, limits.disk_mib, limits.pids) > _LARGEST_LIMIT:
        raise invalid("A limit is out of range.")
    if len(spec.inputs) > MAX_INPUTS:
        raise invalid(f"A job can have at most {MAX_INPUTS} inputs.")


def _hold(work: Work, config: MarketConfig, job: JobRecord, now_us: int) -> None:
    most = price_for(Money(job.price_micros, config.currency), job.wall_s)
    available = Money(work.balance(ledger.buyer_account(job.buyer_id)), config.currency)
    if available < most:
        raise ProblemError(
            ProblemType.INSUFFICIENT_FUNDS,
            f"The job can cost up to {most}, which must be held, and {available} is available."
            " A lower price or a shorter wall_s needs less.",
        )
    work.post(ledger.hold(job.job_id, job.buyer_id, most), now_us)
