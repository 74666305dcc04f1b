"""The watch over the log itself: it must be able to fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
CASES = """
import logging
import threading

import pytest

log = logging.getLogger("argentum_desktop.room")


def test_quiet():
    log.info("nothing of note")


def test_surprise():
    log.warning("the disk is full")


def test_surprise_in_a_thread():
    thread = threading.Thread(target=lambda: log.error("in a thread"))
    thread.start()
    thread.join()


def test_announced(expect_log):
    expect_log("disk is full")
    log.warning("the disk is full")


def test_announced_and_something_else(expect_log):
    expect_log("disk is full")
    log.warning("the disk is full")
    log.error("the card is lost")


def test_announced_and_not_seen(expect_log):
    expect_log("disk is full")


@pytest.mark.allow_warnings("disk is full")
def test_allowed():
    log.warning("the disk is full")


@pytest.mark.allow_warnings("disk is full")
def test_allowed_something_else():
    log.error("the card is lost")


@pytest.mark.allow_warnings
def test_allowed_whatever():
    log.error("the card is lost")


def test_reads_the_log_itself(caplog):
    log.error("the card is lost")
    assert "lost" in caplog.text
"""
BAD = {
    "test_surprise",
    "test_surprise_in_a_thread",
    "test_announced_and_something_else",
    "test_announced_and_not_seen",
    "test_allowed_something_else",
}


def test_a_warning_that_was_not_announced_fails_its_test(tmp_path: Path) -> None:
    (tmp_path / "test_cases.py").write_text(CASES)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "quiet_log", "-p", "no:cacheprovider", "-rE", "--rootdir",
         str(tmp_path), "-c", os.devnull, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
    )  # fmt: skip
    lines = result.stdout.splitlines()
    failed = {line.split("::")[1].split()[0] for line in lines if line.startswith("ERROR ") and "::" in line}
    assert failed == BAD, result.stdout + result.stderr
    assert "argentum_desktop.room: the disk is full" in result.stdout
