"""`argentum-desktop gpus` as the owner calls it: once, again each second, on a terminal and through a pipe."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from living import wait_for

DATA = Path(__file__).resolve().parents[1] / "data" / "scenarios"

Start = Callable[..., "subprocess.Popen[str]"]


def command(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "argentum_desktop", "--home", str(home), *words]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a command in a home of its own; whatever still runs at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str, **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        started.append(subprocess.Popen(command(tmp_path / "home", *words), **pipes))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def sights(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def sensor_of(process: subprocess.Popen[str]) -> psutil.Process:
    return next(
        child for child in psutil.Process(process.pid).children() if "argentum_desktop.gpus.sensor" in child.cmdline()
    )


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(home, *words), capture_output=True, text=True, timeout=30)


# -- once -------------------------------------------------------------------------------------------------------------


def test_the_cards_of_a_shipped_scenario(tmp_path: Path) -> None:
    told = run(tmp_path, "--scenario", "lost-card", "gpus")
    assert (told.returncode, told.stderr) == (0, "")
    assert "Example card 24 GB (simulated)  [SIM-1]" in told.stdout
    assert "lost: the card does not answer" in told.stdout
    assert "No driver is installed for this card." in told.stdout


def test_a_scenario_of_the_settings_with_further_cards(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(f"[cards]\nscenario = '{DATA / 'lost_at_once.toml'}'\nsimulated = 2\n")
    told = run(tmp_path, "gpus", "--json")
    assert told.returncode == 0, told.stderr
    raw = json.loads(told.stdout)
    listed = [gpu for report in raw["reports"] if report["vendor"] == "simulated" for gpu in report["gpus"]]
    assert [gpu["gpu_id"] for gpu in listed] == [f"SIM-{number}" for number in range(5)]
    assert listed[2]["kind"] == "integrated"
    lost = next(reading for reading in raw["readings"] if reading["gpu_id"] == "SIM-1")
    assert set(lost["absent"].values()) == {"lost"}
    assert lost["temperature_c"] is None


@pytest.mark.parametrize("words", ["gpus", "gpus --watch", "agent"])
def test_a_wrong_scenario_is_one_sentence_before_anything_begins(tmp_path: Path, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[[card]]\npower_limt_w = 3\n")
    told = run(tmp_path / "home", "--scenario", str(file), *words.split())
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.count("\n") == 1
    assert "mine.toml, card 1: the key 'power_limt_w' is not known (did you mean power_limit_w?)" in told.stderr
    told = run(tmp_path / "home", "--scenario", "overheatin", *words.split())
    assert (told.returncode, told.stdout) == (2, "")
    assert "did you mean overheating?" in told.stderr


# -- again and again --------------------------------------------------------------------------------------------------


def test_each_second_one_object_until_ctrl_c(start: Start) -> None:
    process = start("--scenario", "healthy", "gpus", "--watch", "--json")
    seen = sights(process)
    first = next(seen)
    began = time.monotonic()
    second = next(seen)
    assert 0.3 < time.monotonic() - began < 1.7
    taken = [next(r["taken_at"] for r in sight["readings"] if r["gpu_id"] == "SIM-0") for sight in (first, second)]
    assert taken[0] < taken[1]
    assert first["problem"] == ""
    sensor = sensor_of(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert not sensor.is_running()


def test_a_line_for_each_card_where_nobody_sees_a_screen(start: Start) -> None:
    process = start("--scenario", "lost-card", "gpus", "--watch")
    assert process.stdout is not None
    lines: list[str] = []
    while sum("SIM-4" in line for line in lines) < 2:
        lines.append(process.stdout.readline())
        assert lines[-1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not any("\x1b" in line for line in lines)
    cards = [line for line in lines if "SIM-0" in line]
    assert len(cards) == 2
    assert "Example card 16 GB (simulated)  " in cards[0]
    assert sum("lost: the card does not answer" in line for line in lines) == 2


def test_a_sensor_that_dies_is_told_and_waited_for(start: Start) -> None:
    process = start("--simulated", "1", "gpus", "--watch", "--json")
    seen = sights(process)
    assert next(seen)["readings"]
    sensor_of(process).kill()
    failed = next(sight for sight in seen if sight["problem"])
    assert "stopped" in failed["problem"]
    assert failed["readings"] == []
    assert next(sight for sight in seen if sight["readings"])["problem"] == ""
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_a_scenario_goes_on_after_its_driver_hung(start: Start) -> None:
    process = start("--scenario", str(DATA / "hang.toml"), "gpus", "--watch", "--json")
    counts, problems = [], []
    for sight in sights(process):
        if sight["problem"]:
            problems.append(sight["problem"])
        else:
            counts += [r["ecc_corrected"] for r in sight["readings"] if r["gpu_id"] == "SIM-1"]
        if problems and not sight["problem"]:
            break
    assert any("has not answered for 3 seconds" in problem for problem in problems)
    assert counts == sorted(counts)
    assert counts[-1] > counts[-2] + 300  # 100 a second, and the hang lasted three
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


@pytest.mark.parametrize("words", ["gpus --watch", "gpus --watch --json"])
def test_a_reader_that_goes_ends_it_silently(start: Start, words: str) -> None:
    process = start("--simulated", "1", *words.split())
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(10) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stdout = None


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_is_painted_in_place_and_given_back(start: Start, number: int) -> None:
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 70, 0, 0))
    process = start("--scenario", "healthy", "gpus", "--watch", stdout=theirs, env=_without_size())
    os.close(theirs)
    shown = bytearray()

    def painted(times: int) -> bool:
        while select.select([ours], [], [], 0.05)[0]:
            try:
                shown.extend(os.read(ours, 65_536))
            except OSError:
                break
        return shown.count(b"\x1b[H") >= times

    try:
        wait_for(lambda: painted(2), 15)
        process.send_signal(number)
        assert process.wait(10) == 0
        painted(99)
    finally:
        os.close(ours)
    text = shown.decode()
    assert text.startswith("\x1b[?1049h")
    assert text.endswith("\x1b[?1049l")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    first, second, *_ = text.split("\x1b[H")[1:]
    for page in (first, second):
        assert page.count("\n") < 12
        assert "Example integrated graphics (simulated)" in page  # too small for everything: a line for each card
        assert "Ctrl+C" in page
    assert "\x1b[2J" not in text  # nothing is ever blank in between


def _without_size() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
