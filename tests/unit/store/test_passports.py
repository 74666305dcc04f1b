"""The passports' tables: they only grow, never fork, lose nothing that was committed, and a day is written once."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from health_samples import a_failed_report, a_gpu
from passport_samples import (
    BUYER,
    SELLER,
    a_day,
    a_passport,
    a_sound_report,
    a_whole_passport,
    checked,
    extended,
    repaired,
    with_entry,
    worked,
)

from argentum_desktop.domain.health import CardIdentity
from argentum_desktop.domain.passport import FIRST_PREVIOUS, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import StoreError
from argentum_desktop.health.passport.chain import next_entry, verify_chain
from argentum_desktop.identity.keys import Identity
from argentum_desktop.store import migrations, passports
from argentum_desktop.store.database import Database
from argentum_desktop.store.passports import ForkError

PASSPORT = a_whole_passport()
CARD = PASSPORT.gpu_id


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.executescript("".join(migrations.AGENT))
    made.execute("PRAGMA foreign_keys = ON")
    made.execute("PRAGMA recursive_triggers = ON")
    yield made
    made.close()


def keep(connection: sqlite3.Connection, passport: Passport = PASSPORT) -> None:
    for entry in passport.entries:
        assert passports.append(connection, passport.gpu_id, entry)


def test_a_passport_comes_back_whole(connection: sqlite3.Connection) -> None:
    keep(connection)
    found = passports.read(connection, CARD)
    assert found == PASSPORT
    assert verify_chain(found).is_whole
    assert passports.head(connection, CARD) == PASSPORT.entries[-1]
    assert passports.cards(connection) == [CARD]


def test_a_card_without_a_passport(connection: sqlite3.Connection) -> None:
    assert passports.read(connection, CARD) is None
    assert passports.head(connection, CARD) is None
    assert passports.reports(connection, CARD, 5) == []
    assert passports.last_day(connection, CARD) is None


def test_each_card_has_its_own_chain(connection: sqlite3.Connection) -> None:
    other = a_passport(checked(), card=CardIdentity.of(a_gpu(gpu_id="GPU-other")))
    keep(connection)
    keep(connection, other)
    assert passports.read(connection, "GPU-other") == other
    assert passports.read(connection, CARD) == PASSPORT
    assert passports.cards(connection) == [CARD, "GPU-other"]


def copied(number: str, kind: str, day: str, previous: str, gpu_id: str = "gpu_id") -> str:
    """A new row made of the last one."""
    return (
        f"INSERT INTO passport_entries SELECT {gpu_id}, {number}, {kind}, at, {day}, body, {previous}, 'x', public_key,"
        " signature FROM passport_entries WHERE number = 5"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE passport_entries SET body = '{}' WHERE number = 2",
        "UPDATE passport_entries SET number = 9 WHERE number = 5",
        "DELETE FROM passport_entries",
        "DELETE FROM passport_entries WHERE number = 5",
        "INSERT OR REPLACE INTO passport_entries SELECT * FROM passport_entries WHERE number = 5",
        copied("5", "'repair'", "NULL", "previous_sha256"),
        copied("7", "'repair'", "NULL", "sha256"),
        copied("6", "'repair'", "NULL", "previous_sha256"),
        copied("6", "'repair'", "'2026-02-09'", "sha256"),
        copied("6", "'day'", "NULL", "sha256"),
        copied("6", "'day'", "day", "sha256"),
        copied("1", "'repair'", "NULL", "sha256", gpu_id="'GPU-new'"),
    ],
)
def test_the_tables_refuse_whatever_is_no_next_entry(connection: sqlite3.Connection, statement: str) -> None:
    keep(connection)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    assert passports.read(connection, CARD) == PASSPORT


def test_the_tables_take_a_next_entry(connection: sqlite3.Connection) -> None:
    keep(connection)
    connection.execute(copied("6", "'repair'", "NULL", "sha256"))
    connection.execute(copied("1", "'repair'", "NULL", f"'{FIRST_PREVIOUS}'", gpu_id="'GPU-new'"))


def test_an_entry_that_does_not_follow_is_refused(connection: sqlite3.Connection) -> None:
    keep(connection)
    here = next_entry(PASSPORT, *repaired("One."), PASSPORT.entries[-1].at, SELLER)
    there = next_entry(PASSPORT, *repaired("Two."), PASSPORT.entries[-1].at, SELLER)
    assert passports.append(connection, CARD, here)
    for entry in (there, here, PASSPORT.entries[0], replace(there, number=7)):
        with pytest.raises(ForkError, match="does not follow the last one"):
            passports.append(connection, CARD, entry)
    found = passports.read(connection, CARD)
    assert found is not None
    assert found.entries == (*PASSPORT.entries, here)


def test_a_day_is_written_once(connection: sqlite3.Connection) -> None:
    keep(connection)
    again = next_entry(PASSPORT, *worked(a_day("2026-02-01", jobs=99)), PASSPORT.entries[-1].at, SELLER)
    assert not passports.append(connection, CARD, again)
    assert passports.extend(connection, CARD, lambda _: again) is None
    assert passports.read(connection, CARD) == PASSPORT
    assert passports.has_day(connection, CARD, "2026-02-01")
    assert not passports.has_day(connection, CARD, "2026-02-03")
    assert not passports.has_day(connection, "GPU-other", "2026-02-01")
    assert passports.last_day(connection, CARD) == "2026-02-02"


def test_what_is_written_is_made_of_the_last_entry(connection: sqlite3.Connection) -> None:
    keep(connection)
    seen: list[PassportEntry | None] = []

    def make(last: PassportEntry | None) -> PassportEntry | None:
        seen.append(last)
        return None if last is None else next_entry(last, *repaired(), last.at, SELLER)

    written = passports.extend(connection, CARD, make)
    assert written == passports.head(connection, CARD)
    assert passports.extend(connection, "GPU-new", make) is None
    assert seen == [PASSPORT.entries[-1], None]


def test_reports_come_newest_first(connection: sqlite3.Connection) -> None:
    one, two, three = (a_sound_report(report_id=name) for name in ("1", "2", "3"))
    keep(connection, a_passport(checked(one), worked(), checked(two), repaired(), checked(three)))
    failed = a_failed_report(card=CardIdentity.of(a_gpu(gpu_id="GPU-b")))
    keep(connection, a_passport(checked(failed), repaired(), card=failed.card))
    keep(connection, a_passport(card=CardIdentity.of(a_gpu(gpu_id="GPU-c"))))
    assert passports.reports(connection, CARD, 2) == [three, two]
    assert passports.reports(connection, CARD, 100) == [three, two, one]
    assert passports.reports(connection, "GPU-b", 100) == [failed]


def test_a_passport_that_came_with_a_card_goes_on_here(connection: sqlite3.Connection) -> None:
    assert passports.adopt(connection, PASSPORT)
    matched = (EntryKind.MATCHED, {"verdict": "same_card", "other": {"sha256": PASSPORT.entries[-1].sha256}})
    handed = extended(PASSPORT, matched, worked(a_day("2026-05-01")), identity=BUYER)
    for entry in handed.entries[5:]:
        assert passports.append(connection, CARD, entry)
    assert passports.read(connection, CARD) == handed
    assert verify_chain(handed).is_whole
    assert not passports.adopt(connection, PASSPORT)
    assert passports.read(connection, CARD) == handed


async def test_a_broken_passport_is_not_adopted_in_part(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db", migrations.AGENT, durable=True)
    await database.open()
    broken = with_entry(PASSPORT, 4, previous_sha256="1" * 64)
    with pytest.raises(StoreError):
        await database.write(lambda connection: passports.adopt(connection, broken))
    assert await database.read(lambda connection: passports.read(connection, CARD)) is None
    await database.close()


def test_a_database_of_the_version_before_gets_the_tables(tmp_path: Path) -> None:
    made = sqlite3.connect(tmp_path / "state.db")
    made.executescript(migrations.AGENT[0])
    made.executescript(migrations.AGENT[1])
    keep(made)
    assert made.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    made.close()


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def _writer(folder: Path, die_at: int = 0) -> subprocess.Popen[str]:
    program = Path(__file__).parents[2] / "passport_writer.py"
    command = [sys.executable, str(program), str(folder / "state.db"), str(folder / "key.pem"), str(die_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def _told(writer: subprocess.Popen[str]) -> list[tuple[int, str]]:
    output, _ = writer.communicate(timeout=30)
    lines = [line.split() for line in output.splitlines() if line.count(" ") == 1 and len(line.split()[1]) == 64]
    return [(int(number), sha256) for number, sha256 in lines]


def _read(folder: Path) -> Passport:
    connection = sqlite3.connect(folder / "state.db")
    try:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        found = passports.read(connection, CARD)
    finally:
        connection.close()
    assert found is not None
    return found


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
def test_a_writer_killed_within_an_entry_loses_that_entry_alone(tmp_path: Path) -> None:
    writer = _writer(tmp_path, die_at=7)
    told = _told(writer)
    assert writer.returncode == -signal.SIGKILL
    assert [number for number, _ in told] == [1, 2, 3, 4, 5, 6]
    found = _read(tmp_path)
    assert [(entry.number, entry.sha256) for entry in found.entries] == told
    assert verify_chain(found).is_whole


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
def test_two_writers_killed_at_any_moment_leave_one_chain(tmp_path: Path) -> None:
    """Both write as fast as they can; each is killed from outside at whatever it is doing then."""
    key = tmp_path / "key.pem"
    key.write_bytes(Identity.generate().to_pem())
    key.chmod(0o600)
    writers = [_writer(tmp_path), _writer(tmp_path)]
    for writer in writers:
        assert writer.stdout is not None
        for _ in range(5):
            writer.stdout.readline()
    for writer in writers:
        writer.kill()
    told = sorted(entry for writer in writers for entry in _told(writer))
    found = _read(tmp_path)
    assert verify_chain(found).is_whole
    assert len(found.entries) >= 10
    assert set(told) <= {(entry.number, entry.sha256) for entry in found.entries}
