"""The leases this machine holds or held."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import msgspec

from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.lease import Lease


def save(connection: sqlite3.Connection, lease: Lease) -> None:
    """Write the whole of it; the last writing counts."""
    connection.execute(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?)",
        (
            lease.lease_id,
            lease.market,
            lease.state.value,
            lease.accepted_at.astimezone(UTC).isoformat(timespec="microseconds"),
            lease.ended_at.isoformat() if lease.ended_at else None,
            msgspec.json.encode(lease).decode(),
        ),
    )


def find(connection: sqlite3.Connection, lease_id: str) -> Lease | None:
    row = connection.execute("SELECT body FROM leases WHERE lease_id = ?", (lease_id,)).fetchone()
    return _lease(row) if row else None


def unfinished(connection: sqlite3.Connection) -> list[Lease]:
    """Every lease with something left to do, oldest first."""
    rows = connection.execute("SELECT body FROM leases WHERE state != ? ORDER BY accepted_at", (JobState.CLOSED.value,))
    return [_lease(row) for row in rows]


def recent(connection: sqlite3.Connection, limit: int) -> list[Lease]:
    """Newest first."""
    rows = connection.execute("SELECT body FROM leases ORDER BY accepted_at DESC LIMIT ?", (limit,))
    return [_lease(row) for row in rows]


def touching(connection: sqlite3.Connection, start: datetime, end: datetime) -> list[Lease]:
    """Those that were held at any moment from `start` to just before `end`, oldest first."""
    rows = connection.execute(
        "SELECT body FROM leases WHERE accepted_at < ? AND (ended_at IS NULL OR ended_at > ?) ORDER BY accepted_at",
        (end.astimezone(UTC).isoformat(timespec="microseconds"), start.astimezone(UTC).isoformat()),
    )
    return [_lease(row) for row in rows]


def _lease(row: tuple[str]) -> Lease:
    return msgspec.json.decode(row[0], type=Lease)
