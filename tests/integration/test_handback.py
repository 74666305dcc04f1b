"""The machine first, on real parts: a hot card's job stands still, goes on, and ends; power limits outlive no crash."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fake_nvml import build
from fake_nvml.build import FakeNvml, card
from living import LivingAgent, TestBuyer, typed, wait_for
from test_bench import figures_of
from test_main_job import shell_job

from argentum_desktop.marketplace.wire import JobPhase
from argentum_desktop.paths import Home

fake_nvml = build.fake_nvml

GRACE_S = 3
# A card that says it is at 95 °C for a while, and from later on for ever.
SCENARIO = """
[[card]]
event = [
    { what = "bad_value", at_s = 8, until_s = 10, metric = "temperature_c", value = 95 },
    { what = "bad_value", at_s = 15, metric = "temperature_c", value = 95 },
]
"""
COUNTING = "trap '' TERM; i=0; while true; do i=$((i+1)); echo $i > /out/counted; sleep 0.05; done"


def reason_of_the_end(home: Home) -> str:
    with closing(sqlite3.connect(home.agent_db)) as connection:
        (body,) = connection.execute("SELECT body FROM leases").fetchone()
    lease = json.loads(body)
    assert lease["outcome"] == "reclaimed"
    assert lease["frozen_s"] >= 1
    return str(lease["reason"])


@pytest.mark.engine
@pytest.mark.timeout(120)
def test_a_job_stands_still_goes_on_and_ends_in_time(tmp_path: Path) -> None:
    scenario = tmp_path / "hot.toml"
    scenario.write_text(SCENARIO)
    settings = (
        f"[jobs]\ndisk_gib = 1\nstop_grace_s = 1\n[cards]\nscenario = {str(scenario)!r}\n"
        f'[presence]\nsettle_s = 1\ngrace_s = {GRACE_S}\nunknown_signals = "ignore"\nmemory_free_mib = 0\n'
    )
    agent = LivingAgent(Home(tmp_path / "home"), settings).start()
    try:
        buyer = TestBuyer(agent, tmp_path / "buyer")
        job_id = buyer.submit(shell_job(tmp_path / "buyer", COUNTING)).job_id
        wait_for(lambda: agent.status()["handback"]["frozen"]["count"])
        counted = agent.home.jobs / agent.status()["jobs"][0]["lease_id"] / "out" / "counted"
        wait_for(lambda: agent.status()["jobs"][0]["is_frozen"])
        stood_at = counted.read_text()
        assert counted.read_text() == stood_at
        wait_for(lambda: not agent.status()["jobs"][0]["is_frozen"])
        wait_for(lambda: counted.read_text() not in {"", stood_at})
        wait_for(lambda: not agent.status()["jobs"])
        assert buyer.job(job_id).phase is JobPhase.QUEUED, "another computer may have it"
        assert "95 °C, your limit is 87 °C" in reason_of_the_end(agent.home)
        figures = typed(agent.status()).handback
        assert (figures.frozen.count, figures.freed.count, figures.promises) == (2, 1, 3)
        assert figures.freed.p95_ms is not None
        assert (GRACE_S - 1) * 1000 <= figures.freed.p95_ms <= (GRACE_S + 1) * 1000
        assert "Yielded  frozen after" in agent.command("status").stdout
        agent.stop()
        agent.start()
        assert typed(agent.status()).handback == figures
    finally:
        assert agent.stop() == 0
    assert agent.containers() == []


@pytest.mark.engine
@pytest.mark.timeout(120)
def test_a_frozen_job_survives_the_death_of_the_application(tmp_path: Path) -> None:
    settings = "[jobs]\ndisk_gib = 1\nstop_grace_s = 1\n[cards]\nsimulated = 1\n[presence]\nmemory_free_mib = 0\n"
    settings += 'unknown_signals = "ignore"\n'
    agent = LivingAgent(Home(tmp_path / "home"), settings).start()
    try:
        buyer = TestBuyer(agent, tmp_path / "buyer")
        script = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i > /out/counted; sleep 0.1; done"
        job_id = buyer.submit(shell_job(tmp_path / "buyer", script)).job_id
        wait_for(lambda: any(job["state"] == "running" for job in agent.status()["jobs"]))
        agent.ask("pause")
        wait_for(lambda: agent.status()["jobs"][0]["is_frozen"])
        agent.stop(signal.SIGKILL)
        (counted,) = agent.home.jobs.glob("*/out/counted")
        stood_at = counted.read_text()
        agent.start()
        wait_for(lambda: any(job["is_frozen"] for job in agent.status()["jobs"]))
        assert counted.read_text() == stood_at
        agent.ask("resume")
        assert buyer.until_over(job_id).phase is JobPhase.SUCCEEDED
        wait_for(lambda: not agent.status()["jobs"])
    finally:
        assert agent.stop() == 0
    assert agent.containers() == []


def limited(power_limit_w: int | None) -> str:
    """Settings with a window that is always open and carries a power limit."""
    carried = "" if power_limit_w is None else f", power_limit_w = {power_limit_w}"
    return f'[availability]\nwindows = [{{ when = "daily 00:00-24:00"{carried} }}]\n'


@pytest.mark.timeout(120)
def test_a_power_limit_outlives_neither_the_application_nor_its_death(tmp_path: Path, fake_nvml: FakeNvml) -> None:
    kept = tmp_path / "limit"
    fake_nvml.follow(card(0, power_limit_file=kept))
    agent = LivingAgent(Home(tmp_path / "home"), limited(200)).start()
    try:
        wait_for(lambda: kept.exists() and kept.read_text() == "200000\n")
        agent.stop(signal.SIGKILL)
        assert kept.read_text() == "200000\n"
        agent.settings = limited(None)
        agent.start()
        wait_for(lambda: kept.read_text() == "350000\n")
        agent.stop()
        agent.settings = limited(250)
        agent.start()
        wait_for(lambda: kept.read_text() == "250000\n")
    finally:
        assert agent.stop() == 0
    assert kept.read_text() == "350000\n"


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed")
def test_the_measurement_still_measures(tmp_path: Path) -> None:
    found = figures_of("handback", tmp_path)
    assert {"from Pause", "from a reading that is too hot", "by hand: the engine's own pause"} <= found.keys()
    assert all(0 < value < 60_000 for value in found.values())
    told = json.loads((tmp_path / "bench.json").read_text())["figures"]
    assert len(next(row for row in told if row["name"] == "from Pause")["runs"]) == 5
