"""The passports' rows. They only grow, each card's in one chain: the tables themselves refuse anything else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from argentum_desktop.domain.health import HealthReport
from argentum_desktop.domain.passport import FIRST_PREVIOUS, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import StoreError
from argentum_desktop.identity.canonical import canonical_json

_COLUMNS = "number, at, kind, body, previous_sha256, sha256, public_key, signature"

Row = tuple[int, str, str, str, str, str, str, str]


class ForkError(StoreError):
    """An entry was made that does not follow the last one: somebody else wrote meanwhile."""

    code = "passport-fork"


def extend(
    connection: sqlite3.Connection, gpu_id: str, make: Callable[[PassportEntry | None], PassportEntry | None]
) -> PassportEntry | None:
    """Write what `make` makes of the last entry (None where there is no passport yet), in the caller's transaction.

    This is the way to write: `make` is called when nobody else can write any more.

    Returns:
        What was written; None when `make` had nothing to add, or the day stands already.

    Raises:
        ForkError: what `make` made does not follow the last entry.
    """
    entry = make(head(connection, gpu_id))
    return entry if entry is not None and append(connection, gpu_id, entry) else None


def append(connection: sqlite3.Connection, gpu_id: str, entry: PassportEntry) -> bool:
    """Write an entry that is made already.

    Returns:
        False when it is of a day that stands already: a day is written once.

    Raises:
        ForkError: it does not follow the last entry.
    """
    last = head(connection, gpu_id)
    day = _day(entry)
    if day is not None and has_day(connection, gpu_id, day):
        return False
    expected = (last.number + 1, last.sha256) if last else (1, FIRST_PREVIOUS)
    if (entry.number, entry.previous_sha256) != expected:
        raise ForkError(
            f"Entry {entry.number} of the passport of {gpu_id} does not follow the last one; it was not written."
        )
    _insert(connection, gpu_id, entry, day)
    return True


def adopt(connection: sqlite3.Connection, passport: Passport) -> bool:
    """Take over a passport that came with a card, so that it goes on here. Verify it before.

    Returns:
        False when this card has a passport here already: nothing was changed then.
    """
    if head(connection, passport.gpu_id) is not None:
        return False
    for entry in passport.entries:
        _insert(connection, passport.gpu_id, entry, _day(entry))
    return True


def head(connection: sqlite3.Connection, gpu_id: str) -> PassportEntry | None:
    """The last entry."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM passport_entries WHERE gpu_id = ? ORDER BY number DESC LIMIT 1",  # noqa: S608 - ours
        (gpu_id,),
    ).fetchone()
    return _entry(row) if row else None


def read(connection: sqlite3.Connection, gpu_id: str) -> Passport | None:
    """The whole of it; None where there is none."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM passport_entries WHERE gpu_id = ? ORDER BY number",  # noqa: S608 - ours
        (gpu_id,),
    )
    entries = tuple(_entry(row) for row in rows)
    return Passport(gpu_id, entries) if entries else None


def cards(connection: sqlite3.Connection) -> list[str]:
    """The ids of all cards that have a passport."""
    return [row[0] for row in connection.execute("SELECT DISTINCT gpu_id FROM passport_entries ORDER BY gpu_id")]


def reports(connection: sqlite3.Connection, gpu_id: str, limit: int) -> list[HealthReport]:
    """A card's checks, newest first."""
    rows = connection.execute(
        "SELECT body FROM passport_entries WHERE gpu_id = ? AND kind = 'check' ORDER BY number DESC LIMIT ?",
        (gpu_id, limit),
    )
    return [_report(body) for (body,) in rows]


def has_day(connection: sqlite3.Connection, gpu_id: str, day: str) -> bool:
    """Whether this day (as in 2026-03-01) was written down."""
    query = "SELECT 1 FROM passport_entries WHERE gpu_id = ? AND day = ?"
    return connection.execute(query, (gpu_id, day)).fetchone() is not None


def last_day(connection: sqlite3.Connection, gpu_id: str) -> str | None:
    """The latest day that was written down."""
    (day,) = connection.execute("SELECT MAX(day) FROM passport_entries WHERE gpu_id = ?", (gpu_id,)).fetchone()
    return str(day) if day is not None else None


def _insert(connection: sqlite3.Connection, gpu_id: str, entry: PassportEntry, day: str | None) -> None:
    connection.execute(
        "INSERT INTO passport_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            gpu_id,
            entry.number,
            entry.kind.value,
            entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            day,
            canonical_json(entry.body).decode("utf-8"),
            entry.previous_sha256,
            entry.sha256,
            entry.public_key,
            entry.signature,
        ),
    )


def _day(entry: PassportEntry) -> str | None:
    return str(entry.body["day"]) if entry.kind is EntryKind.DAY else None


def _entry(row: Row) -> PassportEntry:
    number, at, kind, body, previous_sha256, sha256, public_key, signature = row
    instant = datetime.fromisoformat(at)
    return PassportEntry(
        number, instant, EntryKind(kind), json.loads(body), previous_sha256, sha256, public_key, signature
    )


def _report(body: str) -> HealthReport:
    return msgspec.json.decode(body, type=HealthReport)
