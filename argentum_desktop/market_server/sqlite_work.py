"""The market's statements in SQLite's dialect."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar

from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.domain.job import Outcome
from argentum_desktop.market_server.ledger import Transaction
from argentum_desktop.market_server.records import (
    AccountRecord,
    ArtifactRecord,
    CardRecord,
    JobRecord,
    KeyRecord,
    LeaseRecord,
    OutputRecord,
)
from argentum_desktop.marketplace.wire import JobPhase, LeaseState, Role

R = TypeVar("R")

_TABLES: dict[type, str] = {
    AccountRecord: "accounts",
    KeyRecord: "keys",
    CardRecord: "cards",
    ArtifactRecord: "artifacts",
    JobRecord: "jobs",
    LeaseRecord: "leases",
    OutputRecord: "outputs",
}
# How a column becomes what the record says; all others are the same on both sides.
_READ: dict[str, Any] = {
    "role": Role,
    "phase": JobPhase,
    "state": LeaseState,
    "outcome": lambda text: None if text is None else Outcome(text),
    "grade": lambda text: None if text is None else Grade(text),
    "check_mode": lambda text: None if text is None else CheckMode(text),
    "is_simulated": bool,
    "cancel_requested": bool,
}
_LIVE = "state IN ('offered', 'accepted', 'running')"


def _columns(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


# Only names of our own classes and fields are put into these texts, never a value.
_SELECT = {kind: f"SELECT {', '.join(_columns(kind))} FROM {table} " for kind, table in _TABLES.items()}  # noqa: S608
_INSERT = {
    kind: f"INTO {table} ({', '.join(_columns(kind))}) VALUES ({', '.join('?' * len(_columns(kind)))})"
    for kind, table in _TABLES.items()
}


def _update(kind: type, key: str) -> str:
    changes = ", ".join(f"{name} = ?" for name in _columns(kind))
    return f"UPDATE {_TABLES[kind]} SET {changes} WHERE {key} = ?"  # noqa: S608


_SAVE_JOB = _update(JobRecord, "job_id")
_SAVE_LEASE = _update(LeaseRecord, "lease_id")


class SqliteWork:
    """An open transaction on a connection (`storage.Work`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add_account(self, account: AccountRecord, key: KeyRecord) -> None:
        self._insert(account)
        self._insert(key)

    def account(self, account_id: str) -> AccountRecord | None:
        return self._one(AccountRecord, "WHERE account_id = ?", account_id)

    def key(self, key_id: str) -> KeyRecord | None:
        return self._one(KeyRecord, "WHERE key_id = ?", key_id)

    def replace_cards(self, account_id: str, cards: Sequence[CardRecord]) -> None:
        self._connection.execute("DELETE FROM cards WHERE account_id = ?", (account_id,))
        for card in cards:
            self._insert(card)

    def cards(self, account_id: str) -> list[CardRecord]:
        return self._all(CardRecord, "WHERE account_id = ?", account_id)

    def add_artifact(self, artifact: ArtifactRecord) -> None:
        self._connection.execute(f"INSERT OR IGNORE {_INSERT[ArtifactRecord]}", _values(artifact))

    def artifact(self, account_id: str, sha256: str) -> ArtifactRecord | None:
        return self._one(ArtifactRecord, "WHERE account_id = ? AND sha256 = ?", account_id, sha256)

    def artifact_bytes(self, account_id: str) -> int:
        return self._number("SELECT coalesce(sum(size_bytes), 0) FROM artifacts WHERE account_id = ?", account_id)

    def add_job(self, job: JobRecord) -> None:
        self._insert(job)

    def save_job(self, job: JobRecord) -> None:
        self._connection.execute(_SAVE_JOB, (*_values(job), job.job_id))

    def job(self, job_id: str) -> JobRecord | None:
        return self._one(JobRecord, "WHERE job_id = ?", job_id)

    def job_by_idempotency_key(self, buyer_id: str, key: str) -> JobRecord | None:
        return self._one(JobRecord, "WHERE buyer_id = ? AND idempotency_key = ?", buyer_id, key)

    def jobs_of(self, buyer_id: str, limit: int) -> list[JobRecord]:
        return self._all(JobRecord, "WHERE buyer_id = ? ORDER BY number DESC LIMIT ?", buyer_id, limit)

    def queued_jobs(self, most: JobRecord, limit: int) -> list[JobRecord]:
        return self._all(
            JobRecord,
            "WHERE phase = 'queued' AND price_micros >= ? AND gpus <= ? AND vram_mib <= ? AND cpu_millis <= ?"
            " AND memory_mib <= ? AND disk_mib <= ? AND wall_s <= ? ORDER BY price_micros DESC, number LIMIT ?",
            *(most.price_micros, most.gpus, most.vram_mib, most.cpu_millis),
            *(most.memory_mib, most.disk_mib, most.wall_s, limit),
        )

    def add_lease(self, lease: LeaseRecord) -> None:
        self._insert(lease)

    def save_lease(self, lease: LeaseRecord) -> None:
        self._connection.execute(_SAVE_LEASE, (*_values(lease), lease.lease_id))

    def lease(self, lease_id: str) -> LeaseRecord | None:
        return self._one(LeaseRecord, "WHERE lease_id = ?", lease_id)

    def lease_by_claim(self, provider_id: str, claim_key: str) -> LeaseRecord | None:
        return self._one(LeaseRecord, "WHERE provider_id = ? AND claim_key = ?", provider_id, claim_key)

    def leases_of(self, job_id: str) -> list[LeaseRecord]:
        return self._all(LeaseRecord, "WHERE job_id = ? ORDER BY fence", job_id)

    def expired_leases(self, now_us: int) -> list[LeaseRecord]:
        return self._all(LeaseRecord, f"WHERE {_LIVE} AND expires_us <= ?", now_us)

    def live_leases(self) -> list[LeaseRecord]:
        return self._all(LeaseRecord, f"WHERE {_LIVE}")

    def busy_cards(self, provider_id: str) -> set[str]:
        return {lease.gpu_id for lease in self._all(LeaseRecord, f"WHERE provider_id = ? AND {_LIVE}", provider_id)}

    def put_output(self, output: OutputRecord) -> None:
        self._connection.execute(f"INSERT OR REPLACE {_INSERT[OutputRecord]}", _values(output))

    def remove_output(self, lease_id: str, name: str) -> None:
        self._connection.execute("DELETE FROM outputs WHERE lease_id = ? AND name = ?", (lease_id, name))

    def outputs(self, lease_id: str) -> list[OutputRecord]:
        return self._all(OutputRecord, "WHERE lease_id = ? ORDER BY name", lease_id)

    def add_refusal(self, job_id: str, provider_id: str, until_us: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", (job_id, provider_id, until_us))

    def refusals(self, now_us: int) -> dict[str, frozenset[str]]:
        rows = self._connection.execute("SELECT job_id, provider_id FROM refusals WHERE until_us > ?", (now_us,))
        found: dict[str, set[str]] = defaultdict(set)
        for job_id, provider_id in rows:
            found[job_id].add(provider_id)
        return {job_id: frozenset(providers) for job_id, providers in found.items()}

    def post(self, transaction: Transaction, at_us: int) -> bool:
        if not transaction.is_balanced:
            raise ValueError(f"{transaction.transaction_id} does not balance")
        added = self._connection.execute(
            "INSERT OR IGNORE INTO transactions VALUES (?, ?, ?)",
            (transaction.transaction_id, transaction.memo, at_us),
        )
        if added.rowcount == 0:
            return False
        for account, amount in transaction.postings:
            self._connection.execute(
                "INSERT INTO postings VALUES (?, ?, ?)", (transaction.transaction_id, account, amount)
            )
            self._connection.execute(
                "INSERT INTO balances VALUES (?, ?)"
                " ON CONFLICT (account) DO UPDATE SET amount_micros = amount_micros + excluded.amount_micros",
                (account, amount),
            )
        return True

    def balance(self, account: str) -> int:
        return self._number("SELECT coalesce(sum(amount_micros), 0) FROM balances WHERE account = ?", account)

    def held_for(self, buyer_id: str) -> int:
        return self._number(
            "SELECT coalesce(sum(amount_micros), 0) FROM jobs JOIN balances ON account = 'hold:' || job_id"
            " WHERE buyer_id = ? AND phase IN ('queued', 'leased', 'running')",
            buyer_id,
        )

    def all_jobs(self) -> list[JobRecord]:
        return self._all(JobRecord, "ORDER BY number")

    def all_leases(self) -> list[LeaseRecord]:
        return self._all(LeaseRecord, "ORDER BY granted_us, lease_id")

    def ledger_transactions(self) -> list[Transaction]:
        rows = self._connection.execute(
            "SELECT transaction_id, memo, account, amount_micros FROM transactions LEFT JOIN postings"
            " USING (transaction_id) ORDER BY transactions.rowid"
        )
        found: dict[str, tuple[str, list[tuple[str, int]]]] = {}
        for transaction_id, memo, account, amount in rows:
            postings = found.setdefault(transaction_id, (memo, []))[1]
            if account is not None:
                postings.append((account, amount))
        return [Transaction(key, memo, tuple(postings)) for key, (memo, postings) in found.items()]

    def balances(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT account, amount_micros FROM balances"))

    def _insert(self, record: object) -> None:
        self._connection.execute(f"INSERT {_INSERT[type(record)]}", _values(record))

    def _number(self, statement: str, *values: object) -> int:
        row = self._connection.execute(statement, values).fetchone()
        return int(row[0])

    def _one(self, kind: type[R], rest: str, *values: object) -> R | None:
        found = self._all(kind, rest, *values)
        return found[0] if found else None

    def _all(self, kind: type[R], rest: str, *values: object) -> list[R]:
        return list(_read(kind, self._connection.execute(_SELECT[kind] + rest, values)))


def _values(record: object) -> tuple[object, ...]:
    values = (getattr(record, name) for name in _columns(type(record)))
    return tuple(value.value if isinstance(value, Enum) else value for value in values)


def _read(kind: type[R], rows: Iterable[tuple[object, ...]]) -> Iterable[R]:
    names = _columns(kind)
    for row in rows:
        yield kind(
            **{name: _READ[name](value) if name in _READ else value for name, value in zip(names, row, strict=True)}
        )
