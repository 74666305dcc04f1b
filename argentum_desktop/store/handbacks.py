"""How quickly the machine was given back, each of the last times."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from argentum_desktop.domain.handback import KEPT, HandBack


def add(connection: sqlite3.Connection, made: HandBack) -> None:
    """Keep it, and forget those that are too old to count: the freezes and the ends each by themselves."""
    connection.execute(
        "INSERT INTO handbacks (lease_id, rule, signal_at, frozen_ms, freed_ms, freed_within_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            made.lease_id,
            made.rule,
            made.signal_at.astimezone(UTC).isoformat(),
            made.frozen_ms,
            made.freed_ms,
            made.freed_within_ms,
        ),
    )
    connection.execute(
        "DELETE FROM handbacks WHERE (frozen_ms IS NULL) = ?1 AND handback_id NOT IN "
        "(SELECT handback_id FROM handbacks WHERE (frozen_ms IS NULL) = ?1 ORDER BY handback_id DESC LIMIT ?2)",
        (made.frozen_ms is None, KEPT),
    )


def recent(connection: sqlite3.Connection) -> list[HandBack]:
    """All that count, oldest first."""
    rows = connection.execute(
        "SELECT lease_id, rule, signal_at, frozen_ms, freed_ms, freed_within_ms FROM handbacks ORDER BY handback_id"
    )
    return [
        HandBack(lease_id, rule, datetime.fromisoformat(signal_at), frozen_ms, freed_ms, within_ms)
        for lease_id, rule, signal_at, frozen_ms, freed_ms, within_ms in rows
    ]
