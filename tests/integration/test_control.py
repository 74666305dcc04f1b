"""The door for the commands: a real socket, honest callers and others."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from quiet_log import ExpectLog
from small_disk import SmallDisk, small_disk

from argentum_desktop.agent import control
from argentum_desktop.agent.control import MAX_CALL_BYTES, ControlServer, call
from argentum_desktop.errors import ArgentumError, BadInputError, DiskFullError, NotRunningError, StoreError

__all__ = ["small_disk"]


async def echo(arguments: Mapping[str, Any]) -> Any:
    return dict(arguments)


async def refuse(_: Mapping[str, Any]) -> Any:
    raise BadInputError("That cannot be.", "Try something else.")


async def stumble(_: Mapping[str, Any]) -> Any:
    raise ZeroDivisionError("a bug")


async def unspeakable(_: Mapping[str, Any]) -> Any:
    return object()


class Gate:
    """A handler that answers when the test lets it."""

    def __init__(self) -> None:
        self.entered, self.open = asyncio.Event(), asyncio.Event()

    async def pass_(self, _: Mapping[str, Any]) -> Any:
        self.entered.set()
        await self.open.wait()
        return "through"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "control.json"


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def server(file: Path, gate: Gate) -> AsyncIterator[ControlServer]:
    handlers = {"echo": echo, "refuse": refuse, "stumble": stumble, "unspeakable": unspeakable, "gate": gate.pass_}
    made = ControlServer(file, handlers)
    await made.open()
    yield made
    await made.close()


async def ask(file: Path, name: str, **arguments: Any) -> Any:
    return await asyncio.to_thread(call, file, name, **arguments)


def address(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


async def raw(file: Path, data: bytes, *, end: bool = False) -> bytes:
    """What comes back for these bytes, up to the end of the line or of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", address(file)["port"])
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.readline()
    finally:
        writer.close()


@pytest.mark.usefixtures("server")
async def test_a_call_is_answered_with_what_the_handler_returns(file: Path) -> None:
    arguments = {"text": 'ünï\n"', "number": 2**60, "nothing": None, "list": [1, {"a": True}]}
    assert await ask(file, "echo", **arguments) == arguments
    large = "x" * (MAX_CALL_BYTES - 1000)
    assert await ask(file, "echo", text=large) == {"text": large}


@pytest.mark.usefixtures("server")
async def test_a_known_fault_is_told_in_its_words(file: Path) -> None:
    with pytest.raises(ArgentumError) as error:
        await ask(file, "refuse")
    assert (error.value.message, error.value.remedy) == ("That cannot be.", "Try something else.")
    with pytest.raises(ArgentumError, match="knows no call 'dance'"):
        await ask(file, "dance")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("name", ["stumble", "unspeakable"])
async def test_a_bug_is_logged_and_told_without_its_insides(file: Path, name: str, expect_log: ExpectLog) -> None:
    expect_log("a control call failed")
    with pytest.raises(ArgentumError, match="Something unexpected happened; the log tells more") as error:
        await ask(file, name)
    assert not isinstance(error.value, NotRunningError)
    assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
async def test_only_the_owner_can_read_the_file_and_so_make_a_call(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(address(file)) == {"port", "token", "pid"}
    assert address(file)["pid"] == os.getpid()
    assert len(address(file)["token"]) >= 40
    assert [entry.name for entry in file.parent.iterdir()] == ["control.json"]


async def test_the_file_is_private_whatever_the_umask_and_what_stood_there(file: Path) -> None:
    file.write_text("old")
    file.chmod(0o666)
    file.with_suffix(".new").write_text("left by a crash")
    file.with_suffix(".new").chmod(0o666)
    before = os.umask(0)
    try:
        server = ControlServer(file, {})
        await server.open()
        assert file.stat().st_mode & 0o777 == 0o600
        assert [entry.name for entry in file.parent.iterdir()] == ["control.json"]
        await server.close()
    finally:
        os.umask(before)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("token", ["", "wrong", "é" * 43, "\u0000", "x" * 10_000])
async def test_a_wrong_token_is_refused(file: Path, token: str) -> None:
    request = json.dumps({"token": token, "call": "echo", "arguments": {}}).encode() + b"\n"
    answer = json.loads(await raw(file, request))
    assert answer["error"] == "This call does not come from the owner of the application."
    assert answer["value"] is None
    assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b'{"token": 1, "call": "echo"}\n',
        b'{"token": "x", "call": "echo", "arguments": []}\n',
        b'{"token": "\\ud800", "call": "echo"}\n',
        b"\xff\xfe\n",
        b"[" * 30_000 + b"\n",
        b"\0" * 1000 + b"\n",
    ],
)
async def test_garbage_is_told_to_be_none(file: Path, line: bytes) -> None:
    assert json.loads(await raw(file, line))["error"] in {
        "That is not a call.",
        "This call does not come from the owner of the application.",
    }
    assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("data", [b"", b'{"token"', b"x" * 1000])
async def test_a_caller_who_hangs_up_in_the_middle_costs_nothing(file: Path, data: bytes) -> None:
    assert json.loads(await raw(file, data, end=True))["error"] == "That is not a call."
    assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
async def test_an_endless_line_is_cut_off(file: Path) -> None:
    with pytest.raises(ArgentumError):  # that it is too long, where the answer comes before the connection breaks
        await ask(file, "echo", text="x" * (8 * MAX_CALL_BYTES))
    assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
async def test_a_slow_caller_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_WITHIN_S", 0.1)
    assert await raw(file, b'{"token": ') == b""
    monkeypatch.undo()
    assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
async def test_a_caller_who_does_not_read_his_answer_is_let_go(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_WITHIN_S", 0.2)
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        greedy.connect(("127.0.0.1", address(file)["port"]))
        request = {"token": address(file)["token"], "call": "echo", "arguments": {"text": "x" * 60_000}}
        for _ in range(3):
            greedy.sendall(json.dumps(request).encode() + b"\n")
        assert await ask(file, "echo") == {}


@pytest.mark.usefixtures("server")
async def test_two_at_once_are_both_answered(file: Path, gate: Gate) -> None:
    waiting = asyncio.create_task(ask(file, "gate"))
    await gate.entered.wait()
    answers = await asyncio.gather(*(ask(file, "echo", number=number) for number in range(20)))
    assert answers == [{"number": number} for number in range(20)]
    assert not waiting.done()
    gate.open.set()
    assert await waiting == "through"


async def test_a_closed_server_is_not_running_any_more(file: Path, server: ControlServer) -> None:
    old = file.read_bytes()
    await server.close()
    assert not file.exists()
    with pytest.raises(NotRunningError, match="is not running in") as error:
        await ask(file, "echo")
    assert "argentum-desktop agent" in error.value.remedy
    file.write_bytes(old)
    with pytest.raises(NotRunningError):
        await ask(file, "echo")
    file.unlink()
    await server.close()


async def test_closing_ends_the_calls_under_way(file: Path, server: ControlServer, gate: Gate) -> None:
    waiting = asyncio.create_task(ask(file, "gate"))
    await gate.entered.wait()
    async with asyncio.timeout(5):
        await server.close()
    with pytest.raises(NotRunningError):
        await waiting


async def test_a_call_may_close_the_server_and_is_still_answered(file: Path) -> None:
    async def end(_: Mapping[str, Any]) -> Any:
        await server.close()
        return "bye"

    server = ControlServer(file, {"end": end})
    await server.open()
    assert await ask(file, "end") == "bye"


def test_the_file_of_a_process_that_was_killed(tmp_path: Path) -> None:
    """Its port is free again, or somebody else's."""
    file = tmp_path / "control.json"
    program = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from argentum_desktop.agent.control import ControlServer\n"
        "async def main():\n    await ControlServer(Path(sys.argv[1]), {}).open()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(file)]).returncode == -9
    assert file.exists()
    with pytest.raises(NotRunningError):
        call(file, "status")
    stranger = socket.create_server(("127.0.0.1", 0))
    file.write_text(json.dumps({**address(file), "port": stranger.getsockname()[1]}))

    def answer() -> None:
        connection, _ = stranger.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(NotRunningError):
        call(file, "status")
    thread.join()
    stranger.close()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b'{"port": 1}', b'{"port": 99999, "token": "x", "pid": 1}',
     b'{"port": -1, "token": "x", "pid": 1}',
     b'{"port": "x", "token": "x", "pid": 1}', b"\xff", b'{"port": 1, "token": "x", "pid": 1}'],
)  # fmt: skip
def test_a_control_file_that_makes_no_sense_means_not_running(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "control.json"
    file.write_bytes(content)
    with pytest.raises(NotRunningError):
        call(file, "status")


async def test_no_room_for_the_file_is_told_in_words(small_disk: SmallDisk) -> None:
    small_disk.fill()
    server = ControlServer(small_disk.folder / "control.json", {})
    with pytest.raises(DiskFullError, match="is full"):
        await server.open()
    assert [entry.name for entry in small_disk.folder.iterdir()] == ["ballast"]


async def test_a_folder_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "gone" / "control.json", {})
    with pytest.raises(StoreError, match="cannot be told how to reach"):
        await server.open()
