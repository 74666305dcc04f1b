"""One SQLite file: one connection, one thread, migrations by number, a copy before each.

Everything that touches the file runs on the database's own thread, in the order in which it was asked for, so that
there is one writer by construction and the service's loop never waits for a disk.

A damaged file is refused, for nobody may guess about money. Where a `Rescue` is given, what can be read of it is put
into a new file instead, and the old one stays beside it.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from argentum_desktop.errors import DiskFullError, StoreError
from argentum_desktop.store.chunks import DamagedChunkError
from argentum_desktop.store.private_file import create_private
from argentum_desktop.store.rescue import Rescue, Rescued, finish_rescue, rescue_file
from argentum_desktop.store.salvage import PAGE_BYTES

T = TypeVar("T")

_DAMAGED = "Move the file away to start with an empty one; the copies beside it (*.backup-*) are older states of it."
_FULL = "Free some space; work goes on by itself afterwards."
# Below this much room SQLite cannot even keep the books of its journal, and says "I/O error" instead of "full".
_NEXT_TO_NOTHING_BYTES = 128 * 1024


class DamagedError(StoreError):
    """What is in the file is not what was written."""

    code = "store-damaged"


class Database:
    """An open database file.

    Args:
        path: the file; made when it is not there.
        migrations: SQL scripts; the n-th brings the file from version n-1 to n.
        durable: whether a commit must survive a power cut (money) or only a crash (readings).
        reads_only: somebody else's file: neither made nor changed.
        rescue: what is done about damage, at the start or later; without it, it is refused.

    Attributes:
        rescued: what rescues there were, for whoever tells the owner.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        *,
        durable: bool,
        reads_only: bool = False,
        rescue: Rescue | None = None,
    ) -> None:
        self.path = path
        self.rescued: list[Rescued] = []
        self._migrations = migrations
        self._durable = durable
        self._reads_only = reads_only
        self._rescue = rescue
        self._is_damaged = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)
        self._connection: sqlite3.Connection | None = None
        self._is_over = False

    async def open(self) -> None:
        """Open and, where needed, migrate.

        Raises:
            DiskFullError: no room; the file is as it was.
            StoreError: damaged, from a newer version of this application, or not accessible; the file is as it was.
        """
        await self._call(self._open_once)

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
        """Close for good; no harm when it was never opened, or is closed already."""
        if not self._is_over:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._is_over = True
            self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        if self._is_over:
            raise StoreError(f"The database {self.path} is closed.")

        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._guarded(work))

    def _guarded(self, work: Callable[[], T]) -> T:
        """Do it; where that meets damage and there is a rescue, do it once more afterwards."""
        if self._rescue is None:
            with _as_store_errors(self.path):
                return work()
        try:
            with _as_store_errors(self.path):
                if not self._is_damaged:
                    return work()
        except DamagedError:
            self._is_damaged = True
        return self._after_rescue(self._rescue, work)

    def _after_rescue(self, rescue: Rescue, work: Callable[[], T]) -> T:
        with _as_store_errors(self.path):
            self._close()
            rescued = rescue_file(self.path, rescue, self._migrate)
            self._open()
            self._is_damaged = False
            self.rescued.append(rescued)
            return work()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"The database {self.path} is closed.")
        return self._connection

    def _open_once(self) -> None:
        if self._connection is None:
            if self._rescue is not None:
                finish_rescue(self.path)
            self._open()

    def _open(self) -> None:
        if not self._reads_only:
            create_private(self.path)
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10, check_same_thread=False)
        self._connection = connection
        try:
            self._refuse_unusable(connection)
            if self._reads_only:
                connection.execute("PRAGMA query_only = ON")
                return
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA recursive_triggers = ON")  # so that REPLACE is stopped by what stops DELETE
            connection.execute("PRAGMA journal_size_limit = 4194304")
            self._migrate(connection)
        except BaseException:
            self._close()
            raise

    def _refuse_unusable(self, connection: sqlite3.Connection) -> None:
        """Look before anything is changed."""
        version = _version(connection)
        if self._reads_only and version < len(self._migrations):
            raise StoreError(
                f"The database {self.path} was written by an older version of Argentum Desktop.",
                "Start the application once: it brings it up to date.",
            )
        if version > len(self._migrations):
            raise StoreError(
                f"The database {self.path} was written by a newer version of Argentum Desktop.",
                "Install that version again, or a newer one; the file is left as it is.",
            )
        if self._durable:
            # Money: better no start than postings on top of damage. Readings are too many to be read through each time.
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise DamagedError(f"The database {self.path} is damaged ({' '.join(found.split())}).", _DAMAGED)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """All steps are one transaction, the version inside it: a crash at any point leaves the old state."""
        if _version(connection) == len(self._migrations):
            return
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)  # another process may have been faster
        if 0 < version < len(self._migrations):
            self._back_up(version)
        for script in self._migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(self._migrations)}")
        connection.execute("COMMIT")

    def _back_up(self, version: int) -> None:
        """A whole copy beside the file, under its name only once it is complete.

        Through a second connection, because the first holds the lock that keeps everybody else from migrating too.
        """
        copy = self.path.with_name(f"{self.path.name}.backup-{version}")
        unfinished = copy.with_name(f"{copy.name}.new")
        unfinished.unlink(missing_ok=True)
        try:
            create_private(unfinished)
            with closing(sqlite3.connect(self.path, isolation_level=None)) as reader:
                reader.execute("VACUUM INTO ?", (str(unfinished),))
            unfinished.replace(copy)
        finally:
            unfinished.unlink(missing_ok=True)

    def _write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = change(connection)
            connection.execute("COMMIT")
        except BaseException:
            # A full disk has SQLite roll back by itself; whatever it says then, the first fault is the one to tell.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return result

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit before it begins."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


@contextmanager
def _as_store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(path)):
            raise DiskFullError(f"The disk that holds {path} is full.", _FULL) from error
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise DamagedError(f"The database {path} is damaged.", _DAMAGED) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(
                f"The database {path} is in use by another program.", "End that program, then try again."
            ) from error
        remedy = "Look at the rights of its folder, and at the disk."
        raise StoreError(f"The database {path} cannot be used ({error}).", remedy) from error
    except DamagedChunkError as error:
        raise DamagedError(f"The database {path} is damaged ({error}).", _DAMAGED) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(f"The disk that holds {path} is full.", _FULL) from error
        remedy = "Look at the rights of its folder, and at the disk."
        raise StoreError(f"The database {path} cannot be used ({error.strerror}).", remedy) from error


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NEXT_TO_NOTHING_BYTES
    except OSError:
        return False
