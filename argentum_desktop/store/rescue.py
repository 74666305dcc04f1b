"""A new file in the place of a damaged one, with what could be read of it; the old one stays beside it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from argentum_desktop.errors import DiskFullError
from argentum_desktop.store.private_file import create_private
from argentum_desktop.store.salvage import PAGE_BYTES, Salvaged


@dataclass(frozen=True)
class Rescue:
    """What is done about a damaged file.

    Attributes:
        now: the time, for the old file's name.
        salvage: copies what can be read of a file into an empty database.
    """

    now: Callable[[], datetime]
    salvage: Callable[[Path, sqlite3.Connection], Salvaged]


@dataclass(frozen=True)
class Rescued:
    """What a rescue came to, and where the old file is."""

    found: Salvaged
    kept_as: Path


def rescue_file(path: Path, rescue: Rescue, migrate: Callable[[sqlite3.Connection], None]) -> Rescued:
    """Build the new file, and only when it is complete let it take the place of `path`, which nobody has open.

    Args:
        migrate: makes the tables.

    Raises:
        DiskFullError: there is no room for a second file; all is as it was.
    """
    if path.stat().st_size > shutil.disk_usage(path.parent).free:
        raise DiskFullError(
            f"The disk that holds {path} is too full to save what can be read of it.",
            "Free some space; work goes on by itself afterwards.",
        )
    new = _new_file(path)
    _remove(new)
    try:
        create_private(new)
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            migrate(connection)
            connection.execute("BEGIN IMMEDIATE")
            found = rescue.salvage(path, connection)
            connection.execute("COMMIT")
    except BaseException:
        _remove(new)
        raise
    kept_as = _move_aside(path, rescue.now())
    finish_rescue(path)
    return Rescued(found, kept_as)


def finish_rescue(path: Path) -> None:
    """Give the new file its name, also where the program ended just before that: the old one is gone only then."""
    if not path.exists() and _new_file(path).exists():
        _new_file(path).replace(path)


def _move_aside(path: Path, now: datetime) -> Path:
    name = f"{path.name}.damaged-{now:%Y%m%dT%H%M%SZ}"
    kept_as, number = path.with_name(name), 1
    while kept_as.exists():
        number += 1
        kept_as = path.with_name(f"{name}-{number}")
    # The file itself last: while it is there, it is the one in use.
    for old, kept in zip(reversed(_with_journals(path)), reversed(_with_journals(kept_as)), strict=True):
        if old.exists():
            old.replace(kept)
    return kept_as


def _new_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _remove(path: Path) -> None:
    for part in _with_journals(path):
        part.unlink(missing_ok=True)


def _with_journals(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
