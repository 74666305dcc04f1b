"""kill -9 in the middle of writing: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from samples import NOON

from argentum_desktop.domain.summary import Span
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.telemetry.rollup import summarise
from argentum_desktop.telemetry.summaries import spans

KILLS = 12
LEDGER_WRITER = '''
"""Posts one transaction after another, together with the state of its lease, and tells each one that is committed."""
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from samples import NOON, bill, eur, lease, offer, receipt
from argentum_desktop.agent.lease_book import LeaseBook
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.lease import Usage
from argentum_desktop.events import EventBus
from argentum_desktop.ledger.settlement import settle
from argentum_desktop.store import leases, migrations
from argentum_desktop.store.database import Database

async def main(path, first):
    database = Database(path, migrations.AGENT, durable=True)
    await database.open()
    book = LeaseBook(database, EventBus())
    for number in range(first, first + 100_000):
        made = lease(JobState.COMPLETING, offer=offer(lease_id=f"lse_{number}"), usage=Usage(number, number))
        await database.write(lambda connection: leases.save(connection, made))
        paid = receipt(made, number)
        posting = settle(made, paid, bill(made, eur("0.30")), NOON)
        await book.move(made, JobState.CLEANING, posting=posting, receipt=paid)
        print(number, flush=True)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
'''
HISTORY_WRITER = '''
"""Hands on the same stretch of readings in batches, as the sampler would after each start, and tells each batch."""
import asyncio, sys
from pathlib import Path
from samples import reading
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History

async def main(path, first):
    database = Database(path, migrations.TELEMETRY, durable=False)
    await database.open()
    history = History(database, lambda gpu_id: ())
    for batch in range(first, first + 100_000):
        seconds = range(batch * 1200, batch * 1200 + 1800, 30)  # each overlaps the next, as after a restart
        await history.append([reading(second, card, power_mw=second) for second in seconds for card in "AB"])
        print(batch, flush=True)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
'''


def write_and_kill(program: str, file: Path, first: int, after_s: float) -> int:
    """Let the child write, kill it, and return the last number it told; `first - 1` when it told none."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file), str(first)], stdout=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout is not None
        told = [child.stdout.readline()]  # at least one is committed, or the child's complaint is seen
        time.sleep(after_s)  # the point of the kill is random on purpose; nothing is waited for
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL
    whole = [int(line) for line in told if line.endswith(b"\n")]
    assert whole == list(range(first, first + len(whole)))
    return whole[-1]


@pytest.mark.timeout(120)
def test_no_posting_is_lost_or_doubled_by_a_kill(tmp_path: Path) -> None:
    file, chance = tmp_path / "agent.db", random.Random(9)
    acknowledged = -1
    for _ in range(KILLS):
        acknowledged = write_and_kill(LEDGER_WRITER, file, acknowledged + 1, chance.uniform(0.0, 0.05))
        connection = sqlite3.connect(file)
        found = {row[0] for row in connection.execute("SELECT transaction_id FROM transactions")}
        states = dict(connection.execute("SELECT lease_id, state FROM leases").fetchall())
        unbalanced = connection.execute(
            "SELECT transaction_id FROM postings GROUP BY transaction_id, currency HAVING SUM(micros) != 0"
        ).fetchall()
        sizes = connection.execute("SELECT COUNT(*) FROM postings GROUP BY transaction_id").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        expected = {f"settle:lse_{number}" for number in range(acknowledged + 1)}
        # The one after the last acknowledged may be committed too: its word was cut off.
        assert expected <= found <= expected | {f"settle:lse_{acknowledged + 1}"}
        assert unbalanced == []
        assert set(sizes) == {(5,)}
        # A lease is settled exactly when its posting is there: one transaction wrote both.
        assert {f"settle:{name}" for name, state in states.items() if state == "cleaning"} == found
    assert acknowledged >= KILLS


@pytest.mark.timeout(120)
def test_a_kill_at_any_point_leaves_no_gap_and_no_double_count(tmp_path: Path) -> None:
    """Between batches, and while an hour is summarised."""
    file, chance = tmp_path / "history.db", random.Random(10)
    acknowledged, summarised = -1, 0
    for _ in range(KILLS):
        # What was not acknowledged is handed on again by nobody, what was may come again: here it does.
        told = write_and_kill(HISTORY_WRITER, file, max(0, acknowledged), chance.uniform(0.0, 0.05))
        acknowledged = max(acknowledged, told)
        connection = sqlite3.connect(file)
        newest = (acknowledged + 1) * 1200 + 600
        for gpu_id in "AB":
            for level in (Level.MINUTES, Level.HOURS, Level.DAYS):
                found = covered(connection, gpu_id, level)
                # The batch after the last acknowledged may be there too: its word was cut off.
                ends = [newest, newest + 1200]
                assert found in [expected_spans(end, level.step_s) for end in ends]
        hours = rows.get_spans(connection, rows.read_names(connection), Level.HOURS, 1, 0, 2**40)
        assert len(hours) >= summarised
        summarised = len(hours)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    assert acknowledged >= KILLS // 2
    assert summarised >= 2


def covered(connection: sqlite3.Connection, gpu_id: str, level: Level) -> dict[int, Span]:
    """What the application would show: what is summarised, and what is still due."""
    names = rows.read_names(connection)
    found = spans(connection, names, level, names.cards[gpu_id], 0, 2**40, ("power_mw",))
    return {at - int(NOON.timestamp()): span for at, span in found.items()}


def expected_spans(newest: int, step_s: int) -> dict[int, Span]:
    begin = int(NOON.timestamp())
    groups: dict[int, list[int | None]] = {}
    for second in range(0, newest, 30):
        groups.setdefault((begin + second) // step_s * step_s - begin, []).append(second)
    return {at: summarise(len(powers), {"power_mw": powers}) for at, powers in groups.items()}
