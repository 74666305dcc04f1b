"""The client of D-Bus: absent, hanging and lost buses, and services that must not be started by asking."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest
from dbus_fast import Variant
from private_bus import a_bus, a_daemon, a_service, needs_bus, until

from argentum_desktop.clock import SystemClock
from argentum_desktop.system.activity import bus as bus_module
from argentum_desktop.system.activity.bus import Bus, BusAbsentError, Object
from argentum_desktop.system.activity.signal import SignalUnknownError

pytestmark = needs_bus
THING = Object("org.example.Thing", "/org/example/Thing", "org.example.Thing")


async def test_a_question_is_answered(tmp_path: Path) -> None:
    async with a_daemon(tmp_path) as daemon, a_service(daemon.address, THING.service) as service:
        service.answer(THING, "Size", "u", 7)
        service.describe(THING, Colour=Variant("s", "red"))
        async with a_bus(daemon.address) as bus:
            assert await bus.ask(THING, "Size") == [7]
            assert await bus.read(THING, "Colour") == "red"
            assert await bus.read_all(THING) == {"Colour": "red"}


async def test_no_bus_at_all_is_told_at_once(tmp_path: Path) -> None:
    for address in ("", f"unix:path={tmp_path}/none"):
        async with a_bus(address) as bus:
            with pytest.raises(BusAbsentError):
                await bus.ask(THING, "Size")


async def test_a_name_nobody_has_is_absent_and_is_not_started(tmp_path: Path) -> None:
    async with a_daemon(tmp_path) as daemon:
        mark = tmp_path / "started"
        (tmp_path / "services" / "thing.service").write_text(
            f"[D-BUS Service]\nName={THING.service}\nExec=/usr/bin/touch {mark}\n"
        )
        await daemon.stop()
        await daemon.start()
        async with a_bus(daemon.address) as bus:
            with pytest.raises(BusAbsentError):
                await bus.ask(THING, "Size")
            with pytest.raises(BusAbsentError):
                await bus.ask(Object("org.freedesktop.DBus", "/", "org.freedesktop.DBus"), "NoSuchQuestion")
        assert not mark.exists()


async def test_a_service_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "ANSWERS_WITHIN_S", 0.2)
    async with a_daemon(tmp_path) as daemon, a_service(daemon.address, THING.service) as service:
        service.answers[THING.path, "Size"] = lambda: None
        service.answer(THING, "Colour", "s", "red")
        async with a_bus(daemon.address) as bus:
            begun = time.monotonic()
            with pytest.raises(SignalUnknownError, match="does not answer") as caught:
                await bus.ask(THING, "Size")
            assert time.monotonic() - begun < 1.5
            assert not isinstance(caught.value, BusAbsentError)
            assert await bus.ask(THING, "Colour") == ["red"]


async def test_a_bus_that_hangs_blocks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "ANSWERS_WITHIN_S", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen(1)
        async with a_bus(f"unix:path={tmp_path}/silent") as bus:
            others_turn = asyncio.create_task(asyncio.sleep(0.05))
            with pytest.raises(SignalUnknownError, match="does not answer"):
                await bus.ask(THING, "Size")
            assert others_turn.done()
            begun = time.monotonic()
            with pytest.raises(SignalUnknownError):  # not asked again so soon
                await bus.ask(THING, "Size")
            assert time.monotonic() - begun < 0.1


async def test_a_lost_bus_is_found_again_and_still_listened_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "AGAIN_AFTER_S", 0.0)
    heard: list[int] = []
    async with a_daemon(tmp_path) as daemon:
        bus = Bus("session", daemon.address, SystemClock())
        await bus.listen(THING, "Grew", heard.append)
        await daemon.stop()
        with pytest.raises(SignalUnknownError, match=r"lost|no session bus"):
            await bus.ask(THING, "Size")
        await daemon.start()
        async with a_service(daemon.address, THING.service) as service:
            service.answer(THING, "Size", "u", 8)
            assert await bus.ask(THING, "Size") == [8]
            await service.emit(THING, "Grew", "u", 9)
            await until(lambda: heard)
        assert heard == [9]
        await bus.close()


async def test_what_is_refused_says_by_whom(tmp_path: Path) -> None:
    async with a_daemon(tmp_path) as daemon, a_service(daemon.address, THING.service) as service:
        service.answers[THING.path, "Size"] = lambda: ("error", ["org.freedesktop.DBus.Error.AccessDenied"])
        async with a_bus(daemon.address) as bus:
            with pytest.raises(SignalUnknownError, match=r"org\.example\.Thing says: .*AccessDenied"):
                await bus.ask(THING, "Size")
