"""No secret reaches a log, in whatever form it comes, and no log ever troubles the owner."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_disk import SmallDisk, small_disk

from argentum_desktop import logs
from argentum_desktop.agent.control import Address, Request
from argentum_desktop.logs import FORMAT, RedactingFormatter, redact

__all__ = ["small_disk"]
SECRET = "hunter2-Zm9vYmFy"


def formatted(message: str, *arguments: Any, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.LogRecord("room", logging.INFO, __file__, 1, message, arguments, info)
    return RedactingFormatter(FORMAT).format(record)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"token": "{SECRET}", "call": "status"}}',
        json.dumps({"api_key": SECRET, "next": 1}),
        json.dumps({"password": f"two words {SECRET}", "next": 1}),
        json.dumps({"secret": f'a quote " and {SECRET}'}),
        json.dumps({"outer": {"access_token": SECRET}}),
        repr({"token": SECRET}),
        repr({"private_key": SECRET.encode()}),
        repr([("Authorization", f"Bearer {SECRET}")]),
        repr([(b"authorization", f"Signature {SECRET}".encode())]),
        f"Authorization: Bearer {SECRET}",
        f"authorization: Signature keyid=1,sig={SECRET}",
        f"Proxy-Authorization: Basic {SECRET}",
        f"Cookie: a=1; session={SECRET}",
        f"Set-Cookie: session={SECRET}; Path=/",
        f"X-Api-Key: {SECRET}",
        f"Signature: sig1=:{SECRET}:",
        f"asked with bearer {SECRET}",
        f"token={SECRET}",
        f"token = '{SECRET}'",
        f"refresh_token: {SECRET}",
        f"TOKEN={SECRET}; next",
        f"https://market.test/v1?token={SECRET}&a=1",
        f"https://owner:{SECRET}@market.test/v1",
        f"http://{SECRET}@127.0.0.1:80",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}",
        str(Request(SECRET, "status")),
        str(Address(1, SECRET, 2)),
    ],
)
def test_a_secret_is_removed_and_what_is_beside_it_stays(text: str) -> None:
    line = formatted("before %s after", text)
    assert SECRET not in line
    assert "hunter2" not in line
    assert "Zm9v" not in line
    assert "[removed]" in line
    assert "before " in line
    assert SECRET not in redact(text)


def test_what_is_beside_a_secret_can_still_be_read() -> None:
    assert formatted("%s", json.dumps({"token": SECRET, "call": "status"})).endswith('"call": "status"}')
    assert "&a=1" in formatted("GET https://market.test/v1?token=%s&a=1", SECRET)
    assert "market.test/v1" in formatted("https://owner:%s@market.test/v1", SECRET)
    assert "pid=2" in formatted("%s", Address(1, SECRET, 2))


@pytest.mark.parametrize(
    "text",
    [
        "lease lse_1 not renewed: the market at https://market.test does not answer",
        "the cards can be read again",
        "job lse_1, preparing: the image is not what it should be",
        "basic facts of life",
        "a tokenless market",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert formatted("%s", text).endswith(text)


def test_a_traceback_is_cut_too() -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    try:
        raise ValueError(f"refused with {headers}")
    except ValueError as error:
        text = formatted("it failed", error=error)
    assert "Traceback (most recent call last)" in text
    assert "ValueError: refused with" in text
    assert SECRET not in text
    chained = ValueError(f"token={SECRET}")
    with pytest.raises(KeyError) as outer:
        raise KeyError("outer") from chained
    assert SECRET not in formatted("it failed", error=outer.value)


def test_what_others_say_makes_no_line_of_ours_and_moves_no_cursor() -> None:
    forged = "fine\n2026-01-01 00:00:00,000 INFO argentum_desktop: all jobs paid\x1b[2J\r\x07\x9b"
    line = formatted("the market said %s", forged)
    assert len(line.splitlines()) == 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    assert "all jobs paid" in line


@pytest.fixture
def untouched_root() -> Iterator[logging.Logger]:
    """The root logger as it was, whatever `configure` does to it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    for handler in before:
        root.removeHandler(handler)
    yield root
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.mark.usefixtures("untouched_root")
def test_everything_goes_to_the_file_and_only_errors_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(tmp_path, "agent")
    logger = logging.getLogger("argentum_desktop.test")
    logger.debug("debugged")
    logger.info("informed, token=%s", SECRET)
    logger.warning("warned")
    logger.error("failed")
    text = (tmp_path / "agent.log").read_text(encoding="utf-8")
    assert [line.split()[2] for line in text.splitlines()] == ["INFO", "WARNING", "ERROR"]
    assert SECRET not in text
    assert [line.split()[2] for line in capsys.readouterr().err.splitlines()] == ["ERROR"]


@pytest.mark.usefixtures("untouched_root")
def test_verbose_says_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(tmp_path, "agent", verbose=True)
    logging.getLogger("argentum_desktop.test").info("informed")
    logging.getLogger("httpx").info("HTTP Request: GET")
    assert "informed" in capsys.readouterr().err
    assert "HTTP Request" not in (tmp_path / "agent.log").read_text()


def test_configured_twice_is_configured_once(untouched_root: logging.Logger, tmp_path: Path) -> None:
    logs.configure(tmp_path, "one")
    logs.configure(tmp_path, "two")
    logging.getLogger("argentum_desktop.test").info("once")
    assert len(untouched_root.handlers) == 2
    assert (tmp_path / "one.log").read_text() == ""
    assert (tmp_path / "two.log").read_text().count("once") == 1


@pytest.mark.usefixtures("untouched_root")
def test_the_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2000)
    logs.configure(tmp_path, "agent")
    for number in range(500):
        logging.getLogger("argentum_desktop.test").info("line %d", number)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["agent.log", "agent.log.1", "agent.log.2", "agent.log.3"]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())
    assert "line 499" in (tmp_path / "agent.log").read_text()


@pytest.mark.usefixtures("untouched_root")
def test_words_that_are_no_unicode_are_written_all_the_same(tmp_path: Path) -> None:
    logs.configure(tmp_path, "agent")
    logging.getLogger("argentum_desktop.test").info("a name: %s", "caf\udce9")
    assert "caf" in (tmp_path / "agent.log").read_text()


COMPLAINTS = (
    "import logging, sys\nfrom pathlib import Path\nfrom argentum_desktop import logs\n"
    "logs.configure(Path(sys.argv[1]), 'agent')\n"
    "for number in range(3000):\n    logging.getLogger('x').info('line %d', number)\n"
    "logging.getLogger('x').error('the end')\n"
)


def test_a_full_disk_costs_the_log_and_nothing_else(small_disk: SmallDisk) -> None:
    small_disk.fill(leave_bytes=20_000)
    result = subprocess.run([sys.executable, "-c", COMPLAINTS, str(small_disk.folder)], capture_output=True, text=True)
    assert result.returncode == 0
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "the end" in result.stderr


def test_a_folder_that_cannot_be_written_costs_the_log_and_nothing_else(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-c", COMPLAINTS, str(tmp_path / "gone")], capture_output=True, text=True)
    assert result.returncode == 0
    assert "Traceback" not in result.stderr
    assert "the end" in result.stderr
