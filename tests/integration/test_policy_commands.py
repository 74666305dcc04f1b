"""`explain`, `windows` and `whatif` as the owner calls them, without a running application and beside one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from living import LivingAgent, wait_for

from argentum_desktop.paths import Home

pytestmark = pytest.mark.timeout(120)


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argentum_desktop", "--home", str(home), "--simulated", "1", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[LivingAgent]:
    made = LivingAgent(Home(tmp_path / "home"))
    yield made
    made.stop()


def test_every_rule_has_its_word_and_a_no_its_change(tmp_path: Path) -> None:
    home = tmp_path / "home of two words"
    offered = run(home, "explain", "--price", "0.01", "--hours", "2", "--json")
    assert offered.returncode == 0, offered.stderr
    (card,) = json.loads(offered.stdout)["cards"]
    assert not card["is_yes"]
    assert "electricity" in card["reason"]
    price = card["remedy"].split()[2]
    assert run(home, "explain", "--price", price, "--hours", "2", "--json").stdout.count('"is_yes": true') >= 1
    text = run(home, "explain").stdout
    assert "asks for work now" in text
    assert "Argentum Desktop is not running" in text


def test_the_hours_go_out_as_a_calendar_and_come_back(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "my week.ics"
    assert run(home, "windows", "show").returncode == 0
    settings = home / "settings.toml"
    before = settings.read_text(encoding="utf-8")
    chosen = 'windows = ["mon-fri 22:00-07:00"]'
    lines = [chosen if line.startswith("windows = ") else line for line in before.splitlines()]
    settings.write_text("\n".join(lines), encoding="utf-8")
    shown = run(home, "windows", "show").stdout
    assert "22:00-24:00" in shown
    assert json.loads(run(home, "windows", "next", "--json").stdout)["cards"][0]["changes_at"]
    assert run(home, "windows", "export", str(file)).returncode == 0
    refused = run(home, "windows", "export", str(file))
    assert (refused.returncode, "is there already" in refused.stderr) == (2, True)
    settings.write_text(before, encoding="utf-8")
    assert run(home, "windows", "import", str(file)).returncode == 0
    assert run(home, "windows", "show").stdout == shown
    assert settings.with_name("settings.toml.bak").read_text(encoding="utf-8") == before


def test_a_week_that_many_want_is_taken_by_its_name(tmp_path: Path) -> None:
    home = tmp_path / "home"
    chosen = run(home, "windows", "preset", "nights")
    assert (chosen.returncode, chosen.stdout.split()) == (0, ["daily", "22:00-07:00"])
    assert run(home, "windows", "show").stdout.count("00:00-07:00  22:00-24:00") == 7
    assert (home / "settings.toml.bak").exists()
    assert run(home, "windows", "preset", "never").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "--job", "lse_none"), "No decision about 'lse_none' is known"),
        (("explain", "--job", "lse_none", "--price", "1"), "Say --job alone"),
        (("explain", "--price", "cheap"), "price"),
        (("explain", "--gpu", "nowhere"), "nowhere"),
        (("explain", "--hours", "3"), "--price"),
        (("windows", "import", __file__), "calendar"),
        (("whatif", "--set", "prices.floor=1"), "prices.floor"),
        (("whatif",), "recorded"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run(tmp_path / "home", *words)
    assert done.returncode not in {0, 70}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_beside_a_running_application_it_knows_more(agent: LivingAgent) -> None:
    agent.start()
    wait_for(lambda: agent.status()["cards"])
    text = run(agent.home.root, "explain").stdout
    assert "engine" in text
    assert "is not running" not in text
