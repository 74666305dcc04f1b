"""The owner's screen: a real X server, a real window manager, real windows and real input."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from private_bus import until

from argentum_desktop.clock import SystemClock
from argentum_desktop.system.activity import x11, x11_wire
from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.x11 import XScreen
from argentum_desktop.system.activity.x11_wire import ScreenAbsentError, XConnection, display_number

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in ("Xvfb", "openbox", "xdotool")),
        reason="needs Xvfb, openbox and xdotool",
    ),
]
WINDOW = """
import sys
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication(["Quake"])
window = QWidget()
window.show()
def obey():
    word = sys.stdin.readline().strip()
    window.showFullScreen() if word == "full" else window.showNormal() if word == "normal" else application.quit()
notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
notifier.activated.connect(obey)
application.exec()
"""


@dataclass
class Screen:
    """An X server of the test's own."""

    number: int
    server: asyncio.subprocess.Process
    environment: dict[str, str]
    programs: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        null, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(*command, env=self.environment, stdin=pipe, stderr=null)
        self.programs.append(program)
        return program

    async def touch(self, x: int) -> None:
        await (await self.start("xdotool", "mousemove", str(x), "100")).wait()


@asynccontextmanager
async def a_screen(*options: str) -> AsyncIterator[Screen]:
    readable, writable = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writable),
        "-screen",
        "0",
        "640x480x24",
        "-nolisten",
        "tcp",
        "-noreset",
        *options,
    ]
    null = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(*command, pass_fds=(writable,), stderr=null)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        number = int(await asyncio.to_thread(pipe.readline))
    environment = os.environ | {
        "DISPLAY": f":{number}",
        "QT_QPA_PLATFORM": "xcb",
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    }
    environment.pop("WAYLAND_DISPLAY", None)
    screen = Screen(number, server, environment)
    try:
        yield screen
    finally:
        for program in (*reversed(screen.programs), server):
            if program.returncode is None:
                program.kill()
            await program.wait()


async def test_input_ends_the_idle_time_and_is_told_at_once() -> None:
    stirred: list[float] = []
    async with a_screen() as screen:
        eyes = XScreen(screen.environment, SystemClock(), lambda: stirred.append(time.monotonic()))
        await screen.touch(50)
        await asyncio.sleep(1.3)
        assert await eyes.idle_s() >= 1.2
        assert not stirred
        await screen.touch(150)
        touched = time.monotonic()
        await until(lambda: stirred)
        assert stirred[0] - touched < 0.2
        assert await eyes.idle_s() < 1
        assert not eyes.is_vnc
        await eyes.close()


async def test_a_window_on_the_whole_screen_is_seen_with_its_name(tmp_path: Path) -> None:
    stirred: list[None] = []
    async with a_screen() as screen:
        await screen.start("openbox", "--sm-disable")
        eyes = XScreen(screen.environment, SystemClock(), lambda: stirred.append(None))
        assert await eyes.full_screen() == ""
        game = await screen.start(sys.executable, "-c", WINDOW)
        assert game.stdin is not None
        await until(lambda: stirred, 20)
        assert await eyes.full_screen() == ""
        for word, name in (("full", "Quake"), ("normal", ""), ("full", "Quake")):
            stirred.clear()
            game.stdin.write(f"{word}\n".encode())
            async with asyncio.timeout(10):
                while await eyes.full_screen() != name:
                    await until(lambda: stirred, 10)  # told, not only found by asking
                    stirred.clear()
        game.kill()
        async with asyncio.timeout(10):
            while await eyes.full_screen():
                await asyncio.sleep(0.02)
        await eyes.close()


async def test_a_screen_that_ends_is_absent_and_a_new_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x11, "AGAIN_AFTER_S", 0.0)
    async with a_screen() as screen:
        eyes = XScreen(screen.environment, SystemClock(), lambda: None)
        assert await eyes.idle_s() >= 0
        screen.server.terminate()
        await screen.server.wait()
        with pytest.raises(SignalUnknownError):
            await asked_often(eyes)
        with pytest.raises(ScreenAbsentError):
            await eyes.full_screen()
        command = ["Xvfb", f":{screen.number}", "-screen", "0", "320x200x24", "-nolisten", "tcp"]
        again = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await eyes.idle_s() >= 0
                    break
                except SignalUnknownError:
                    await asyncio.sleep(0.05)
        await eyes.close()
        again.kill()
        await again.wait()


async def asked_often(eyes: XScreen) -> None:
    """The end of a server is seen by the question after it at the latest."""
    for _ in range(100):
        await eyes.idle_s()


async def test_a_server_that_hangs_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x11_wire, "ANSWERS_WITHIN_S", 0.3)
    async with a_screen() as screen:
        eyes = XScreen(screen.environment, SystemClock(), lambda: None)
        assert await eyes.idle_s() >= 0
        screen.server.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(SignalUnknownError, match="does not answer"):
            await eyes.idle_s()
        with pytest.raises(SignalUnknownError):
            await eyes.idle_s()
        assert time.monotonic() - begun < 2
        await eyes.close()
        screen.server.send_signal(signal.SIGCONT)


async def test_the_sessions_cookie_lets_in_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    if shutil.which("xauth") is None:
        pytest.skip("needs xauth")
    cookie, servers, right, wrong = "0123456789abcdef" * 2, tmp_path / "servers", tmp_path / "right", tmp_path / "wrong"
    await add_cookie(servers, 0, cookie)
    async with a_screen("-auth", str(servers)) as screen:
        await add_cookie(right, screen.number, cookie)
        await add_cookie(wrong, screen.number, cookie[::-1])
        connection = await XConnection.open(screen.number, {"XAUTHORITY": str(right)})
        assert await connection.atom("WM_CLASS") > 0
        await connection.close()
        for environment in ({"XAUTHORITY": str(wrong)}, {"HOME": str(tmp_path)}):
            with pytest.raises(SignalUnknownError, match="cannot be reached"):
                await XConnection.open(screen.number, environment)


async def add_cookie(file: Path, number: int, cookie: str) -> None:
    words = ("xauth", "-f", str(file), "add", f":{number}", ".", cookie)
    made = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    assert await made.wait() == 0


async def test_without_a_screen_there_is_none_to_look_at() -> None:
    assert display_number(":1.0") == 1
    assert display_number("unix:12") == 12
    assert display_number("localhost:10.0") is None  # forwarded by SSH
    assert display_number("") is None
    eyes = XScreen({}, SystemClock(), lambda: None)
    with pytest.raises(ScreenAbsentError):
        await eyes.idle_s()
    await eyes.close()
