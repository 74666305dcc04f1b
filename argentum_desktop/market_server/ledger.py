"""The market's books: double entry in whole micro-units, every transaction written once, whatever is repeated.

| transaction | from | to |
| --- | --- | --- |
| `credit:ACCOUNT` | `credit:local` | `buyer:ACCOUNT`: money that exists in a local market alone |
| `hold:JOB` | `buyer:ACCOUNT` | `hold:JOB`: the most that the job can cost |
| `settle:LEASE` | `hold:JOB` | `provider:ACCOUNT` and `fee` |
| `release:JOB` | `hold:JOB` | `buyer:ACCOUNT`: what was not used |
"""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.money import Money

LOCAL_CREDIT = "credit:local"
FEE = "fee"


@dataclass(frozen=True)
class Transaction:
    """Postings that sum to zero. The id says what happened and to what, so that it can happen only once."""

    transaction_id: str
    memo: str
    postings: tuple[tuple[str, int], ...]

    @property
    def is_balanced(self) -> bool:
        return sum(amount for _, amount in self.postings) == 0


def buyer_account(account_id: str) -> str:
    return f"buyer:{account_id}"


def provider_account(account_id: str) -> str:
    return f"provider:{account_id}"


def hold_account(job_id: str) -> str:
    return f"hold:{job_id}"


def credit(account_id: str, amount: Money) -> Transaction:
    """Starting credit of a local market, and described as that."""
    return _move(
        f"credit:{account_id}",
        "Local credit: it exists on this machine alone and cannot be paid out",
        LOCAL_CREDIT,
        ((buyer_account(account_id), amount.micros),),
    )


def hold(job_id: str, buyer_id: str, amount: Money) -> Transaction:
    return _move(f"hold:{job_id}", "Held for a job", buyer_account(buyer_id), ((hold_account(job_id), amount.micros),))


def settle(lease_id: str, job_id: str, provider_id: str, gross: Money, fee: Money) -> Transaction:
    shares = ((provider_account(provider_id), gross.micros - fee.micros), (FEE, fee.micros))
    return _move(f"settle:{lease_id}", "Paid for a lease", hold_account(job_id), shares)


def release(job_id: str, buyer_id: str, amount_micros: int) -> Transaction:
    return _move(
        f"release:{job_id}", "Not used by a job", hold_account(job_id), ((buyer_account(buyer_id), amount_micros),)
    )


def _move(transaction_id: str, memo: str, source: str, targets: tuple[tuple[str, int], ...]) -> Transaction:
    paid = tuple((account, micros) for account, micros in targets if micros)
    total = sum(micros for _, micros in paid)
    return Transaction(transaction_id, memo, ((source, -total), *paid) if total else ())
