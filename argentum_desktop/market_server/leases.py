"""One job on one card: granted, accepted, started, renewed and ended. Every call may come twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from argentum_desktop.domain.job import Artifact, JobSpec, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.domain.receipt import Receipt
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.matching import Match
from argentum_desktop.market_server.problems import ProblemError, invalid, not_found
from argentum_desktop.market_server.records import SECOND_US, JobRecord, LeaseRecord, OutputRecord, from_us, new_id
from argentum_desktop.market_server.settlement import end_lease, expire, job_of, with_usage
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.codec import decode
from argentum_desktop.marketplace.wire import (
    Completion,
    Decline,
    Desired,
    Heartbeat,
    JobPhase,
    LeaseState,
    LeaseStatus,
    ProblemType,
)

_LONGEST_REASON = 500


def grant(work: Work, config: MarketConfig, match: Match, claim_key: str, now_us: int) -> Offer:
    """Give a queued job to a card; the fence grows by one."""
    job = work.job(match.bid.job_id)
    if job is None or job.phase is not JobPhase.QUEUED:
        raise LookupError(match.bid.job_id)
    lease = LeaseRecord(
        lease_id=new_id("lease", now_us),
        job_id=job.job_id,
        provider_id=match.ask.provider_id,
        gpu_id=match.ask.gpu_id,
        claim_key=claim_key,
        fence=job.fence + 1,
        state=LeaseState.OFFERED,
        price_micros=match.price_micros,
        fee_ppm=config.fee_ppm,
        granted_us=now_us,
        expires_us=now_us + config.accept_within_s * SECOND_US,
    )
    work.save_job(replace(job, phase=JobPhase.LEASED, fence=lease.fence))
    work.add_lease(lease)
    return offer_of(work, config, lease)


def offer_of(work: Work, config: MarketConfig, lease: LeaseRecord) -> Offer:
    """The offer by which a lease was announced; the same whenever it is asked for."""
    return Offer(
        lease_id=lease.lease_id,
        job_id=lease.job_id,
        fence=lease.fence,
        job=decode(JobSpec, job_of(work, lease).spec),
        gpu_ids=(lease.gpu_id,),
        price_per_hour=Money(lease.price_micros, config.currency),
        fee_ppm=lease.fee_ppm,
        accept_within_s=config.accept_within_s,
        lease_ttl_s=config.lease_ttl_s,
        beat_every_s=config.beat_every_s,
        issued_at=from_us(lease.granted_us),
    )


def accept(work: Work, config: MarketConfig, lease: LeaseRecord, fence: int, now_us: int) -> LeaseRecord:
    require_live(lease, fence, now_us)
    if lease.state is LeaseState.OFFERED:
        lease = replace(lease, state=LeaseState.ACCEPTED, accepted_us=now_us, expires_us=_renewed(config, now_us))
        work.save_lease(lease)
    return lease


def decline(work: Work, config: MarketConfig, lease: LeaseRecord, body: Decline, now_us: int) -> LeaseRecord:
    if lease.state is LeaseState.DECLINED and lease.fence == body.fence:
        return lease
    require_live(lease, body.fence, now_us)
    if lease.state is not LeaseState.OFFERED:
        raise invalid("An accepted lease is ended with complete.")
    work.add_refusal(lease.job_id, lease.provider_id, now_us + config.refusal_pause_s * SECOND_US)
    declined = replace(lease, state=LeaseState.DECLINED, reason=_line(body.reason) or "Declined.")
    return end_lease(work, config, declined, job_of(work, lease), now_us)[0]


def start(work: Work, config: MarketConfig, lease: LeaseRecord, fence: int, now_us: int) -> LeaseRecord:
    require_accepted(lease, fence, now_us)
    if lease.state is LeaseState.RUNNING:
        return lease
    lease = replace(lease, state=LeaseState.RUNNING, started_us=now_us, expires_us=_renewed(config, now_us))
    job = job_of(work, lease)
    work.save_lease(lease)
    work.save_job(replace(job, phase=JobPhase.RUNNING, started_us=job.started_us or now_us))
    return lease


def heartbeat(work: Work, config: MarketConfig, lease: LeaseRecord, beat: Heartbeat, now_us: int) -> LeaseRecord:
    """Renew a lease. A beat that came before, or out of order, renews nothing."""
    require_accepted(lease, beat.fence, now_us)
    if beat.seq <= lease.seq:
        return lease
    lease = with_usage(lease, job_of(work, lease), beat.usage, config, now_us)
    percent = beat.progress_percent
    lease = replace(
        lease,
        seq=beat.seq,
        expires_us=max(lease.expires_us, _renewed(config, now_us)),
        progress_percent=lease.progress_percent if percent is None else min(100, max(0, percent)),
    )
    work.save_lease(lease)
    return lease


def complete(work: Work, config: MarketConfig, lease: LeaseRecord, body: Completion, now_us: int) -> LeaseRecord:
    """End and settle a lease; the same answer again when it has ended this way before."""
    if lease.state is LeaseState.CLOSED and lease.fence == body.fence:
        return lease
    require_accepted(lease, body.fence, now_us)
    _keep_named_outputs(work, lease, body.outputs)
    job = job_of(work, lease)
    lease = with_usage(lease, job, body.usage, config, now_us)
    done = body.outcome is Outcome.SUCCEEDED
    closed = replace(
        lease,
        state=LeaseState.CLOSED,
        outcome=body.outcome,
        exit_code=None if body.exit_code is None else max(-(2**31), min(body.exit_code, 2**31)),
        reason=_line(body.reason),
        progress_percent=100 if done else lease.progress_percent,
    )
    return end_lease(work, config, closed, job, now_us)[0]


def sweep(work: Work, config: MarketConfig, now_us: int) -> int:
    """End every lease whose time is over; returns how many there were."""
    expired = work.expired_leases(now_us)
    for lease in expired:
        expire(work, config, lease, now_us)
    return len(expired)


def spare_after_restart(work: Work, config: MarketConfig, now_us: int) -> None:
    """Nobody could renew anything while the market was down: give everybody the time for one beat."""
    soonest_us = now_us + (config.beat_every_s + config.accept_within_s) * SECOND_US
    for lease in work.live_leases():
        if lease.accepted_us is not None and lease.expires_us < soonest_us:
            work.save_lease(replace(lease, expires_us=soonest_us))


def status_of(work: Work, config: MarketConfig, lease: LeaseRecord, now_us: int) -> LeaseStatus:
    job = job_of(work, lease)
    return LeaseStatus(
        lease_id=lease.lease_id,
        state=lease.state,
        fence=lease.fence,
        desired=_desired(lease, job),
        expires_in_s=max(0, lease.expires_us - now_us) // SECOND_US if lease.is_live else 0,
        beat_every_s=config.beat_every_s,
        server_time=from_us(now_us),
        usage=Usage(lease.billable_s, lease.energy_mj),
        receipt=receipt_of(config, lease),
    )


def receipt_of(config: MarketConfig, lease: LeaseRecord) -> Receipt | None:
    """The settlement of an ended lease; None for one that lives or was never accepted."""
    if lease.is_live or lease.accepted_us is None or lease.outcome is None:
        return None
    return Receipt(
        lease_id=lease.lease_id,
        job_id=lease.job_id,
        outcome=lease.outcome,
        billable_s=lease.billable_s,
        price_per_hour=Money(lease.price_micros, config.currency),
        gross=Money(lease.gross_micros, config.currency),
        fee=Money(lease.fee_micros, config.currency),
    )


def of_provider(work: Work, provider_id: str, lease_id: str) -> LeaseRecord:
    """A lease of this provider; of somebody else's it learns nothing."""
    lease = work.lease(lease_id)
    if lease is None or lease.provider_id != provider_id:
        raise not_found("lease")
    return lease


def require_live(lease: LeaseRecord, fence: int, now_us: int) -> None:
    """Refuse calls about a lease that is over, swept yet or not, or that was never this one."""
    if lease.fence != fence:
        raise ProblemError(ProblemType.STALE_FENCE, f"The fence of this lease is {lease.fence}, not {fence}.")
    if lease.state is LeaseState.CLOSED:
        raise ProblemError(ProblemType.ALREADY_TERMINAL, "This lease has been completed.")
    if not lease.is_live or lease.expires_us <= now_us:
        raise ProblemError(ProblemType.LEASE_LOST, lease.reason or "The lease was not renewed in time.")


def require_accepted(lease: LeaseRecord, fence: int, now_us: int) -> None:
    require_live(lease, fence, now_us)
    if lease.state is LeaseState.OFFERED:
        raise invalid("The lease must be accepted first.")


def _keep_named_outputs(work: Work, lease: LeaseRecord, named: Sequence[Artifact]) -> None:
    """What counts is what the completion names, and all of that must be here."""
    here = {output.name: output for output in work.outputs(lease.lease_id)}
    wanted = {file.name: OutputRecord(lease.lease_id, file.name, file.sha256, file.size_bytes) for file in named}
    for name, output in wanted.items():
        if here.get(name) != output:
            raise invalid(f"The output {name!r} has not been sent with this content.")
    for name in here.keys() - wanted.keys():
        work.remove_output(lease.lease_id, name)


def _desired(lease: LeaseRecord, job: JobRecord) -> Desired:
    if not lease.is_live or job.cancel_requested:
        return Desired.STOP
    paid_up = lease.state is LeaseState.RUNNING and lease.billable_s >= job.remaining_s
    return Desired.STOP if paid_up else Desired.RUN


def _renewed(config: MarketConfig, now_us: int) -> int:
    return now_us + config.lease_ttl_s * SECOND_US


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text[:_LONGEST_REASON]).strip()
