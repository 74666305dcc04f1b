"""Desktops, GameMode, NetworkManager and logind, each as a service that speaks its own interface on a real bus."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from clocks import NOON
from dbus_fast import Variant
from private_bus import Service, a_bus, a_daemon, a_service, needs_bus, until

from argentum_desktop.system.activity.bus import BusAbsentError, Object
from argentum_desktop.system.activity.desktops import IdleMonitor, screen_kept_awake, screen_saver_idle_s
from argentum_desktop.system.activity.game_mode import GameMode
from argentum_desktop.system.activity.network import NETWORK_MANAGER, is_metered, is_way_out_metered
from argentum_desktop.system.activity.sessions import LOGIND, sessions
from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.sleep import LogindSleep, SleepGauge

MUTTER = Object("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor")
SAVER = Object("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver")
GNOME = Object("org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager")
POLICY = Object("org.kde.Solid.PowerManagement", "/org/kde/Solid/PowerManagement/PolicyAgent", "unused")
GAME_MODE = Object("com.feralinteractive.GameMode", "/com/feralinteractive/GameMode", "com.feralinteractive.GameMode")


@needs_bus
async def test_gnome_counts_and_tells_of_a_return(tmp_path: Path) -> None:
    stirred: list[None] = []
    async with a_daemon(tmp_path) as daemon, a_bus(daemon.address) as bus:
        monitor = IdleMonitor(bus, lambda: stirred.append(None))
        with pytest.raises(BusAbsentError):
            await monitor.idle_s()
        async with a_service(daemon.address, MUTTER.service) as mutter:
            mutter.answer(MUTTER, "GetIdletime", "t", 61_500)
            mutter.answer(MUTTER, "AddUserActiveWatch", "u", 3)
            assert await monitor.idle_s() == 61.5
            assert await monitor.idle_s() == 61.5
            assert [name for name, _ in mutter.calls].count("AddUserActiveWatch") == 1
            assert monitor.tells
            await mutter.emit(MUTTER, "WatchFired", "u", 4)  # somebody else's
            await mutter.emit(MUTTER, "WatchFired", "u", 3)
            await until(lambda: stirred)
            assert len(stirred) == 1
            mutter.answer(MUTTER, "GetIdletime", "t", 20)
            assert await monitor.idle_s() == 0.02
            assert not monitor.tells


@needs_bus
async def test_a_screen_savers_count_is_seconds_but_for_kdes(tmp_path: Path) -> None:
    async with a_daemon(tmp_path) as daemon, a_bus(daemon.address) as bus:
        async with a_service(daemon.address, SAVER.service) as saver:
            saver.answer(SAVER, "GetSessionIdleTime", "u", 90)
            assert await screen_saver_idle_s(bus, is_wayland=False) == 90
        async with a_service(daemon.address, SAVER.service, "org.kde.screensaver") as saver:
            saver.answer(SAVER, "GetSessionIdleTime", "u", 90_000)
            assert await screen_saver_idle_s(bus, is_wayland=False) == 90
            saver.answer(SAVER, "GetSessionIdleTime", "u", 0)
            with pytest.raises(SignalUnknownError, match="Wayland"):
                await screen_saver_idle_s(bus, is_wayland=True)


@needs_bus
async def test_whoever_keeps_the_screen_awake_is_seen_on_any_desktop(tmp_path: Path) -> None:
    async with a_daemon(tmp_path) as daemon, a_bus(daemon.address) as bus:
        assert await screen_kept_awake(bus) is None
        async with a_service(daemon.address, GNOME.service) as gnome:
            gnome.answer(GNOME, "IsInhibited", "b", False)
            assert await screen_kept_awake(bus) is False
            gnome.answer(GNOME, "IsInhibited", "b", True)
            assert await screen_kept_awake(bus) is True
            assert gnome.calls[-1] == ("IsInhibited", [8])
        async with a_service(daemon.address, POLICY.service) as kde:
            kde.answer(POLICY, "HasInhibition", "b", True)
            assert await screen_kept_awake(bus) is True
            assert kde.calls[-1] == ("HasInhibition", [4])


@needs_bus
async def test_a_game_is_named_and_announced(tmp_path: Path) -> None:
    stirred: list[None] = []
    async with a_daemon(tmp_path) as daemon, a_bus(daemon.address) as bus:
        game_mode = GameMode(bus, lambda: stirred.append(None))
        assert await game_mode.game() == ""
        async with a_service(daemon.address, GAME_MODE.service) as feral:
            feral.describe(GAME_MODE, ClientCount=Variant("i", 0))
            assert await game_mode.game() == ""
            feral.describe(GAME_MODE, ClientCount=Variant("i", 1))
            assert await game_mode.game() == "a game"  # this version lists none
            sleeper = await asyncio.create_subprocess_exec("sleep", "60")
            feral.answer(GAME_MODE, "ListGames", "a(io)", [[sleeper.pid, "/com/feralinteractive/GameMode/Games/1"]])
            assert await game_mode.game() == "sleep"
            await feral.emit(GAME_MODE, "GameRegistered", "io", sleeper.pid, "/game")
            await until(lambda: stirred)
            sleeper.kill()
            await sleeper.wait()


@needs_bus
@pytest.mark.parametrize(("word", "metered"), [(1, True), (2, False), (3, True), (4, False)])
async def test_network_managers_word_counts(tmp_path: Path, word: int, metered: bool) -> None:
    async with (
        a_daemon(tmp_path) as daemon,
        a_bus(daemon.address) as bus,
        a_service(daemon.address, NETWORK_MANAGER.service) as manager,
    ):
        manager.describe(NETWORK_MANAGER, Metered=Variant("u", word))
        assert await is_metered(bus) is metered
        manager.describe(NETWORK_MANAGER, Metered=Variant("u", 0))
        with pytest.raises(SignalUnknownError, match="NetworkManager does not know"):
            await is_metered(bus)


def kernel(root: Path, device: str, kind: str = "", driver: str = "e1000e") -> Path:
    """A computer whose way out is this device; a wire with a worse metric is there too."""
    header = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    routes = (
        f"{device} 00000000 0102A8C0 0003 0 0 100 00000000 0 0 0\neth9 00000000 0102A8C0 0003 0 0 900 00000000 0 0 0\n"
    )
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/route").write_text(header + routes)
    place = root / "sys/class/net" / device
    (place / "device").mkdir(parents=True)
    (place / "uevent").write_text(f"DEVTYPE={kind}\nINTERFACE={device}\n" if kind else f"INTERFACE={device}\n")
    (root / "drivers" / driver).mkdir(parents=True)
    (place / "device" / "driver").symlink_to(root / "drivers" / driver)
    return root


def test_without_network_manager_the_kind_of_device_tells(tmp_path: Path) -> None:
    assert is_way_out_metered(kernel(tmp_path / "wire", "enp3s0")) is False
    assert is_way_out_metered(kernel(tmp_path / "modem", "wwan0", "wwan")) is True
    assert is_way_out_metered(kernel(tmp_path / "phone", "usb0", driver="rndis_host")) is True
    assert is_way_out_metered(tmp_path / "nowhere") is False
    with pytest.raises(SignalUnknownError, match="wireless"):
        is_way_out_metered(kernel(tmp_path / "wireless", "wlp2s0", "wlan"))


def logged_in(logind: Service, *people: dict[str, Any]) -> None:
    """Sessions as logind lists them."""
    listed = []
    for number, facts in enumerate(people, 1):
        path = f"/org/freedesktop/login1/session/_3{number}"
        listed.append([str(number), facts.pop("uid", 1000), "somebody", "seat0", path])
        kinds: dict[type, str] = {bool: "b", str: "s", int: "t"}
        usual = {"Class": "user", "Type": "wayland", "Active": True, "Remote": False, "IdleHint": False, "Service": ""}
        described = {name: Variant(kinds[type(value)], value) for name, value in (usual | facts).items()}
        logind.describe(Object(LOGIND.service, path, "org.freedesktop.login1.Session"), **described)
    logind.answer(LOGIND, "ListSessions", "a(susso)", listed)


@needs_bus
async def test_logins_are_told_apart(tmp_path: Path) -> None:
    ago = int((NOON.timestamp() - 300) * 1e6)
    async with a_daemon(tmp_path) as daemon, a_bus(daemon.address) as bus:
        with pytest.raises(BusAbsentError):
            await sessions(bus, NOON)
        async with a_service(daemon.address, LOGIND.service) as logind:
            logged_in(
                logind,
                {"IdleHint": True, "IdleSinceHint": ago},
                {"IdleSinceHint": ago},  # was away once and is back
                {"IdleSinceHint": 0},  # a desktop that never says
                {"Type": "tty", "IdleSinceHint": ago},
                {"Type": "tty", "Remote": True, "IdleSinceHint": ago},  # SSH
                {"Type": "x11", "Service": "xrdp-sesman", "IdleSinceHint": 0},
                {"Active": False, "IdleSinceHint": ago},  # switched away from
                {"Class": "greeter", "IdleSinceHint": 0},
            )
            found = await sessions(bus, NOON)
    assert [session.idle_s for session in found] == [300, 0, None, 300, 300, None, 0]
    assert [session.is_local for session in found] == [True, True, True, True, False, False, False]
    assert [session.is_from_afar for session in found] == [False, False, False, False, False, True, False]


@needs_bus
async def test_sleep_waits_until_all_is_ready(tmp_path: Path) -> None:
    happened: list[str] = []
    may_sleep = asyncio.Event()

    async def before() -> None:
        happened.append("before")
        await may_sleep.wait()

    async with (
        a_daemon(tmp_path) as daemon,
        a_bus(daemon.address) as bus,
        a_service(daemon.address, LOGIND.service) as logind,
    ):
        ends: list[int] = []
        given: list[int] = []

        def inhibit(*words: Any) -> tuple[str, list[Any]]:
            assert words[0] == "sleep"
            assert words[3] == "delay"
            mine, theirs = os.pipe()
            ends.append(mine)
            given.append(theirs)
            return "h", [theirs]

        logind.answers[LOGIND.path, "Inhibit"] = inhibit
        watching = asyncio.create_task(LogindSleep(bus, before, lambda: happened.append("after")).run())
        await until(lambda: ends)
        os.set_blocking(ends[0], False)
        await logind.emit(LOGIND, "PrepareForSleep", "b", True)
        os.close(given[0])  # sent before the signal; logind keeps none either
        await until(lambda: happened == ["before"])
        assert not is_closed(ends[0])
        may_sleep.set()
        await until(lambda: is_closed(ends[0]))
        await logind.emit(LOGIND, "PrepareForSleep", "b", False)
        await until(lambda: happened == ["before", "after"])
        await until(lambda: len(ends) == 2)  # ready for the next time
        await logind.emit(LOGIND, "Unrelated")
        os.close(given[1])
        await until(lambda: any(name == "Inhibit" for name, _ in logind.calls[1:]))
        os.set_blocking(ends[1], False)
        watching.cancel()
        await asyncio.wait([watching])
        assert is_closed(ends[1])
        for end in ends:
            os.close(end)


def is_closed(reading_end: int) -> bool:
    """Whether nobody holds the other end any more."""
    try:
        return os.read(reading_end, 1) == b""
    except BlockingIOError:
        return False


def test_a_jump_of_the_clock_is_sleep_and_a_busy_moment_is_not() -> None:
    gauge = SleepGauge(100.0)
    assert gauge.slept_s(102.1, 2.0) == 0
    assert gauge.slept_s(110.0, 2.0) == 0
    assert gauge.slept_s(3712.0, 2.0) == pytest.approx(3600)
    assert gauge.slept_s(3714.0, 2.0) == 0
