"""Are the books right? Everything is counted again from the first posting on."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from argentum_desktop.domain.money import Money, price_for
from argentum_desktop.market_server import ledger
from argentum_desktop.market_server.records import JobRecord, LeaseRecord
from argentum_desktop.market_server.storage import Work

# A market has one currency; which one does not matter for counting.
_ANY = "XXX"


@dataclass(frozen=True)
class AuditReport:
    """What was counted, and every fault in words; no faults means that every cent is where it should be."""

    accounts: int
    jobs: int
    leases: int
    transactions: int
    faults: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        return not self.faults


def audit(work: Work) -> AuditReport:
    """Check the ledger, the jobs and the leases against each other."""
    transactions, balances = work.ledger_transactions(), work.balances()
    jobs, leases = work.all_jobs(), work.all_leases()
    faults = [*_ledger_faults(transactions, balances), *_job_faults(jobs, leases, balances)]
    settled = {transaction.transaction_id: dict(transaction.postings) for transaction in transactions}
    for lease in leases:
        faults += _lease_faults(lease, settled)
    return AuditReport(len(balances), len(jobs), len(leases), len(transactions), tuple(faults))


def _ledger_faults(transactions: list[ledger.Transaction], balances: dict[str, int]) -> list[str]:
    sums: Counter[str] = Counter()
    faults = []
    for transaction in transactions:
        for account, amount in transaction.postings:
            sums[account] += amount
        if not transaction.is_balanced:
            faults.append(f"{transaction.transaction_id} does not balance")
    for account in sums.keys() | balances.keys():
        if sums[account] != balances.get(account, 0):
            faults.append(
                f"the balance of {account} is {balances.get(account, 0)}, its postings sum to {sums[account]}"
            )
        if sums[account] < 0 and account != ledger.LOCAL_CREDIT:
            faults.append(f"{account} is overdrawn by {-sums[account]}")
    if sum(sums.values()) != 0:
        faults.append(f"all postings together sum to {sum(sums.values())}, not to zero")
    return faults


def _job_faults(jobs: list[JobRecord], leases: list[LeaseRecord], balances: dict[str, int]) -> list[str]:
    by_job: dict[str, list[LeaseRecord]] = defaultdict(list)
    for lease in leases:
        by_job[lease.job_id].append(lease)
    faults = []
    for job in jobs:
        own = sorted(by_job[job.job_id], key=lambda lease: lease.fence)
        held, live = balances.get(ledger.hold_account(job.job_id), 0), sum(lease.is_live for lease in own)
        if job.phase.is_terminal and held != 0:
            faults.append(f"{job.job_id} has ended and {held} is still held for it")
        if job.phase.is_terminal and live:
            faults.append(f"{job.job_id} has ended and still has a live lease")
        if live > 1:
            faults.append(f"{job.job_id} has {live} live leases")
        if [lease.fence for lease in own] != list(range(1, job.fence + 1)):
            faults.append(f"the fences of {job.job_id} are not 1 to {job.fence}")
        if job.cost_micros != sum(lease.gross_micros for lease in own):
            faults.append(f"{job.job_id} costs {job.cost_micros}, its leases come to something else")
        if job.billed_s > job.wall_s:
            faults.append(f"{job.job_id} was billed {job.billed_s} s of {job.wall_s} s")
    return faults


def _lease_faults(lease: LeaseRecord, settled: dict[str, dict[str, int]]) -> list[str]:
    postings = settled.get(f"settle:{lease.lease_id}")
    if lease.is_live:
        return [f"{lease.lease_id} lives and is settled"] if postings is not None else []
    faults = []
    if -(postings or {}).get(ledger.hold_account(lease.job_id), 0) != lease.gross_micros:
        faults.append(f"{lease.lease_id} says {lease.gross_micros}, its settlement says something else")
    if lease.gross_micros > price_for(Money(lease.price_micros, _ANY), lease.billable_s).micros:
        faults.append(f"{lease.lease_id} was paid more than its price")
    return faults
