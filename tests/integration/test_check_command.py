"""`argentum-desktop check` and `passport` as the owner calls them: beside a running application and without one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from living import wait_for
from test_health_check import Checking

from argentum_desktop.paths import Home

pytestmark = pytest.mark.timeout(180)

ID = "SIM-0"


def run(home: Path, *words: str, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argentum_desktop", "--home", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=within_s, stdin=subprocess.DEVNULL)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Checking]:
    made = Checking(Home(tmp_path / "home of two words"))
    yield made
    made.stop()


def test_without_a_card_it_says_so_and_invents_no_grade(tmp_path: Path) -> None:
    done = run(tmp_path / "home", "check")
    assert done.returncode == 69
    assert done.stdout == ""
    assert "NVIDIA" in done.stderr or "No card" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_life_of_a_card_without_a_running_application(tmp_path: Path) -> None:
    home = tmp_path / "home"
    nothing = run(home, "passport", "show")
    assert (nothing.returncode, "argentum-desktop check" in nothing.stderr) == (2, True)

    checked = run(home, "--simulated", "1", "check", "--passive", "--json")
    assert checked.returncode == 0, checked.stderr
    (ended,) = json.loads(checked.stdout)["checks"]
    assert ended["report"]["appraisal"]["grade"] == "ungraded"
    assert "Reading the card" in checked.stderr
    assert not (home / "control").exists()

    shown = run(home, "passport", "show")
    assert shown.returncode == 0
    assert "simulated" in shown.stdout
    written = tmp_path / "a card.json"
    assert run(home, "passport", "export", str(written)).returncode == 0
    again = run(home, "passport", "export", str(written))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    for suffix, begin in ((".html", b"<!DOCTYPE html>"), (".pdf", b"%PDF")):
        assert run(home, "passport", "export", str(written.with_suffix(suffix))).returncode == 0
        assert written.with_suffix(suffix).read_bytes().startswith(begin)

    elsewhere = tmp_path / "elsewhere"
    verified = run(elsewhere, "passport", "verify", str(written), "--json")
    assert (verified.returncode, json.loads(verified.stdout)["is_sound"]) == (0, True)
    assert not elsewhere.exists()
    written.write_text(written.read_text().replace('"ungraded"', '"A"', 1))
    forged = run(elsewhere, "passport", "verify", str(written))
    assert forged.returncode == 1
    assert "NOT SOUND" in forged.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("passport", "export", "card.txt"), 2, "End the name in one of .json, .html, .pdf."),
        (("passport", "verify", "/nowhere.json"), 2, "cannot be read"),
        (("passport", "verify", __file__), 2, "This is no passport"),
        (("--simulated", "2", "check", "--gpu", "SIM", "--passive"), 2, "more than one card"),
        (("--simulated", "1", "check", "--gpu", "RTX 9000", "--passive"), 2, "no card of this computer"),
        (("--simulated", "2", "passport", "repair", "new paste"), 2, "Say --gpu"),
        (("--simulated", "1", "passport", "repair", " "), 1, "Nothing was said"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = run(tmp_path / "home", *words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_of_several_cards_each_is_checked_and_the_worst_decides(tmp_path: Path) -> None:
    """The fan of the first has stopped; the second is well."""
    done = run(tmp_path / "home", "--scenario", "dying-fan", "check", "--passive", "--json")
    assert [one["report"]["appraisal"]["grade"] for one in json.loads(done.stdout)["checks"]] == ["F", "ungraded"]
    assert done.returncode == 10, done.stderr


def test_a_card_that_cannot_be_checked_now_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    """The first is as warm as its owner allows, so that no load is put on it; the second is cancelled by us."""
    command = [
        sys.executable,
        "-m",
        "argentum_desktop",
        "--home",
        str(tmp_path / "home"),
        "--scenario",
        "dying-fan",
        "check",
    ]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        told = "".join(line for line, _ in zip(lines, range(2), strict=False))
        process.terminate()
    assert "your limit is" in told
    assert "Example card 8 GB (simulated): Reading the card's own counters" in told


def test_beside_a_running_application_it_does_the_check(agent: Checking, tmp_path: Path) -> None:
    agent.begin()
    done = run(agent.home.root, "check", "--gpu", "example", "--quick")
    assert done.returncode == 0, done.stderr
    assert "Grade A (simulated)" in done.stdout
    assert "A minute shows faults" in done.stdout
    assert len(agent.checks()) == 1
    assert run(agent.home.root, "passport", "repair", "New thermal paste").returncode == 0
    assert "New thermal paste" in run(agent.home.root, "passport", "show").stdout

    file = tmp_path / "card.json"
    assert run(agent.home.root, "passport", "export", str(file)).returncode == 0
    matched = run(agent.home.root, "passport", "match", str(file), "--json")
    assert matched.returncode == 6, matched.stderr
    assert json.loads(matched.stdout)["verdict"] == "cannot_tell"
    assert [entry.kind.value for entry in agent.passport().entries][-2:] == ["matched", "check"]


def test_a_card_that_fails_has_its_own_exit_code(agent: Checking) -> None:
    agent.fault = "stuck-bit"
    agent.begin()
    done = run(agent.home.root, "check")
    assert done.returncode == 10, done.stdout + done.stderr
    assert "Grade F (simulated)" in done.stdout


def test_ctrl_c_takes_the_load_off_the_card(agent: Checking) -> None:
    agent.begin()
    # What runs in the background of a shell has learned to ignore Ctrl+C, and its children would inherit that.
    hearing = ["env", "--default-signal=INT", sys.executable]
    command = [*hearing, "-m", "argentum_desktop", "--home", str(agent.home.root), "check", "--full"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as process:
        wait_for(lambda: (agent.card()["reading"]["utilization_percent"] or 0) >= 90)
        process.send_signal(signal.SIGINT)
        began_s = time.monotonic()
        assert process.wait(5) == 130
        assert time.monotonic() - began_s < 3
    assert agent.card()["checkup"] is None
    assert agent.checks() == []


def test_a_check_that_is_under_way_is_not_begun_twice(agent: Checking) -> None:
    agent.begin()
    agent.under_load()
    done = run(agent.home.root, "check")
    assert done.returncode == 5
    assert "is being checked already" in done.stderr
