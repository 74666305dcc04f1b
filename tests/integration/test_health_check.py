"""Health checks of a living application with a simulated card: off the market, into the passport, killed halfway."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from living import SETTINGS, LivingAgent, TestBuyer, wait_for
from test_main_job import shell_job

from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import ArgentumError
from argentum_desktop.health.passport.chain import verify_chain
from argentum_desktop.marketplace.certificates import read_certificate
from argentum_desktop.marketplace.wire import JobPhase
from argentum_desktop.paths import Home

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

CHECKING = Path(__file__).resolve().parents[1] / "checking_agent.py"
ID = "SIM-0"
# Some of them come while the job runs.
XIDS = "\n".join(f'[[card.event]]\nwhat = "xid"\nnumber = 79\nat_s = {second}' for second in range(1, 170, 2))


class Checking(LivingAgent):
    """`LivingAgent` whose checks take seconds."""

    fault = "sound"

    def begin(self) -> Checking:
        self.start([sys.executable, str(CHECKING), str(self.home.root), self.fault])
        wait_for(lambda: self.card()["reading"])
        return self

    def card(self) -> dict[str, Any]:
        cards = self.status()["cards"]
        return cards[0] if cards else {"reading": None}

    def check(self, mode: str = "quick") -> dict[str, Any]:
        self.ask("check", gpu_id=ID, mode=mode)
        return self.until_checked()

    def until_checked(self) -> dict[str, Any]:
        ended: dict[str, Any] = wait_for(lambda: self.ask("check_progress", gpu_id=ID)["ended"])
        return ended

    def under_load(self) -> None:
        """A check that would take a minute, whose load is on the card."""
        self.ask("check", gpu_id=ID, mode="full")
        wait_for(lambda: (self.card()["reading"]["utilization_percent"] or 0) >= 90)

    def passport(self) -> Passport:
        return msgspec.convert(self.ask("passport", gpu_id=ID), Passport)

    def remembered(self) -> set[str]:
        """What stands in its database about itself."""
        with closing(sqlite3.connect(self.home.agent_db)) as connection:
            return {key for (key,) in connection.execute("SELECT key FROM program_state")}

    def checks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("checks", gpu_id=ID, limit=10)
        return found


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Checking]:
    made = Checking(Home(tmp_path / "home"))
    yield made
    made.stop()


def test_a_sound_card_is_certified_at_the_market(agent: Checking, tmp_path: Path) -> None:
    agent.begin()
    buyer = TestBuyer(agent, tmp_path / "buyer")
    wait_for(lambda: agent.card()["doing"] == "Ready")
    agent.ask("check", gpu_id=ID, mode="quick")
    assert agent.card()["doing"].startswith("Being checked, ")
    assert agent.card()["because"] == "The card's health is being checked."
    assert "being checked" in agent.status()["sentence"]
    with pytest.raises(ArgentumError, match="is being checked already"):
        agent.ask("check", gpu_id=ID, mode="quick")
    ended = agent.until_checked()
    assert ended["report"]["appraisal"]["grade"] in {"A", "B"}
    assert agent.card()["health"]["grade"] == ended["report"]["appraisal"]["grade"]
    assert agent.card()["checkup"] is None
    passport = agent.passport()
    assert verify_chain(passport).is_whole
    assert [entry.kind for entry in passport.entries] == ["opened", "check"]

    listed = wait_for(lambda: [card for card in buyer.cards() if card.health is not None])[0]
    assert listed.is_simulated
    assert (listed.health.grade, listed.health.mode) == (Grade(ended["report"]["appraisal"]["grade"]), CheckMode.QUICK)
    certificate, sealed = read_certificate(dict(listed.certificate))
    assert certificate.is_of(ID)
    assert sealed.public_key == passport.entries[0].public_key

    own = ["cards", "--home", str(agent.home.root), "--identity", str(tmp_path / "buyer" / "buyer.key")]
    shown = subprocess.run(
        [sys.executable, "-m", "argentum_desktop.market_cli", *own], capture_output=True, text=True, timeout=60
    )
    assert f"(simulated), 24 GiB: grade {listed.health.grade}, confidence " in shown.stdout

    agent.ask("repair", gpu_id=ID, words="new paste")
    assert agent.passport().entries[-1].body == {"words": "new paste"}


def test_a_failed_card_gets_no_job_and_the_market_says_why(agent: Checking, tmp_path: Path) -> None:
    agent.fault = "stuck-bit"
    agent.begin()
    buyer = TestBuyer(agent, tmp_path / "buyer")
    wait_for(buyer.cards)
    assert agent.check()["report"]["appraisal"]["grade"] == "F"
    assert agent.card()["doing"] == "Not working"
    assert agent.card()["because"].startswith("The health check of today found a fault: ")
    assert agent.card()["remedy"] == "Check it again."
    job_id = buyer.submit(shell_job(tmp_path / "buyer", "true")).job_id
    listed = wait_for(lambda: [card for card in buyer.cards() if card.health is not None])[0]
    assert listed.health.grade is Grade.F
    wait_for(lambda: buyer.job(job_id).reason == "Every card is at work or not offered now.")
    assert buyer.job(job_id).phase is JobPhase.QUEUED
    agent.stop(signal.SIGKILL)
    agent.begin()
    wait_for(lambda: "found a fault" in agent.card()["because"])


def test_killed_in_the_middle_of_a_check_it_says_so_afterwards(agent: Checking) -> None:
    agent.begin().under_load()
    agent.stop(signal.SIGKILL)
    agent.begin()
    notice = wait_for(lambda: agent.status()["notices"])[0]
    assert "The computer or the application stopped during the load test of " in notice["message"]
    wait_for(lambda: agent.card()["health"])
    report = agent.checks()[0]
    assert report["mode"] == "passive"
    assert [check["verdict"] for check in report["checks"] if check["check_id"] == "past.interrupted"] == ["warn"]
    assert verify_chain(agent.passport()).is_whole
    assert agent.check()["report"]["appraisal"]["grade"] in {"A", "B"}
    assert agent.status()["notices"] == []


def test_cancelled_or_closed_the_card_is_free_within_a_second(agent: Checking) -> None:
    agent.begin().under_load()
    began_s = time.monotonic()
    agent.ask("check_cancel", gpu_id=ID)
    assert time.monotonic() - began_s < 1
    assert agent.card()["checkup"] is None
    wait_for(lambda: agent.card()["reading"]["utilization_percent"] == 0, 3)
    assert agent.ask("check_progress", gpu_id=ID)["ended"]["problem"] == "The check was cancelled."
    with pytest.raises(ArgentumError, match="no passport yet"):
        agent.passport()
    agent.under_load()
    assert "health-load" in agent.remembered()
    assert agent.stop() == 0
    assert "health-load" not in agent.remembered()


def test_a_job_with_card_errors_has_the_counters_looked_at(tmp_path: Path) -> None:
    scenario = tmp_path / "xids.toml"
    scenario.write_text(f"[[card]]\n{XIDS}\n")
    agent = Checking(Home(tmp_path / "home"), SETTINGS.replace("simulated = 1", f"scenario = {str(scenario)!r}"))
    agent.begin()
    try:
        buyer = TestBuyer(agent, tmp_path / "buyer")
        job_id = buyer.submit(shell_job(tmp_path / "buyer", "sleep 5")).job_id
        notice = wait_for(lambda: agent.status()["notices"])[0]
        assert "reported the error 79 (NVIDIA's Xid)" in notice["message"]
        assert buyer.until_over(job_id).phase is JobPhase.SUCCEEDED
        wait_for(lambda: agent.card()["health"])
        found = [check for check in wait_for(agent.checks)[0]["checks"] if check["check_id"] == "past.job_errors"]
        assert [check["verdict"] for check in found] == ["warn"]
        assert verify_chain(agent.passport()).is_whole
    finally:
        agent.stop()


def test_what_makes_no_sense_is_refused_in_a_sentence(agent: Checking) -> None:
    agent.begin()
    for call, arguments, words in (
        ("check", {"gpu_id": ID, "mode": "thorough"}, "'thorough' is no kind of check"),
        ("check", {"gpu_id": 5, "mode": "quick"}, "does not say its gpu_id"),
        ("check", {"gpu_id": "GPU-9", "mode": "quick"}, "no card GPU-9"),
        ("checks", {"gpu_id": ID, "limit": "all"}, "limit must be"),
        ("repair", {"gpu_id": ID, "words": " "}, "Nothing was said"),
        ("passport", {"gpu_id": "GPU-9"}, "no passport yet"),
    ):
        with pytest.raises(ArgentumError, match=words):
            agent.ask(call, **arguments)
    agent.ask("check_cancel", gpu_id="GPU-9")
