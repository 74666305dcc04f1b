"""A D-Bus of a test's own, and services on it that speak the interfaces of real ones."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from argentum_desktop.clock import SystemClock
from argentum_desktop.system.activity.bus import Bus, Object

needs_bus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")
_PROPERTIES = "org.freedesktop.DBus.Properties"
_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={folder}/bus</listen><servicedir>{folder}/services</servicedir>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>"""

Answer = Callable[..., tuple[str, list[Any]] | None]


class Daemon:
    """`dbus-daemon` at one address; it can be ended and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix:path={folder}/bus"
        self.process: asyncio.subprocess.Process | None = None
        (folder / "services").mkdir()
        (folder / "bus.conf").write_text(_CONFIGURATION.format(folder=folder))

    async def start(self) -> None:
        command = ["dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--print-address", "--nopidfile"]
        self.process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        assert b"unix:" in await self.process.stdout.readline()

    async def stop(self) -> None:
        if self.process is not None:
            if self.process.returncode is None:
                self.process.kill()
            await self.process.wait()
            self.process = None


class Service:
    """Answers calls from a table; `calls` keeps what was asked."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus
        self.answers: dict[tuple[str, str], Answer] = {}
        self.properties: dict[tuple[str, str], dict[str, Variant]] = {}
        self.calls: list[tuple[str, list[Any]]] = []
        bus.add_message_handler(self._handle)

    def answer(self, target: Object, member: str, signature: str, *body: Any) -> None:
        self.answers[target.path, member] = lambda *_: (signature, list(body))

    def describe(self, target: Object, **properties: Variant) -> None:
        self.properties.setdefault((target.path, target.interface), {}).update(properties)

    async def emit(self, source: Object, signal: str, signature: str = "", *body: Any) -> None:
        await self.bus.send(Message.new_signal(source.path, source.interface, signal, signature, list(body)))

    def _handle(self, message: Message) -> Message | bool:
        if message.message_type is not MessageType.METHOD_CALL or message.destination is None:
            return False
        self.calls.append((message.member, list(message.body)))
        if message.interface == _PROPERTIES:
            return self._property(message)
        answer = self.answers.get((message.path, message.member))
        if answer is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "no")
        found = answer(*message.body)
        if found is None:
            return True  # taken, and never answered: a service that hangs
        if found[0] == "error":
            return Message.new_error(message, found[1][0], "no")
        if found[0] == "h":
            return Message.new_method_return(message, "h", [0], unix_fds=found[1])
        return Message.new_method_return(message, *found)

    def _property(self, message: Message) -> Message:
        known = self.properties.get((message.path, message.body[0]))
        if known is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no")
        if message.member == "GetAll":
            return Message.new_method_return(message, "a{sv}", [known])
        if message.body[1] not in known:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownProperty", "no")
        return Message.new_method_return(message, "v", [known[message.body[1]]])


@asynccontextmanager
async def a_daemon(folder: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(folder)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.stop()


@asynccontextmanager
async def a_service(address: str, *names: str) -> AsyncIterator[Service]:
    bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
    service = Service(bus)
    for name in names:
        await bus.request_name(name)
    try:
        yield service
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


@asynccontextmanager
async def a_bus(address: str) -> AsyncIterator[Bus]:
    bus = Bus("session", address, SystemClock())
    try:
        yield bus
    finally:
        await bus.close()


async def until(question: Callable[[], object], within_s: float = 5.0) -> None:
    """Give the loop the floor until it is so."""
    async with asyncio.timeout(within_s):
        while not question():
            await asyncio.sleep(0.005)
