"""The main job on real parts: a buyer's container runs here, and its owner is paid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from living import LivingAgent, TestBuyer, typed, wait_for

from argentum_desktop.agent.status import AgentState
from argentum_desktop.domain.job import JobState
from argentum_desktop.marketplace.wire import JobPhase
from argentum_desktop.paths import Home

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingAgent]:
    """One agent for all tests of this module, in a folder with a space in its name."""
    agent = LivingAgent(Home(tmp_path_factory.mktemp("an owner's") / "home folder"))
    agent.start()
    yield agent
    assert agent.stop() == 0, agent.terminal()
    assert agent.containers() == []


@pytest.fixture
def buyer(agent: LivingAgent, tmp_path: Path) -> TestBuyer:
    return TestBuyer(agent, tmp_path)


def shell_job(folder: Path, script: str, **limits: int) -> Path:
    """A job file that runs a shell script in the sample's image."""
    from argentum_desktop.buyer.sample import write_sample

    write_sample(folder, scale=0.01)
    (folder / "script.sh").write_text(script)
    lines = {"gpus": 0, "memory_mib": 64, "disk_mib": 8, "pids": 16, "wall_s": 300} | limits
    job = folder / "shell.toml"
    job.write_text(
        'title = "A shell script"\nimage = "image.tar"\ncommand = ["/bin/busybox", "sh", "/in/script.sh"]\n'
        'inputs = ["script.sh"]\noutput = "results"\nmax_price_per_hour = "0.40"\n[limits]\n'
        + "".join(f"{name} = {value}\n" for name, value in lines.items())
    )
    return job


def settled(agent: LivingAgent) -> None:
    wait_for(lambda: not agent.status()["jobs"])


def test_a_job_is_run_paid_and_delivered(agent: LivingAgent, buyer: TestBuyer, tmp_path: Path) -> None:
    before = len(agent.ledger())
    market = [sys.executable, "-m", "argentum_desktop.market_cli"]
    subprocess.run([*market, "sample", str(tmp_path / "job"), "--scale", "0.1"], check=True)
    submitted = subprocess.run(
        [*market, "submit", str(tmp_path / "job" / "job.toml"), "--watch", "--identity", str(tmp_path / "key")],
        capture_output=True,
        text=True,
        env={**os.environ, "ARGENTUM_HOME": str(agent.home.root)},
    )
    assert submitted.returncode == 0, submitted.stderr
    picture = (tmp_path / "job" / "output" / "picture.pgm").read_text()
    assert picture.startswith("P2\n")
    settled(agent)
    transactions = agent.ledger()
    assert len(transactions) == before + 1
    amounts = {entry["account"]: entry["amount"]["micros"] for entry in transactions[-1]["postings"]}
    assert amounts["income:jobs"] < 0 < amounts["receivable:local"]
    assert amounts["receivable:local"] + amounts["expense:market-fee"] == -amounts["income:jobs"]
    assert not list(agent.home.jobs.iterdir())
    assert "taking the job" in agent.terminal()


def test_the_box_is_sealed(agent: LivingAgent, buyer: TestBuyer, tmp_path: Path) -> None:
    """What the job itself sees of its box, on the real engine and through the whole application."""
    script = """
    grep -q '^CapEff:.0000000000000000$' /proc/self/status && echo capabilities none
    grep -q '^NoNewPrivs:.1$' /proc/self/status && echo privileges fixed
    grep -q '^Seccomp:.2$' /proc/self/status && echo calls filtered
    [ "$(ls /sys/class/net)" = lo ] && echo network none
    touch /x 2>/dev/null || echo root read-only
    ( echo x > /in/script.sh ) 2>/dev/null || echo inputs read-only
    unshare -U true 2>/dev/null || echo namespaces none
    id -u
    env | grep -ci proxy
    """
    job = buyer.until_over(buyer.submit(shell_job(tmp_path, script)).job_id)
    said = buyer.log(job.job_id).decode().split("\n")
    assert said[:-1] == [
        "capabilities none", "privileges fixed", "calls filtered", "network none", "root read-only",
        "inputs read-only", "namespaces none", "65534", "0",
    ]  # fmt: skip
    settled(agent)


def test_status_tells_of_the_running_job(agent: LivingAgent, buyer: TestBuyer, tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo progress: $((i/3)) %; sleep 0.1; done"
    submitted = buyer.submit(shell_job(tmp_path, script))
    try:
        running = wait_for(lambda: [job for job in agent.status()["jobs"] if job["progress_percent"]])[0]
        assert running["title"] == "A shell script"
        status = typed(agent.status())
        assert status.state is AgentState.WORKING
        assert status.jobs[0].state is JobState.RUNNING
        assert status.cards[0].reading is not None
        assert status.cards[0].gpu.label.endswith("(simulated)")
        text = agent.command("status").stdout
        assert "A shell script: running" in text
        assert json.loads(agent.command("status", "--json").stdout)["jobs"][0]["lease_id"] == running["lease_id"]
        wait_for(lambda: (agent.status()["cards"][0]["reading"]["utilization_percent"] or 0) > 50)
    finally:
        buyer.cancel(submitted.job_id)
    job = buyer.until_over(submitted.job_id)
    assert job.phase is JobPhase.CANCELLED
    settled(agent)


def test_pause_freezes_and_resume_goes_on(agent: LivingAgent, buyer: TestBuyer, tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i; sleep 0.1; done"
    submitted = buyer.submit(shell_job(tmp_path, script))
    wait_for(lambda: any(job["state"] == "running" for job in agent.status()["jobs"]))
    agent.ask("pause")
    frozen = wait_for(lambda: next((job for job in agent.status()["jobs"] if job["is_frozen"]), None))
    assert frozen["title"] == "A shell script"
    status = agent.status()
    assert (status["state"], status["sentence"]) == ("paused", "Paused until you resume.")
    before = buyer.log(submitted.job_id)
    elapsed = agent.status()["jobs"][0]["elapsed_s"]
    wait_for(lambda: agent.status()["jobs"][0]["is_frozen"])
    agent.ask("resume")
    job = buyer.until_over(submitted.job_id)
    assert job.phase is JobPhase.SUCCEEDED
    assert buyer.log(submitted.job_id).decode().split() == [str(number) for number in range(1, 41)]
    assert len(before) < len(buyer.log(submitted.job_id))
    assert elapsed <= 5
    settled(agent)


@pytest.mark.parametrize(
    ("script", "limits", "code", "words"),
    [
        ("exit 7", {}, 7, "exit code 7"),
        ("exec tail -c 200000000 /dev/zero", {"memory_mib": 16}, 137, "memory"),
        ("while true; do :; done", {"wall_s": 2}, None, "longer than the 2 seconds"),
        ("i=0; while true; do i=$((i+1)); head -c 4000000 /dev/zero > /out/$i; sleep 0.1; done", {}, None, "8 MiB"),
    ],
)
def test_a_job_that_fails_says_why(
    agent: LivingAgent, buyer: TestBuyer, tmp_path: Path, script: str, limits: dict[str, int], code: int, words: str
) -> None:
    job = buyer.until_over(buyer.submit(shell_job(tmp_path, script, **limits)).job_id)
    assert job.phase is JobPhase.FAILED
    assert words in job.reason
    if code is not None:
        assert job.exit_code == code
    settled(agent)


def test_hostile_outputs_are_not_taken_over(agent: LivingAgent, buyer: TestBuyer, tmp_path: Path) -> None:
    script = "ln -s /etc/shadow /out/shadow; mkfifo /out/pipe; echo well > /out/good; mkdir /out/d; echo x > /out/d/con"
    job = buyer.until_over(buyer.submit(shell_job(tmp_path, script)).job_id)
    assert job.phase is JobPhase.SUCCEEDED
    assert [output.name for output in job.outputs] == ["good"]
    assert "shadow" in job.reason
    settled(agent)


def test_the_owner_stops_a_job(agent: LivingAgent, buyer: TestBuyer, tmp_path: Path) -> None:
    """It is given back with notice, what it used is paid, and the buyer's job waits for another machine."""
    script = "trap 'echo saved > /out/checkpoint; exit 0' TERM; while true; do sleep 0.1; done"
    before = len(agent.ledger())
    submitted = buyer.submit(shell_job(tmp_path, script))
    wait_for(lambda: any(job["state"] == "running" for job in agent.status()["jobs"]))
    assert agent.command("stop").returncode == 0
    settled(agent)
    assert agent.status()["state"] == "paused"
    assert buyer.job(submitted.job_id).phase is JobPhase.QUEUED
    assert len(agent.ledger()) == before + 1
    buyer.cancel(submitted.job_id)
    assert agent.command("resume").returncode == 0


def test_two_homes_side_by_side(agent: LivingAgent, tmp_path: Path) -> None:
    other = LivingAgent(Home(tmp_path / "second")).start()
    try:
        buyer = TestBuyer(other, tmp_path / "buyer")
        job = buyer.until_over(buyer.submit_sample().job_id)
        assert job.phase is JobPhase.SUCCEEDED
        assert other.market_url() != agent.market_url()
        again = other.command("agent")
        assert again.returncode == 4
        assert "already works" in again.stderr
        settled(other)
    finally:
        assert other.stop(signal.SIGINT) == 0


def test_closing_gives_a_running_job_back(tmp_path: Path) -> None:
    agent = LivingAgent(Home(tmp_path / "home")).start()
    buyer = TestBuyer(agent, tmp_path / "buyer")
    buyer.submit(shell_job(tmp_path / "job", "while true; do sleep 0.1; done"))
    wait_for(lambda: any(job["state"] == "running" for job in agent.status()["jobs"]))
    assert agent.stop() == 0
    assert agent.containers() == []
    assert len(agent.ledger()) == 1
