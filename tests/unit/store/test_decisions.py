"""Decisions on disk: whole, bounded, and readable as older versions wrote them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from samples import GPU, NOON, job, offer
from surroundings import HOST, circumstances

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.decision_record import DecisionRecord, SeenCard
from argentum_desktop.policy.flip import flipped
from argentum_desktop.policy.gates import Pause
from argentum_desktop.store import decisions, migrations


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for step in migrations.AGENT:
        connection.executescript(step)
    yield connection
    connection.close()


def record(number: int = 0, **changes: object) -> DecisionRecord:
    yes = Decision((Verdict("a", True, "fine"),))
    return replace(DecisionRecord(NOON + timedelta(minutes=number), f"lse_{number}", yes), **changes)  # type: ignore[arg-type]


def test_all_that_was_seen_comes_back(connection: sqlite3.Connection) -> None:
    asked = offer(job=replace(job(), env={}))
    whole = DecisionRecord(
        NOON,
        "lse_1",
        flipped(asked, circumstances(pause=Pause(None))),
        "local",
        asked,
        (SeenCard(GPU, True, 50, 3, 180_000),),
        HOST,
        Activity(idle_s=3.5, full_screen="quake", programs_running=("blender",), unknown={"is_remote": "No."}),
        is_paused=True,
        engine_problem="None.",
        market_is_local=False,
    )
    decisions.add(connection, whole)
    assert decisions.about(connection, "lse_1") == whole
    assert decisions.about(connection, "lse_2") is None


def test_newest_first_and_oldest_first(connection: sqlite3.Connection) -> None:
    for number in range(4):
        decisions.add(connection, record(number))
    assert [one.lease_id for one in decisions.recent(connection, 2)] == ["lse_3", "lse_2"]
    assert [one.lease_id for one in decisions.since(connection, NOON + timedelta(minutes=2))] == ["lse_2", "lse_3"]


def test_a_month_is_kept(connection: sqlite3.Connection) -> None:
    decisions.add(connection, record(0))
    decisions.add(connection, record(1))
    decisions.add(connection, record(2, decided_at=NOON + timedelta(days=30, seconds=30)))
    assert [one.lease_id for one in decisions.recent(connection, 9)] == ["lse_2", "lse_1"]


def test_no_more_than_so_many_are_kept(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "MOST_KEPT", 3)
    for number in range(7):
        decisions.add(connection, record(number))
    assert [one.lease_id for one in decisions.recent(connection, 9)] == ["lse_6", "lse_5", "lse_4"]


def test_what_an_older_version_wrote(connection: sqlite3.Connection) -> None:
    old = Decision((Verdict("floor", False, "Too little.", "More."),))
    connection.execute(
        "INSERT INTO decisions (decided_at, lease_id, accepted, body) VALUES (?, 'lse_9', 0, ?)",
        (NOON.isoformat(), msgspec.json.encode(old).decode()),
    )
    assert decisions.recent(connection, 9) == [DecisionRecord(NOON, "lse_9", old)]


def test_a_record_is_small(connection: sqlite3.Connection) -> None:
    """20,000 of them are at most 40 MB on the disk."""
    asked = offer(job=replace(job(), env={}))
    at = circumstances(pause=Pause(None))
    decisions.add(connection, DecisionRecord(NOON, "l", flipped(asked, at), "m", asked, (SeenCard(GPU, True),), HOST))
    (size,) = connection.execute("SELECT LENGTH(packed) FROM decisions").fetchone()
    assert size < 2048
