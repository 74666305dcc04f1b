"""The application is killed at twenty different points of a job and comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from living import LivingAgent, TestBuyer, wait_for

from argentum_desktop.errors import ArgentumError
from argentum_desktop.marketplace.wire import JobPhase, JobStatus
from argentum_desktop.paths import Home

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

POINTS = 20
NEVER = 10_000
AT_ONCE = 3
CRASHING = Path(__file__).resolve().parents[1] / "crashing_agent.py"


def crashing(agent: LivingAgent, at: int) -> list[str]:
    return [sys.executable, str(CRASHING), str(agent.home.root), str(at)]


def boundaries_of_one_job(folder: Path) -> list[str]:
    """What one undisturbed job does outside the program, in order."""
    agent = LivingAgent(Home(folder / "home"))
    agent.start(crashing(agent, NEVER))
    buyer = TestBuyer(agent, folder / "buyer")
    job = buyer.until_over(buyer.submit_sample().job_id)
    assert job.phase is JobPhase.SUCCEEDED
    wait_for(lambda: not agent.status()["jobs"])
    agent.stop()
    return (agent.home.root / "boundaries").read_text().splitlines()


def killed_or_done(agent: LivingAgent) -> Callable[[], bool]:
    """A question: has the application died, or its one job come and gone?"""
    seen: list[object] = []

    def ask() -> bool:
        if agent.process is None or agent.process.poll() is not None:
            return True
        try:
            jobs = agent.status()["jobs"]
        except ArgentumError:
            return False
        seen.extend(jobs)
        return bool(seen) and not jobs

    return ask


def killed_at(folder: Path, point: int) -> tuple[int, str, bool]:
    """One job with a kill at `point`.

    Returns:
        The point, what was wrong afterwards (nothing when all was right), and whether the point came at all.
    """
    agent = LivingAgent(Home(folder / "home"))
    agent.start(crashing(agent, point))
    buyer = TestBuyer(agent, folder / "buyer")
    job_id = buyer.submit_sample().job_id
    assert agent.process is not None
    # How often the log is sent depends on how busy the machine is: the very last points may not come.
    wait_for(killed_or_done(agent))
    was_killed = agent.process.poll() == -signal.SIGKILL
    if not was_killed:
        agent.stop()
    agent.start()
    try:
        job = buyer.until_over(job_id)
        wait_for(lambda: not agent.status()["jobs"])
    finally:
        agent.stop()
    where = (agent.home.root / "boundaries").read_text().splitlines()[-1]
    return point, "; ".join(f"{where}: {fault}" for fault in faults(agent, job)), was_killed


def faults(agent: LivingAgent, job: JobStatus) -> list[str]:
    """Everything that is not as it must be after the job has ended."""
    found = []
    if job.phase is not JobPhase.SUCCEEDED or {output.name for output in job.outputs} != {"picture.pgm", "summary.txt"}:
        found.append(f"the buyer got {job.phase} {job.reason} {job.outputs}")
    if agent.containers():
        found.append(f"left on the engine: {agent.containers()}")
    if list(agent.home.jobs.iterdir()):
        found.append("a job's folder was left")
    transactions = agent.ledger()
    if len(transactions) != len({entry["transaction_id"] for entry in transactions}):
        found.append("a lease was settled twice")
    found += [f"{entry['transaction_id']} does not balance" for entry in transactions if balance(entry)]
    ours = sum(
        posting["amount"]["micros"]
        for entry in transactions
        for posting in entry["postings"]
        if posting["account"] == "receivable:local"
    )
    report = audit(agent)
    if not report["is_exact"]:
        found.append(f"the market's books: {report}")
    theirs = provider_balance(agent)
    if ours != theirs:
        found.append(f"our ledger says {ours}, the market's {theirs}")
    return found


def balance(transaction: dict[str, Any]) -> int:
    return sum(posting["amount"]["micros"] for posting in transaction["postings"])


def audit(agent: LivingAgent) -> dict[str, object]:
    command = [sys.executable, "-m", "argentum_desktop.market_cli", "audit", "--data", str(agent.home.market), "--json"]
    result = subprocess.run(command, capture_output=True, text=True)
    found: dict[str, object] = json.loads(result.stdout)
    return found


def provider_balance(agent: LivingAgent) -> int:
    """What the market owes this machine, from its own books."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(agent.home.market / "market.db")) as connection:
        rows = connection.execute("SELECT amount_micros FROM postings WHERE account LIKE 'provider:%'").fetchall()
    return sum(micros for (micros,) in rows)


def test_a_killed_application_finishes_what_it_began(tmp_path: Path) -> None:
    boundaries = boundaries_of_one_job(tmp_path / "undisturbed")
    assert len(boundaries) >= POINTS
    points = [1 + number * (len(boundaries) - 1) // (POINTS - 1) for number in range(POINTS)]
    with ThreadPoolExecutor(AT_ONCE) as together:
        results = list(together.map(lambda point: killed_at(tmp_path / str(point), point), points))
    assert {point: fault for point, fault, _ in results if fault} == {}
    assert sum(was_killed for _, _, was_killed in results) >= POINTS - 2
