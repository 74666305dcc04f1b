"""The embedded store: one SQLite file, one connection, one thread that writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from argentum_desktop.errors import DiskFullError, StoreError
from argentum_desktop.market_server.schema import MIGRATIONS
from argentum_desktop.market_server.sqlite_work import SqliteWork
from argentum_desktop.market_server.storage import Work

T = TypeVar("T")

_BUSY_MS = 5000


class SqliteStorage:
    """A `Storage` on a file. Several writers would starve each other, so there is one and work queues for it."""

    def __init__(self, path: Path) -> None:
        """Open the file, make or migrate it.

        Raises:
            StoreError: it cannot be opened, or was written by a newer version.
        """
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="market-store")
        try:
            self._connection = self._thread.submit(open_database, path).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def run(self, work: Callable[[Work], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.run_now, work)

    def run_now(self, work: Callable[[Work], T]) -> T:
        """`run` for callers that are not coroutines; on whatever thread has the connection to itself."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(SqliteWork(connection))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise store_error(error) from error
        return result

    async def close(self) -> None:
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Close the file; the last one to do so folds the write-ahead log into it."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


def open_database(path: Path) -> sqlite3.Connection:
    """A connection with full durability, at the newest schema."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise store_error(error) from error
    try:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def store_error(error: sqlite3.Error) -> StoreError:
    """The error of our own tree for one of SQLite's."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return DiskFullError("The market's disk is full.", "Make room on it.")
    return StoreError(
        f"The market's database cannot be used ({error}).", "Check the disk, or restore the file from a backup."
    )


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The database {path} was written by a newer version of this program.", "Update the program and try again."
        )
    if version == len(MIGRATIONS):
        return
    if version > 0:
        _back_up(connection, path.with_name(f"{path.name}.before-{len(MIGRATIONS)}"))
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(target),))
