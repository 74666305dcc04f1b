"""What keeps the market's state: SQLite here; anything with transactions fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from argentum_desktop.market_server.ledger import Transaction as LedgerTransaction
from argentum_desktop.market_server.records import (
    AccountRecord,
    ArtifactRecord,
    CardRecord,
    JobRecord,
    KeyRecord,
    LeaseRecord,
    OutputRecord,
)

T = TypeVar("T")


class Work(Protocol):
    """One open transaction. What `job` and `lease` return stays ours until it ends (a server locks the row)."""

    def add_account(self, account: AccountRecord, key: KeyRecord) -> None: ...

    def account(self, account_id: str) -> AccountRecord | None: ...

    def key(self, key_id: str) -> KeyRecord | None: ...

    def replace_cards(self, account_id: str, cards: Sequence[CardRecord]) -> None: ...

    def cards(self, account_id: str) -> list[CardRecord]: ...

    def add_artifact(self, artifact: ArtifactRecord) -> None:
        """Remember that the account has sent this file; no harm when it did before."""
        ...

    def artifact(self, account_id: str, sha256: str) -> ArtifactRecord | None: ...

    def artifact_bytes(self, account_id: str) -> int: ...

    def add_job(self, job: JobRecord) -> None: ...

    def save_job(self, job: JobRecord) -> None: ...

    def job(self, job_id: str) -> JobRecord | None: ...

    def job_by_idempotency_key(self, buyer_id: str, key: str) -> JobRecord | None: ...

    def jobs_of(self, buyer_id: str, limit: int) -> list[JobRecord]:
        """Newest first."""
        ...

    def queued_jobs(self, most: JobRecord, limit: int) -> list[JobRecord]:
        """The best paid queued jobs that want no more of anything than `most`, and pay at least its price."""
        ...

    def add_lease(self, lease: LeaseRecord) -> None: ...

    def save_lease(self, lease: LeaseRecord) -> None: ...

    def lease(self, lease_id: str) -> LeaseRecord | None: ...

    def lease_by_claim(self, provider_id: str, claim_key: str) -> LeaseRecord | None: ...

    def leases_of(self, job_id: str) -> list[LeaseRecord]:
        """In the order in which they were granted."""
        ...

    def expired_leases(self, now_us: int) -> list[LeaseRecord]:
        """Live ones whose time is over."""
        ...

    def live_leases(self) -> list[LeaseRecord]: ...

    def busy_cards(self, provider_id: str) -> set[str]: ...

    def put_output(self, output: OutputRecord) -> None: ...

    def remove_output(self, lease_id: str, name: str) -> None: ...

    def outputs(self, lease_id: str) -> list[OutputRecord]: ...

    def add_refusal(self, job_id: str, provider_id: str, until_us: int) -> None: ...

    def refusals(self, now_us: int) -> dict[str, frozenset[str]]:
        """By job, the providers to whom it is not to be offered yet."""
        ...

    def post(self, transaction: LedgerTransaction, at_us: int) -> bool:
        """Write a ledger transaction; false, and nothing is written, when its id was there before."""
        ...

    def balance(self, account: str) -> int: ...

    def held_for(self, buyer_id: str) -> int:
        """What is held for all of a buyer's jobs that have not ended."""
        ...

    def all_jobs(self) -> list[JobRecord]: ...

    def all_leases(self) -> list[LeaseRecord]: ...

    def ledger_transactions(self) -> list[LedgerTransaction]: ...

    def balances(self) -> dict[str, int]: ...


class Storage(Protocol):
    """Runs functions, each in one transaction: all of it happens, durably, or nothing."""

    async def run(self, work: Callable[[Work], T]) -> T:
        """Call `work` with an open transaction and commit it; what it raises undoes it.

        Raises:
            StoreError: it could not be committed; nothing happened.
        """
        ...

    async def close(self) -> None: ...
