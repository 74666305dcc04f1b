"""Writes into a passport for ever: `passport_writer.py DATABASE KEY [DIE_AT]`; tells each entry once it is committed.

With DIE_AT it kills itself with SIGKILL inside that entry's transaction: after it was signed and inserted, before the
commit.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from health_samples import a_gpu
from passport_samples import repaired

from argentum_desktop.domain.health import CardIdentity
from argentum_desktop.domain.passport import PassportEntry
from argentum_desktop.health.passport.chain import first_entry, needs_opening, next_entry
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.store import migrations, passports
from argentum_desktop.store.database import Database

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


async def main(path: Path, key: Path, die_at: int) -> None:
    identity, card = load_or_create(key), CardIdentity.of(a_gpu())
    database = Database(path, migrations.AGENT, durable=True)
    await database.open()

    def make(last: PassportEntry | None) -> PassportEntry:
        at = BEGIN + timedelta(seconds=last.number if last else 0)
        if last is None or needs_opening(last, identity):
            return first_entry(card, at, identity)
        return next_entry(last, *repaired(f"By {os.getpid()}."), at, identity)

    def write(connection: sqlite3.Connection) -> PassportEntry | None:
        entry = passports.extend(connection, card.gpu_id, make)
        if entry is not None and entry.number == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return entry

    while True:
        entry = await database.write(write)
        if entry is not None:
            print(entry.number, entry.sha256, flush=True)


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0))
