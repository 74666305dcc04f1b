"""What the program remembers of itself, apart from what the owner chose."""

from __future__ import annotations

from sqlite3 import Connection


def get(connection: Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM program_state WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def put(connection: Connection, key: str, value: str | None) -> None:
    """Remember `value`; None forgets."""
    if value is None:
        connection.execute("DELETE FROM program_state WHERE key = ?", (key,))
    else:
        connection.execute("INSERT OR REPLACE INTO program_state VALUES (?, ?)", (key, value))
