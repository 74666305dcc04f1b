"""What was decided about each offer. Kept for a month and bounded, for some markets offer much."""

from __future__ import annotations

import sqlite3
import zlib
from datetime import UTC, datetime, timedelta

import msgspec

from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.decision_record import DecisionRecord

KEPT = timedelta(days=30)
MOST_KEPT = 20_000

_Row = tuple[str, str, str, bytes | None]


def add(connection: sqlite3.Connection, record: DecisionRecord) -> None:
    """Write it down, and forget what is too old or too much."""
    packed = zlib.compress(msgspec.json.encode(record))
    connection.execute(
        "INSERT INTO decisions (decided_at, lease_id, accepted, body, packed) VALUES (?, ?, ?, '', ?)",
        (_instant(record.decided_at), record.lease_id, record.decision.is_yes, packed),
    )
    connection.execute("DELETE FROM decisions WHERE decided_at < ?", (_instant(record.decided_at - KEPT),))
    connection.execute(
        "DELETE FROM decisions WHERE decision_id <= (SELECT MAX(decision_id) FROM decisions) - ?", (MOST_KEPT,)
    )


def recent(connection: sqlite3.Connection, limit: int) -> list[DecisionRecord]:
    """Newest first."""
    rows = connection.execute(
        "SELECT decided_at, lease_id, body, packed FROM decisions ORDER BY decision_id DESC LIMIT ?", (limit,)
    )
    return [_record(row) for row in rows]


def about(connection: sqlite3.Connection, lease_id: str) -> DecisionRecord | None:
    """The latest one about this lease."""
    row = connection.execute(
        "SELECT decided_at, lease_id, body, packed FROM decisions WHERE lease_id = ? ORDER BY decision_id DESC LIMIT 1",
        (lease_id,),
    ).fetchone()
    return _record(row) if row else None


def since(connection: sqlite3.Connection, start: datetime) -> list[DecisionRecord]:
    """All from `start` on, oldest first."""
    rows = connection.execute(
        "SELECT decided_at, lease_id, body, packed FROM decisions WHERE decided_at >= ? ORDER BY decision_id",
        (_instant(start),),
    )
    return [_record(row) for row in rows]


def _record(row: _Row) -> DecisionRecord:
    decided_at, lease_id, body, packed = row
    if packed is None:  # written before the offer was kept with it
        return DecisionRecord(datetime.fromisoformat(decided_at), lease_id, msgspec.json.decode(body, type=Decision))
    return msgspec.json.decode(zlib.decompress(packed), type=DecisionRecord)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
