"""What becomes of the money and of the job when a lease ends."""

from __future__ import annotations

from dataclasses import replace

from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money, price_for
from argentum_desktop.market_server import ledger
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.records import SECOND_US, JobRecord, LeaseRecord
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.wire import JobPhase, LeaseState

PAID_TIME_USED = "The time that the buyer pays for is used up."
_PPM = 1_000_000


def with_usage(lease: LeaseRecord, job: JobRecord, usage: Usage, config: MarketConfig, now_us: int) -> LeaseRecord:
    """The lease with its usage brought forward: it only grows, and never faster than our own clock."""
    if lease.started_us is None:
        return lease
    elapsed_s = max(0, now_us - lease.started_us) // SECOND_US + config.late_beat_allowance_s
    billable_s = max(lease.billable_s, min(usage.billable_s, elapsed_s, job.remaining_s))
    return replace(lease, billable_s=billable_s, energy_mj=max(lease.energy_mj, usage.energy_mj))


def settle(
    work: Work, config: MarketConfig, lease: LeaseRecord, job: JobRecord, now_us: int
) -> tuple[LeaseRecord, JobRecord]:
    """Pay an ended lease out of what is held for its job."""
    price = Money(lease.price_micros, config.currency)
    held = work.balance(ledger.hold_account(job.job_id))
    gross = Money(min(price_for(price, lease.billable_s).micros, held), config.currency)
    fee = gross.scaled(lease.fee_ppm, _PPM)
    work.post(ledger.settle(lease.lease_id, job.job_id, lease.provider_id, gross, fee), now_us)
    return (
        replace(lease, gross_micros=gross.micros, fee_micros=fee.micros),
        replace(job, billed_s=job.billed_s + lease.billable_s, cost_micros=job.cost_micros + gross.micros),
    )


def end_lease(
    work: Work, config: MarketConfig, lease: LeaseRecord, job: JobRecord, now_us: int
) -> tuple[LeaseRecord, JobRecord]:
    """Close the books of a lease whose final state, outcome and usage are set, and decide what becomes of its job."""
    lease, job = settle(work, config, replace(lease, ended_us=now_us), job, now_us)
    work.save_lease(lease)
    if lease.outcome in {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED}:
        job = end_job(work, job, *_verdict(lease, job), now_us, exit_code=lease.exit_code)
    else:
        job = _back_to_queue(work, config, lease, job, now_us)
    return lease, job


def end_job(
    work: Work, job: JobRecord, phase: JobPhase, reason: str, now_us: int, exit_code: int | None = None
) -> JobRecord:
    """The job is over: what was held and not used goes back."""
    rest = work.balance(ledger.hold_account(job.job_id))
    work.post(ledger.release(job.job_id, job.buyer_id, rest), now_us)
    job = replace(job, phase=phase, reason=reason, ended_us=now_us, exit_code=exit_code)
    work.save_job(job)
    return job


def expire(work: Work, config: MarketConfig, lease: LeaseRecord, now_us: int) -> None:
    """Nobody renewed it in time: it pays what was reported, and the job goes on elsewhere."""
    job = job_of(work, lease)
    reason = "The machine gave no sign of life." if lease.accepted_us is not None else "The offer was not answered."
    ended = replace(lease, state=LeaseState.EXPIRED, outcome=Outcome.LEASE_LOST, reason=reason)
    end_lease(work, config, ended, job, now_us)


def job_of(work: Work, lease: LeaseRecord) -> JobRecord:
    job = work.job(lease.job_id)
    if job is None:
        raise LookupError(lease.job_id)
    return job


def _verdict(lease: LeaseRecord, job: JobRecord) -> tuple[JobPhase, str]:
    if lease.outcome is Outcome.SUCCEEDED:
        return JobPhase.SUCCEEDED, lease.reason
    if lease.outcome is Outcome.CANCELLED:
        if not job.cancel_requested and job.remaining_s == 0:
            return JobPhase.FAILED, PAID_TIME_USED
        return JobPhase.CANCELLED, lease.reason
    return JobPhase.FAILED, lease.reason


def _back_to_queue(work: Work, config: MarketConfig, lease: LeaseRecord, job: JobRecord, now_us: int) -> JobRecord:
    """Queue the job again, unless it was cancelled, has no paid time left or was lost or refused too often."""
    if lease.started_us is not None:
        job = replace(job, attempts=job.attempts + 1)
    else:
        job = replace(job, refusals=job.refusals + 1)
    if lease.accepted_us is not None and lease.started_us is None:
        # Taken and given back before it ran is the machine's trouble: for a while it is offered to others.
        work.add_refusal(lease.job_id, lease.provider_id, now_us + config.refusal_pause_s * SECOND_US)
    if job.cancel_requested:
        return end_job(work, job, JobPhase.CANCELLED, "Cancelled by the buyer.", now_us)
    if job.remaining_s == 0:
        return end_job(work, job, JobPhase.FAILED, PAID_TIME_USED, now_us)
    if job.attempts >= config.attempts:
        reason = f"It was begun {job.attempts} times and never finished. Last: {lease.reason}"
        return end_job(work, job, JobPhase.FAILED, reason, now_us)
    if job.refusals >= config.refusals:
        reason = f"It was offered {job.refusals} times and never begun. Last: {lease.reason}"
        return end_job(work, job, JobPhase.FAILED, reason, now_us)
    job = replace(job, phase=JobPhase.QUEUED)
    work.save_job(job)
    return job
