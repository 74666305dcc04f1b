"""One SQLite file: one connection, one thread, migrations by number, a copy before each.

Everything that touches the file runs on the database's own thread, in the order in which it was asked for, so that
there is one writer by construction and the service's loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from argentum_desktop.errors import DiskFullError, StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")

_DAMAGED = "Move the file away to start with an empty one; the copies beside it (*.backup-*) are older states of it."


class Database:
    """An open database file.

    Args:
        path: the file; made when it is not there.
        migrations: SQL scripts; the n-th brings the file from version n-1 to n.
        durable: whether a commit must survive a power cut (money) or only a crash (readings).
    """

    def __init__(self, path: Path, migrations: Sequence[str], *, durable: bool) -> None:
        self.path = path
        self._migrations = migrations
        self._durable = durable
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open and, where needed, migrate.

        Raises:
            StoreError: damaged, from a newer version of this application, or not accessible.
        """
        await self._call(self._open)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in one transaction: all of it happens, or nothing.

        Raises:
            DiskFullError: no room; nothing was changed.
            StoreError: any other fault; nothing was changed.
        """
        return await self._call(lambda: self._write(change))

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Run `question`, which changes nothing."""
        return await self._call(lambda: question(self._opened()))

    async def close(self) -> None:
        """Close; no harm when it was never opened."""
        await self._call(self._close)
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            with _as_store_errors(self.path):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"The database {self.path} is closed.")
        return self._connection

    def _open(self) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10, check_same_thread=False)
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        self._migrate(connection)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(self._migrations):
            raise StoreError(
                f"The database {self.path} was written by a newer version of Argentum Desktop.",
                "Install that version again, or a newer one; the file is left as it is.",
            )
        if 0 < version < len(self._migrations):
            copy = self.path.with_name(f"{self.path.name}.backup-{version}")
            copy.unlink(missing_ok=True)
            connection.execute("VACUUM INTO ?", (str(copy),))
        for number, script in enumerate(self._migrations[version:], start=version + 1):
            # One script, one transaction, the version inside it: a crash between two statements leaves the old state.
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")

    def _write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = change(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def _as_store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_FULL"):
            raise DiskFullError(
                f"The disk that holds {path} is full.", "Free some space; work goes on by itself afterwards."
            ) from error
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise StoreError(f"The database {path} is damaged.", _DAMAGED) from error
        raise StoreError(f"The database {path} cannot be used ({error}).") from error
