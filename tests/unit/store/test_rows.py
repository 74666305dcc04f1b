"""The tables: what is written comes back the same, in order, and the ledger only grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from samples import NOON, bill, eur, job, lease, offer, receipt

from argentum_desktop.domain.decision import Decision, Verdict
from argentum_desktop.domain.decision_record import DecisionRecord
from argentum_desktop.domain.job import Artifact, JobState, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import LARGEST_MICROS, Money
from argentum_desktop.domain.posting import Posting, Transaction
from argentum_desktop.ledger.settlement import settle
from argentum_desktop.store import decisions, leases, ledger, migrations, program_state


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
    done = replace(lease(), usage=Usage(3600, 123_456_789))
    settled = settle(done, receipt(done), bill(done, eur("0.30"), 11_730, "At 0.30 EUR/kWh."), NOON)
    assert ledger.add(connection, settled)
    (found,) = ledger.between(connection, NOON, NOON + timedelta(seconds=1))
    assert found.transaction_id == "settle:lse_1"
    assert set(found.postings) == set(settled.postings)
    assert (found.energy_mj, found.description, found.lease_id) == (123_456_789, "Mandelbrot", "lse_1")
    assert (found.carbon_mg, found.energy_words) == (11_730, "At 0.30 EUR/kWh.")
    assert found.posted_at == NOON


def test_what_was_posted_before_emissions_were_known_is_still_there() -> None:
    made = sqlite3.connect(":memory:")
    made.executescript("".join(migrations.AGENT[:1]))
    at = NOON.isoformat(timespec="microseconds")
    made.execute("INSERT INTO transactions VALUES ('a', ?, 'lse_1', 'old', 7)", (at,))
    made.execute("INSERT INTO postings VALUES ('a', 'income:jobs', 'EUR', 0)")
    made.executescript("".join(migrations.AGENT[1:]))
    (found,) = ledger.between(made, NOON, NOON + timedelta(seconds=1))
    assert (found.energy_mj, found.carbon_mg, found.energy_words) == (7, None, "")
    assert ledger.add(made, transaction("b"))
    made.close()


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
        "INSERT OR REPLACE INTO transactions VALUES ('a', 'then', 'lse_1', 'x', 0, NULL, '')",
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
    decisions.add(connection, DecisionRecord(NOON, "lse_1", yes))
    decisions.add(connection, DecisionRecord(NOON, "lse_2", no))
    assert [(one.lease_id, one.decision) for one in decisions.recent(connection, 5)] == [("lse_2", no), ("lse_1", yes)]
    assert len(decisions.recent(connection, 1)) == 1


def test_the_program_remembers_and_forgets(connection: sqlite3.Connection) -> None:
    assert program_state.get(connection, "a") is None
    program_state.put(connection, "a", "1")
    program_state.put(connection, "a", "2")
    assert program_state.get(connection, "a") == "2"
    program_state.put(connection, "a", None)
    program_state.put(connection, "a", None)
    assert program_state.get(connection, "a") is None
