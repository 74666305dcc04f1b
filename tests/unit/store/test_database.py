"""The database file: migrated with a copy, refused in words, never half written."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from sqlite3 import Connection

import pytest
from small_disk import SmallDisk, small_disk

from argentum_desktop.errors import DiskFullError, StoreError
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database

__all__ = ["small_disk"]

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
COLOURS = """
    ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';
    CREATE TRIGGER notes_stay BEFORE DELETE ON notes
        BEGIN SELECT RAISE(ABORT, 'notes stay'); END;
    UPDATE notes SET colour = 'old; or not';
"""


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Opens databases and closes them after the test."""
    databases: list[Database] = []

    async def open_(
        path: Path = tmp_path / "a.db", steps: Sequence[str] = (NOTES,), *, durable: bool = True
    ) -> Database:
        database = Database(path, steps, durable=durable)
        databases.append(database)
        await database.open()
        return database

    yield open_
    for database in databases:
        await database.close()


def add(text: str) -> Callable[[Connection], None]:
    return lambda connection: connection.execute("INSERT INTO notes (text) VALUES (?)", (text,)) and None


def texts(connection: Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY id")]


async def test_what_is_written_is_there_after_a_restart(opened, tmp_path: Path) -> None:
    database = await opened()
    assert await database.write(add("one")) is None
    await database.close()
    database = await opened()
    assert await database.read(texts) == ["one"]
    assert await database.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert await database.read(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert await database.read(lambda c: c.execute("PRAGMA foreign_keys").fetchone()) == (1,)
    assert await database.read(lambda c: c.execute("PRAGMA recursive_triggers").fetchone()) == (1,)
    assert not list(tmp_path.glob("*.backup-*"))


async def test_readings_need_no_sync_at_each_commit(opened) -> None:
    database = await opened(durable=False)
    assert await database.read(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (1,)


async def test_only_the_owner_can_read_the_file_and_its_journals(opened, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = await opened()
        await database.write(add("secret"))
        assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
            "a.db": 0o600,
            "a.db-wal": 0o600,
            "a.db-shm": 0o600,
        }
    finally:
        os.umask(before)


async def test_a_change_that_fails_changes_nothing(opened) -> None:
    database = await opened()

    def half(connection: Connection) -> None:
        add("lost")(connection)
        raise KeyError("in the middle")

    with pytest.raises(KeyError):
        await database.write(half)

    def wrong(connection: Connection) -> None:
        add("lost too")(connection)
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreError, match="no such table: nowhere"):
        await database.write(wrong)
    await database.write(add("kept"))
    assert await database.read(texts) == ["kept"]


async def test_changes_happen_in_the_order_in_which_they_were_asked_for(opened) -> None:
    database = await opened()
    await asyncio.gather(*(database.write(add(str(number))) for number in range(50)))
    assert await database.read(texts) == [str(number) for number in range(50)]


async def test_a_closed_database_says_so_and_closes_twice_without_harm(opened, tmp_path: Path) -> None:
    database = await opened()
    await database.close()
    await database.close()
    for call in (database.read(texts), database.write(add("x")), database.open()):
        with pytest.raises(StoreError, match="is closed"):
            await call
    never_opened = Database(tmp_path / "b.db", (NOTES,), durable=True)
    with pytest.raises(StoreError, match="is closed"):
        await never_opened.read(texts)
    await never_opened.close()


# -- migrations -------------------------------------------------------------------------------------------------------


async def test_a_migration_keeps_a_copy_of_what_was_before(opened, tmp_path: Path) -> None:
    database = await opened()
    await database.write(add("kept"))
    await database.close()
    database = await opened(steps=(NOTES, COLOURS))
    colours = await database.read(lambda c: c.execute("SELECT text, colour FROM notes").fetchall())
    assert colours == [("kept", "old; or not")]
    copy = tmp_path / "a.db.backup-1"
    with sqlite3.connect(copy) as connection:
        assert texts(connection) == ["kept"]
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
    assert copy.stat().st_mode & 0o077 == 0
    await database.close()
    before = copy.read_bytes()
    await opened(steps=(NOTES, COLOURS))
    assert copy.read_bytes() == before
    assert not list(tmp_path.glob("*.new"))


async def test_a_migration_that_fails_leaves_the_old_state_whole(opened, tmp_path: Path) -> None:
    database = await opened()
    await database.write(add("kept"))
    await database.close()
    broken = f"{COLOURS} INSERT INTO nowhere VALUES (1);"
    with pytest.raises(StoreError, match="nowhere"):
        await opened(steps=(NOTES, broken))
    database = await opened()
    assert await database.read(texts) == ["kept"]
    assert await database.read(lambda c: c.execute("SELECT * FROM notes").fetchall()) == [(1, "kept")]
    assert (tmp_path / "a.db.backup-1").exists()


async def test_two_that_migrate_at_once_do_it_once(opened) -> None:
    await asyncio.gather(*(opened(steps=(NOTES, COLOURS)) for _ in range(4)))
    database = await opened(steps=(NOTES, COLOURS))
    assert await database.read(lambda c: c.execute("PRAGMA user_version").fetchone()) == (2,)


@pytest.mark.parametrize("steps", [migrations.AGENT, migrations.TELEMETRY])
async def test_the_shipped_steps_make_a_sound_database(opened, steps: Sequence[str]) -> None:
    database = await opened(steps=steps)
    assert await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()) == ("ok",)
    assert await database.read(lambda c: c.execute("PRAGMA user_version").fetchone()) == (len(steps),)


# -- files that cannot be used ----------------------------------------------------------------------------------------


async def test_a_file_of_a_newer_version_is_left_as_it_is(opened, tmp_path: Path) -> None:
    database = await opened(steps=(NOTES, COLOURS))
    await database.close()
    before = (tmp_path / "a.db").read_bytes()
    with pytest.raises(StoreError, match="written by a newer version") as error:
        await opened()
    assert "newer one; the file is left as it is" in error.value.remedy
    assert (tmp_path / "a.db").read_bytes() == before
    assert not list(tmp_path.glob("*.backup-*"))


def filled(path: Path) -> bytes:
    """A sound database of some forty pages."""
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; {NOTES} PRAGMA user_version = 1;")
    with connection:
        connection.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 1000,)] * 150)
    connection.close()
    return path.read_bytes()


def scrambled(sound: bytes) -> bytes:
    """A page in the middle is not what it was."""
    return sound[: 4096 * 10] + bytes(range(256)) * 16 + sound[4096 * 11 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda sound: b"this is no database, it is a letter to somebody" * 100,
        lambda sound: b"\xff" * 100 + sound[100:],
        lambda sound: sound[: len(sound) // 2],
        lambda sound: sound[:4096],
        lambda sound: sound[:1000],
        scrambled,
    ],
    ids=["other", "header", "half", "one page", "less than a page", "one bad page"],
)
async def test_a_damaged_file_is_refused_in_words_and_left_as_it_is(
    opened, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.db"
    bad = damage(filled(path))
    path.write_bytes(bad)
    with pytest.raises(StoreError, match=r"The database .*a\.db is damaged") as error:
        await opened()
    assert error.value.remedy.startswith("Move the file away to start with an empty one")
    assert "\n" not in error.value.message
    assert path.read_bytes() == bad
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.db"]


async def test_damage_met_later_is_told_in_words_too(opened, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(scrambled(filled(path)))
    database = await opened(durable=False)
    with pytest.raises(StoreError, match="is damaged"):
        await database.read(texts)


async def test_a_folder_in_its_place_and_a_folder_that_is_not_there(opened, tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    for path in (tmp_path / "folder.db", tmp_path / "gone" / "a.db"):
        with pytest.raises(StoreError, match="cannot be used") as error:
            await opened(path)
        assert error.value.remedy


async def test_a_database_that_another_program_holds_is_said_to_be_in_use(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    filled(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    database = Database(path, (NOTES,), durable=True)
    await database.open()
    await database.read(lambda c: c.execute("PRAGMA busy_timeout = 50"))
    with pytest.raises(StoreError, match="in use by another program"):
        await database.write(add("x"))
    other.execute("ROLLBACK")
    await database.write(add("x"))
    other.close()
    await database.close()


# -- no room ----------------------------------------------------------------------------------------------------------


async def test_a_full_disk_loses_nothing_and_work_goes_on_afterwards(small_disk: SmallDisk, opened) -> None:
    database = await opened(small_disk.folder / "a.db")
    small_disk.fill(leave_bytes=200_000)
    kept, told = 0, None
    while told is None:
        try:
            await database.write(add(f"{kept} {'x' * 5000}"))
            kept += 1
        except DiskFullError as error:
            told = error
    assert "is full" in told.message
    assert "Free some space" in told.remedy
    assert kept > 3
    with pytest.raises(DiskFullError):
        await database.write(add("x" * 50_000))
    assert len(await database.read(texts)) == kept
    small_disk.make_room()
    await database.write(add("after"))
    await database.close()
    database = await opened(small_disk.folder / "a.db")
    found = await database.read(texts)
    assert [text.split()[0] for text in found] == [*map(str, range(kept)), "after"]
    assert await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()) == ("ok",)


async def test_a_start_on_a_full_disk_is_told_so_and_works_once_there_is_room(small_disk: SmallDisk, opened) -> None:
    old, new = small_disk.folder / "old.db", small_disk.folder / "new.db"
    database = await opened(old)
    await database.write(add("kept"))
    await database.close()
    small_disk.fill()
    for path in (old, new):
        with pytest.raises(DiskFullError, match="is full"):
            await opened(path)
    small_disk.make_room()
    assert await (await opened(old)).read(texts) == ["kept"]
    assert await (await opened(new)).read(texts) == []


async def test_no_room_for_the_copy_means_no_migration(small_disk: SmallDisk, opened) -> None:
    path = small_disk.folder / "a.db"
    before = filled(path)
    small_disk.fill(leave_bytes=100_000)
    with pytest.raises(DiskFullError):
        await opened(path, (NOTES, COLOURS))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in small_disk.folder.iterdir()) == ["a.db", "ballast"]
    small_disk.make_room()
    database = await opened(path, (NOTES, COLOURS))
    assert len(await database.read(texts)) == 150
    assert (small_disk.folder / "a.db.backup-1").exists()


def test_an_interrupted_command_leaves_no_file_open(tmp_path: Path) -> None:
    """`open` that is refused closes its connection: nothing is left for the interpreter to complain about."""
    (tmp_path / "a.db").write_bytes(b"no database" * 400)
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom argentum_desktop.store.database import Database\n"
        "async def main():\n    database = Database(Path(sys.argv[1]), ('',), durable=True)\n"
        "    try:\n        await database.open()\n    except Exception as error:\n        print(error)\n"
        "asyncio.run(main())\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path / "a.db")], capture_output=True, text=True
    )
    assert result.returncode == 0
    assert result.stderr == ""
    assert "is damaged" in result.stdout
