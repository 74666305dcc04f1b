"""A damaged history: what can be read goes into a new file, the old one stays, the owner is told."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clocks import FakeClock
from quiet_log import ExpectLog
from small_disk import SmallDisk, small_disk

from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import DiskFullError, StoreError
from argentum_desktop.events import EventBus
from argentum_desktop.store import migrations
from argentum_desktop.telemetry.history import History, HistoryRescued, Point, keep, open_history
from argentum_desktop.telemetry.summaries import roll_up_next

__all__ = ["small_disk"]

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 30
CARDS = ("A", "B")
PAGE = 4096
Damage = Callable[[bytes], bytes]


def readings(hour: int) -> list[Reading]:
    """Every tenth second of an hour, with enough that moves to fill pages."""
    chance = random.Random(hour)
    return [
        Reading(
            card,
            START + timedelta(hours=hour, seconds=second),
            temperature_c=40 + chance.randint(0, 30),
            power_mw=200_000 + chance.randint(-9000, 9000),
            memory_used_bytes=chance.randint(0, 2**34),
            xid_events=(79,) if second == 0 and hour % 10 == 0 else (),
        )
        for second in range(0, 3600, 10)
        for card in CARDS
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound history of some hundreds of pages, its last hour still to be summarised."""
    path = tmp_path_factory.mktemp("whole") / "history.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"PRAGMA journal_mode = WAL; {''.join(migrations.TELEMETRY)} PRAGMA user_version = 1;")
    for hour in range(HOURS):
        keep(connection, readings(hour))
    while roll_up_next(connection, int((START + timedelta(hours=HOURS - 1)).timestamp())):
        pass
    connection.close()
    return path


class Shelf:
    """A copy of that history, damaged, opened as the application does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bus = EventBus()
        self.told: list[HistoryRescued] = []
        self.bus.subscribe(HistoryRescued, self.told.append)

    async def open(self) -> History:
        return await open_history(self.path, lambda _: (), FakeClock(START + timedelta(days=2)), self.bus)

    def kept(self) -> list[Path]:
        return sorted(self.path.parent.glob("history.db.damaged-*"))


def damaged(whole: Path, tmp_path: Path, damage: Damage) -> Shelf:
    path = tmp_path / "history.db"
    path.write_bytes(damage(whole.read_bytes()))
    return Shelf(path)


async def powers(history: History, hours: int = HOURS) -> dict[datetime, Point]:
    found = await history.series("A", "power_mw", START, START + timedelta(hours=hours), 10_000)
    return {point.at: point for point in found}


async def append_one(history: History) -> None:
    await history.append([Reading("A", START + timedelta(hours=HOURS), power_mw=5)])


def overwritten(*pages: int) -> Damage:
    def damage(sound: bytes) -> bytes:
        bad = bytearray(sound)
        for page in pages:
            begin = page % (len(sound) // PAGE) * PAGE
            bad[begin : begin + PAGE] = random.Random(page).randbytes(PAGE)
        return bytes(bad)

    return damage


@pytest.mark.parametrize(
    ("damage", "least"),
    [
        (lambda sound: b"\xff" * 100 + sound[100:], 1.0),
        (overwritten(0), 1.0),
        (overwritten(10), 0.9),
        (overwritten(0, 1, 2, 3), 0.9),
        (overwritten(*range(20, 60)), 0.6),
        (overwritten(-1, -2, -3), 0.9),
        (lambda sound: sound[: len(sound) // 2 + 100], 0.3),
    ],
    ids=["header", "first page", "a page", "the first pages", "forty pages", "the last pages", "half"],
)
async def test_what_can_be_read_is_saved_and_the_old_file_stays(
    whole: Path, tmp_path: Path, expect_log: ExpectLog, damage: Damage, least: float
) -> None:
    expect_log("history of the cards was damaged")
    sound = Shelf(whole)
    history = await sound.open()
    before = await powers(history)
    await history.close()
    shelf = damaged(whole, tmp_path, damage)
    bad = shelf.path.read_bytes()
    history = await shelf.open()
    # Damage that the start does not meet is met where it is read or written over.
    after = await powers(history)
    events = await history.events("A", START, START + timedelta(days=2))
    await history.series("B", "power_mw", START, START + timedelta(hours=1), 10_000)
    await append_one(history)
    if not shelf.kept():
        await seconds_of_all(history)
        await append_one(history)
    assert len(after) >= least * len(before)
    assert len({**before, **after}) == len(before)
    wrong = [at for at, point in after.items() if point.high > before[at].high or point.low < before[at].low]
    assert wrong == []
    assert len(events) in {0, 3}
    (kept,) = shelf.kept()
    assert different_pages(kept.read_bytes(), bad) <= 10  # what was written before the damage was met
    assert kept.name == "history.db.damaged-20260303T000000Z"
    assert len(shelf.told) == 1
    assert str(kept) in shelf.told[0].message
    assert "2 cards, from 2026-03-01 00:00 to 2026-03-0" in shelf.told[0].message
    await history.close()
    assert whole_says(shelf.path) == "ok"
    history = await shelf.open()
    assert len(await powers(history)) >= len(after)
    await history.close()
    assert len(shelf.kept()) == 1


def different_pages(one: bytes, other: bytes) -> int:
    return sum(one[at : at + PAGE] != other[at : at + PAGE] for at in range(0, max(len(one), len(other)), PAGE))


async def seconds_of_all(history: History) -> None:
    for hour in range(HOURS):
        start = START + timedelta(hours=hour)
        for card in CARDS:
            await history.series(card, "power_mw", start, start + timedelta(hours=1), 10_000)


def whole_says(path: Path) -> str:
    connection = sqlite3.connect(path)
    (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return str(said)


@pytest.mark.parametrize(
    "content",
    [b"this is no database, it is a letter to somebody" * 1000, b"x" * 500, bytes(PAGE * 3) + b"x" * PAGE],
    ids=["a letter", "a word", "zeros"],
)
async def test_a_file_that_is_something_else_is_kept_and_a_new_one_begun(
    tmp_path: Path, expect_log: ExpectLog, content: bytes
) -> None:
    expect_log("nothing of it could be read")
    path = tmp_path / "history.db"
    path.write_bytes(content)
    shelf = Shelf(path)
    history = await shelf.open()
    await append_one(history)
    assert len(await powers(history, HOURS + 1)) == 1
    assert [kept.read_bytes() for kept in shelf.kept()] == [content]
    await history.close()


async def test_damage_while_running_needs_no_restart(whole: Path, tmp_path: Path, expect_log: ExpectLog) -> None:
    """The disk spoils a page under the open file, with newer rows in the journal."""
    expect_log("history of the cards was damaged")
    shelf = damaged(whole, tmp_path, bytes)
    history = await shelf.open()
    await history.append(readings(HOURS))
    spoil = overwritten(*range(4, 14))(shelf.path.read_bytes())
    with shelf.path.open("rb+") as file:
        file.write(spoil)
    await seconds_of_all(history)
    await history.append(readings(HOURS + 1))
    if not shelf.kept():  # SQLite still had these pages in memory
        await history.close()
        history = await shelf.open()
        await seconds_of_all(history)
        await append_one(history)
    assert len(shelf.kept()) == 1
    found = await history.series(
        "A", "power_mw", START + timedelta(hours=HOURS), START + timedelta(hours=HOURS + 2), 200
    )
    assert len(found) == 120
    assert len(await powers(history, HOURS + 2)) >= 0.9 * 60 * (HOURS + 2)
    await history.close()


async def test_what_is_only_in_the_journal_is_saved_too(whole: Path, tmp_path: Path, expect_log: ExpectLog) -> None:
    expect_log("history of the cards was damaged")
    running, left = tmp_path / "running", tmp_path / "left"
    running.mkdir()
    shutil.copy(whole, running / "history.db")
    history = await Shelf(running / "history.db").open()
    await history.append(readings(HOURS))
    shutil.copytree(running, left)  # as after a kill
    await history.close()
    (left / "history.db-shm").unlink()
    os.truncate(left / "history.db", 10 * PAGE)
    shelf = Shelf(left / "history.db")
    history = await shelf.open()
    await powers(history)
    await append_one(history)
    assert len(shelf.kept()) == 3  # with its journals
    begin = START + timedelta(hours=HOURS)
    assert len(await history.series("A", "power_mw", begin, begin + timedelta(hours=1), 10_000)) == 360
    await history.close()


async def test_what_numbers_mean_is_known_from_the_days_when_the_table_of_names_is_lost(
    whole: Path, tmp_path: Path, expect_log: ExpectLog
) -> None:
    expect_log("history of the cards was damaged")
    connection = sqlite3.connect(whole)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'names'").fetchone()
    connection.close()
    shelf = damaged(whole, tmp_path, overwritten(root - 1))
    history = await shelf.open()
    assert len(await powers(history)) == 60 * HOURS
    await append_one(history)
    await history.close()


async def test_a_newer_version_is_no_damage(whole: Path, tmp_path: Path) -> None:
    shelf = damaged(whole, tmp_path, bytes)
    connection = sqlite3.connect(shelf.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = shelf.path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        await shelf.open()
    assert shelf.path.read_bytes() == before
    assert shelf.kept() == []


async def test_no_room_for_a_second_file_leaves_the_first_and_is_tried_again(
    whole: Path, small_disk: SmallDisk, expect_log: ExpectLog
) -> None:
    expect_log("history of the cards was damaged")
    path = small_disk.folder / "history.db"
    path.write_bytes(b"\xff" * 100 + whole.read_bytes()[100 : PAGE * 60])
    bad = path.read_bytes()
    shelf = Shelf(path)
    small_disk.fill(leave_bytes=150_000)
    with pytest.raises(DiskFullError, match="full"):
        await shelf.open()
    assert path.read_bytes() == bad
    assert sorted(entry.name for entry in small_disk.folder.iterdir()) == ["ballast", "history.db"]
    small_disk.make_room()
    history = await shelf.open()
    assert len(shelf.kept()) == 1
    await append_one(history)
    await history.close()


async def test_a_rescue_cut_short_before_its_last_step_is_finished(whole: Path, tmp_path: Path) -> None:
    shutil.copy(whole, tmp_path / "history.db.new")
    shelf = Shelf(tmp_path / "history.db")
    history = await shelf.open()
    assert len(await powers(history)) == 60 * HOURS
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".new")] == []
    await history.close()


async def test_a_rescue_cut_short_before_that_begins_anew(whole: Path, tmp_path: Path, expect_log: ExpectLog) -> None:
    expect_log("history of the cards was damaged")
    shelf = damaged(whole, tmp_path, overwritten(0))
    (tmp_path / "history.db.new").write_bytes(b"half of a file")
    history = await shelf.open()
    assert len(await powers(history)) == 60 * HOURS
    await append_one(history)
    await history.close()
