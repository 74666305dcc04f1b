"""A card falls off the bus while a job is on it: the job ends as the card's fault, the other card goes on."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from living import LivingAgent, TestBuyer, wait_for
from test_main_job import shell_job

from argentum_desktop.marketplace.wire import JobPhase
from argentum_desktop.paths import Home

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

# Late enough that both jobs run by then, also on a busy machine.
LOST_AFTER_S = 20
SCENARIO = f"""
[[card]]
[[card.event]]
what = "lost"
at_s = {LOST_AFTER_S}
[[card]]
build = "16 GB"
"""


def outcomes(home: Home) -> dict[str, str | None]:
    """How the leases of each card ended; None for one that has not."""
    with closing(sqlite3.connect(home.agent_db)) as connection:
        bodies = [json.loads(body) for (body,) in connection.execute("SELECT body FROM leases")]
    return {body["offer"]["gpu_ids"][0]: body["outcome"] for body in bodies}


def card(agent: LivingAgent, gpu_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(card for card in agent.status()["cards"] if card["gpu"]["gpu_id"] == gpu_id)
    return found


def test_its_job_ends_as_the_cards_fault_and_the_other_goes_on(tmp_path: Path) -> None:
    scenario = tmp_path / "lost.toml"
    scenario.write_text(SCENARIO)
    settings = f"[jobs]\ndisk_gib = 1\nstop_grace_s = 1\n[cards]\nscenario = {str(scenario)!r}\n"
    agent = LivingAgent(Home(tmp_path / "home"), settings).start()
    try:
        buyer = TestBuyer(agent, tmp_path / "buyer")
        job = shell_job(tmp_path / "buyer", "sleep 170")
        jobs = [buyer.submit(job).job_id for _ in range(2)]
        wait_for(lambda: all(buyer.job(job_id).phase is JobPhase.RUNNING for job_id in jobs), LOST_AFTER_S)
        wait_for(lambda: outcomes(agent.home).get("SIM-0"))
        assert outcomes(agent.home) == {"SIM-0": "card_lost", "SIM-1": None}
        wait_for(lambda: "no longer answers" in card(agent, "SIM-0")["because"])
        assert card(agent, "SIM-1")["lease_id"]
    finally:
        assert agent.stop() == 0
