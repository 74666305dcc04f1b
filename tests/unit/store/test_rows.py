"""The tables: what is written comes back the same, in order, and the ledger only grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from samples import NOON, eur, job, lease, offer, receipt

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.job import Artifact, JobState, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import LARGEST_MICROS, Money
from argentum_desktop.domain.posting import Posting, Transaction
from argentum_desktop.ledger.settlement import settle
from argentum_desktop.store import leases, ledger, migrations, program_state


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.executescript("".join(migrations.AGENT))
    made.execute("PRAGMA foreign_keys = ON")
    made.execute("PRAGMA recursive_triggers = ON")
    yield made
    made.close()


ONE = eur("1")


def transaction(name: str, at: datetime = NOON, amount: Money = ONE) -> Transaction:
    postings = (Posting("income:jobs", -amount), Posting("receivable:local", amount))
    return Transaction(name, at, "lse_1", f"the job {name}", postings, energy_mj=7)


def test_a_transaction_comes_back_as_it_was_posted(connection: sqlite3.Connection) -> None:
    settled = settle(replace(lease(), usage=Usage(3600, 123_456_789)), receipt(lease()), eur("0.30"), NOON)
    assert ledger.add(connection, settled)
    (found,) = ledger.between(connection, NOON, NOON + timedelta(seconds=1))
    assert found.transaction_id == "settle:lse_1"
    assert set(found.postings) == set(settled.postings)
    assert (found.energy_mj, found.description, found.lease_id) == (123_456_789, "Mandelbrot", "lse_1")
    assert found.posted_at == NOON


def test_a_transaction_posted_twice_is_one(connection: sqlite3.Connection) -> None:
    assert ledger.add(connection, transaction("a"))
    assert not ledger.add(connection, transaction("a"))
    assert not ledger.add(connection, transaction("a", amount=eur("2")))
    (found,) = ledger.between(connection, NOON, NOON + timedelta(days=1))
    assert {posting.amount for posting in found.postings} == {eur("1"), eur("-1")}
    assert connection.execute("SELECT COUNT(*) FROM postings").fetchone() == (2,)


def test_the_largest_amounts_fit(connection: sqlite3.Connection) -> None:
    ledger.add(connection, transaction("a", amount=Money(LARGEST_MICROS, "EUR")))
    (found,) = ledger.between(connection, NOON, NOON + timedelta(days=1))
    assert max(posting.amount.micros for posting in found.postings) == LARGEST_MICROS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transactions SET description = 'x'",
        "DELETE FROM transactions",
        "UPDATE postings SET micros = 0",
        "DELETE FROM postings",
        "INSERT INTO postings VALUES ('unknown', 'a', 1, 'EUR')",
        "INSERT OR REPLACE INTO transactions VALUES ('a', 'then', 'lse_1', 'x', 0)",
        "INSERT OR REPLACE INTO postings VALUES ('a', 'income:jobs', 0, 'EUR')",
    ],
)
def test_the_ledger_only_grows(connection: sqlite3.Connection, statement: str) -> None:
    ledger.add(connection, transaction("a"))
    before = connection.execute("SELECT * FROM transactions JOIN postings USING (transaction_id)").fetchall()
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    assert connection.execute("SELECT * FROM transactions JOIN postings USING (transaction_id)").fetchall() == before


def test_a_span_holds_its_first_instant_and_not_its_last(connection: sqlite3.Connection) -> None:
    steps = {"a": 0, "b": 1, "c": 1_000_000, "d": 60_000_000, "e": 59_999_999}
    for name, microseconds in steps.items():
        ledger.add(connection, transaction(name, NOON + timedelta(microseconds=microseconds)))
    found = ledger.between(connection, NOON, NOON + timedelta(minutes=1))
    assert [entry.transaction_id for entry in found] == ["a", "b", "c", "e"]
    found = ledger.between(connection, NOON + timedelta(microseconds=1), NOON + timedelta(seconds=1))
    assert [entry.transaction_id for entry in found] == ["b"]


def test_an_instant_counts_whatever_zone_it_is_written_in(connection: sqlite3.Connection) -> None:
    tokyo = timezone(timedelta(hours=9))
    ledger.add(connection, transaction("a", NOON.astimezone(tokyo)))
    assert ledger.between(connection, NOON - timedelta(minutes=1), NOON) == []
    (found,) = ledger.between(connection, NOON.astimezone(tokyo), (NOON + timedelta(minutes=1)).astimezone(tokyo))
    assert found.posted_at == NOON


def test_the_whole_of_time_can_be_asked_for(connection: sqlite3.Connection) -> None:
    ledger.add(connection, transaction("a"))
    begin, end = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert [entry.transaction_id for entry in ledger.between(connection, begin, end)] == ["a"]


def test_a_lease_comes_back_whole_in_every_state(connection: sqlite3.Connection) -> None:
    rich = lease(
        offer=offer(
            job=replace(job(), env={"A": "b"}, inputs=(Artifact("in/x", "d" * 64, 5),)), gpu_ids=("GPU-1", "GPU-2")
        ),
        ended_at=NOON + timedelta(hours=1),
        outcome=Outcome.FAILED,
        exit_code=-9,
        reason="It ended with exit code 137. ünïcode \n line",
        usage=Usage(3600, 5_000_000),
        frozen_at=NOON,
        frozen_s=12,
        beat_seq=7,
        image_id="sha256:x",
        outputs=(Artifact("out", "e" * 64, 0),),
        log_offset=99,
        receipt=receipt(lease()),
    )
    for state in JobState:
        leases.save(connection, replace(rich, state=state))
        assert leases.find(connection, "lse_1") == replace(rich, state=state)
    assert leases.find(connection, "lse_2") is None


def test_unfinished_leases_oldest_first_and_recent_ones_newest_first(connection: sqlite3.Connection) -> None:
    for number in (3, 1, 2):
        made = lease(JobState.CLOSED if number == 2 else JobState.RUNNING, offer=offer(lease_id=f"lse_{number}"))
        leases.save(connection, replace(made, accepted_at=NOON + timedelta(microseconds=number)))
    leases.save(connection, replace(lease(offer=offer(lease_id="lse_0")), accepted_at=NOON))
    assert [entry.lease_id for entry in leases.unfinished(connection)] == ["lse_0", "lse_1", "lse_3"]
    assert [entry.lease_id for entry in leases.recent(connection, 3)] == ["lse_3", "lse_2", "lse_1"]


def test_decisions_newest_first(connection: sqlite3.Connection) -> None:
    yes, no = Decision((Verdict("a", True, "fine"),)), Decision((Verdict("b", False, "No.", "Wait."),))
    leases.add_decision(connection, "lse_1", NOON, yes)
    leases.add_decision(connection, "lse_2", NOON, no)
    assert leases.recent_decisions(connection, 5) == [(NOON, "lse_2", no), (NOON, "lse_1", yes)]
    assert len(leases.recent_decisions(connection, 1)) == 1


def test_the_program_remembers_and_forgets(connection: sqlite3.Connection) -> None:
    assert program_state.get(connection, "a") is None
    program_state.put(connection, "a", "1")
    program_state.put(connection, "a", "2")
    assert program_state.get(connection, "a") == "2"
    program_state.put(connection, "a", None)
    program_state.put(connection, "a", None)
    assert program_state.get(connection, "a") is None
