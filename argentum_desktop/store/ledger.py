"""The ledger's rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.posting import Posting, Transaction


def add(connection: sqlite3.Connection, transaction: Transaction) -> bool:
    """Post it, once: the same id again changes nothing.

    Returns:
        Whether it was new.
    """
    known = connection.execute(
        "SELECT 1 FROM transactions WHERE transaction_id = ?", (transaction.transaction_id,)
    ).fetchone()
    if known:
        return False
    connection.execute(
        "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            transaction.transaction_id,
            _instant(transaction.posted_at),
            transaction.lease_id,
            transaction.description,
            transaction.energy_mj,
            transaction.carbon_mg,
            transaction.energy_words,
        ),
    )
    connection.executemany(
        "INSERT INTO postings VALUES (?, ?, ?, ?)",
        [
            (transaction.transaction_id, posting.account, posting.amount.currency, posting.amount.micros)
            for posting in transaction.postings
        ],
    )
    return True


def between(connection: sqlite3.Connection, start: datetime, end: datetime) -> list[Transaction]:
    """The transactions posted from `start` to just before `end`, oldest first."""
    rows = connection.execute(
        "SELECT transaction_id, posted_at, lease_id, description, energy_mj, carbon_mg, energy_words,"
        " account, micros, currency"
        " FROM transactions JOIN postings USING (transaction_id)"
        " WHERE posted_at >= ? AND posted_at < ? ORDER BY posted_at, transaction_id, account",
        (_instant(start), _instant(end)),
    )
    return list(_transactions(rows))


def _instant(at: datetime) -> str:
    """UTC at a fixed width, so that the order of the texts is the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _transactions(rows: Iterable[tuple[Any, ...]]) -> Iterable[Transaction]:
    for head, group in groupby(rows, key=lambda row: row[:7]):
        postings = tuple(Posting(account, Money(micros, currency)) for *_, account, micros, currency in group)
        transaction_id, posted_at, lease_id, description, *energy = head
        at = datetime.fromisoformat(posted_at)
        yield Transaction(transaction_id, at, lease_id, description, postings, *energy)
