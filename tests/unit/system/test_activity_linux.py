"""Which source is believed where: desktops with one screen, two, none, and signals that contradict each other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Variant
from private_bus import Service, a_daemon, a_service, needs_bus
from test_activity_desktops import GAME_MODE, GNOME, MUTTER, logged_in

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.activity import NOBODY_S
from argentum_desktop.system.activity import linux, sessions
from argentum_desktop.system.activity.bus import Object
from argentum_desktop.system.activity.linux import LinuxSignals
from argentum_desktop.system.activity.sessions import LOGIND
from argentum_desktop.system.activity.signal import SignalUnknownError, Surroundings

ME, SOMEBODY = 1000, 1001


@pytest.fixture(autouse=True)
def no_other_screens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(linux, "_X_SOCKETS", tmp_path / "sockets")
    monkeypatch.setattr(sessions, "ASK_EVERY_S", 0.0)


@asynccontextmanager
async def signals(session: str = "", system: str = "", **environment: str) -> AsyncIterator[LinuxSignals]:
    made = LinuxSignals(Surroundings(environment, ME, session, system), SystemClock(), lambda *_: None)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def a_computer(
    folder: Path, *people: dict[str, Any], **environment: str
) -> AsyncIterator[tuple[LinuxSignals, Service]]:
    """One bus serves as both, with logind on it."""
    async with a_daemon(folder) as daemon, a_service(daemon.address, LOGIND.service) as logind:
        logged_in(logind, *people)
        logind.describe(LOGIND, BlockInhibited=Variant("s", "handle-power-key"))
        async with signals(daemon.address, daemon.address, **environment) as made:
            yield made, logind


async def test_a_rig_without_screen_or_session_is_known_to_be_left_alone(tmp_path: Path) -> None:
    async with signals() as made:
        assert await made.idle_s() == NOBODY_S
        assert await made.full_screen() == ""
        assert await made.is_presenting() is False
        assert await made.is_remote() is False
        (tmp_path / "sockets").mkdir()
        (tmp_path / "sockets" / "X0").touch()  # somebody's screen, and nobody who could say more
        with pytest.raises(SignalUnknownError, match="screen in use"):
            await made.idle_s()


@needs_bus
async def test_a_rig_with_logind_is_judged_by_its_sessions(tmp_path: Path) -> None:
    ssh = {"Type": "tty", "Remote": True, "IdleSinceHint": 0}
    async with a_computer(tmp_path, ssh) as (made, logind):
        assert await made.idle_s() == NOBODY_S
        assert await made.full_screen() == ""
        logged_in(logind, {"Type": "tty", "IdleSinceHint": 1})
        assert 1e6 < await made.idle_s() < NOBODY_S * 10


@needs_bus
async def test_somebody_elses_session_counts_too(tmp_path: Path) -> None:
    theirs = {"uid": SOMEBODY, "IdleHint": False, "IdleSinceHint": 5}
    async with a_computer(tmp_path, theirs) as (made, logind):
        assert await made.idle_s() == 0
        with pytest.raises(SignalUnknownError, match="cannot look at"):
            await made.full_screen()
        with pytest.raises(SignalUnknownError, match="cannot look at"):
            await made.is_presenting()
        logged_in(logind, {"uid": SOMEBODY, "IdleSinceHint": 0})
        with pytest.raises(SignalUnknownError, match="does not say when it was last used"):
            await made.idle_s()


@needs_bus
async def test_on_gnome_the_monitor_outranks_logind(tmp_path: Path) -> None:
    mine = {"uid": ME, "IdleHint": False, "IdleSinceHint": 5}
    where = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
    async with (
        a_computer(tmp_path, mine, **where) as (made, logind),
        a_service(f"unix:path={tmp_path}/bus", MUTTER.service, GNOME.service) as gnome,
    ):
        gnome.answer(MUTTER, "GetIdletime", "t", 600_000)
        gnome.answer(MUTTER, "AddUserActiveWatch", "u", 1)
        gnome.answer(GNOME, "IsInhibited", "b", False)
        assert await made.idle_s() == 600
        assert await made.is_presenting() is False
        gnome.answer(GNOME, "IsInhibited", "b", True)
        assert await made.is_presenting() is True
        logged_in(logind, mine, {"uid": SOMEBODY, "Type": "tty", "IdleSinceHint": 0})
        assert await made.idle_s() == 0


@needs_bus
async def test_a_remote_desktop_is_seen_and_a_login_by_ssh_is_not(tmp_path: Path) -> None:
    ssh = {"Type": "tty", "Remote": True, "IdleSinceHint": 0}
    async with a_computer(tmp_path, ssh) as (made, logind):
        assert await made.is_remote() is False
        logged_in(logind, ssh, {"Type": "x11", "Service": "xrdp-sesman", "IdleSinceHint": 0})
        assert await made.is_remote() is True
    async with signals(XRDP_SESSION="1") as made:
        assert await made.is_remote() is True


@needs_bus
async def test_a_game_that_announced_itself_counts_on_any_screen(tmp_path: Path) -> None:
    async with a_computer(tmp_path) as (made, _), a_service(f"unix:path={tmp_path}/bus", GAME_MODE.service) as feral:
        feral.describe(GAME_MODE, ClientCount=Variant("i", 1))
        feral.answer(GAME_MODE, "ListGames", "a(io)", [[os.getpid(), "/game"]])
        assert (await made.full_screen()).startswith(("python", "pytest"))


@needs_bus
async def test_a_logind_that_hangs_leaves_it_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argentum_desktop.system.activity.bus.ANSWERS_WITHIN_S", 0.2)
    async with a_computer(tmp_path) as (made, logind):
        logind.answers[LOGIND.path, "ListSessions"] = lambda: None
        for question in (made.idle_s, made.is_remote, made.full_screen):
            with pytest.raises(SignalUnknownError, match="does not answer"):
                await question()


@needs_bus
async def test_a_compositor_that_hides_its_windows_is_not_guessed_at(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Offers nothing but an answer to `sync`."""
        while len(head := await reader.read(12)) == 12:
            made = head[8:12]
            if int.from_bytes(head[4:6], "little") == 0:
                writer.write(made + (12 << 16).to_bytes(4, "little") + bytes(4))
        writer.close()

    server = await asyncio.start_unix_server(mute, tmp_path / "wayland-0")
    where = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
    async with signals(**where) as made:
        with pytest.raises(SignalUnknownError, match="which window fills the screen"):
            await made.full_screen()
        with pytest.raises(SignalUnknownError, match="does not say when it was last used"):
            await made.idle_s()
    server.close()


def test_objects_of_the_tests_are_what_the_services_call_themselves() -> None:
    assert Object("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager") == LOGIND
