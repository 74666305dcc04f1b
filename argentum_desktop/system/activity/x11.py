"""What an X server knows of its owner: when they last touched anything, and whether a window fills the screen."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable, Mapping

from argentum_desktop.clock import Clock
from argentum_desktop.domain.activity import FULL_SCREEN, IDLE
from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.x11_wire import ScreenAbsentError, WindowGoneError, XConnection, display_number
from argentum_desktop.system.processes import process_name

AGAIN_AFTER_S = 10.0
# Somebody is back: what the server counts since the last touch has fallen below this.
BACK_BELOW_MS = 1000
_ATOMS = ("_NET_ACTIVE_WINDOW", "_NET_WM_STATE", "_NET_WM_STATE_FULLSCREEN", "_NET_WM_PID", "WM_CLASS")
_PROPERTY_NOTIFY, _ALARM_NOTIFY = 28, 1
_INITIALIZE, _LIST_COUNTERS, _CREATE_ALARM = 0, 1, 8
# The parts of an alarm that are given, and "falls below" as its test.
_ALARM_PARTS, _ABSOLUTE, _FALLS_BELOW = 0b111111, 0, 1


class XScreen:
    """The owner's screen; connected by the first question, and again some seconds after it was lost.

    Args:
        stirred: called the moment somebody comes back, and when another window is used or its size changes.
    """

    def __init__(self, environment: Mapping[str, str], clock: Clock, stirred: Callable[[], None]) -> None:
        self._environment = environment
        self._clock = clock
        self._stirred = stirred
        self.number = display_number(environment.get("DISPLAY", ""))
        self._connection: XConnection | None = None
        self._refusal: SignalUnknownError | None = None
        self._again_at_s = 0.0
        self._connecting = asyncio.Lock()
        self._atoms: dict[str, int] = {}
        self._saver: int | None = None
        self._alarm_event = -1
        self._watched = 0
        self.is_vnc = False

    @property
    def tells(self) -> frozenset[str]:
        """The signals whose changes the server tells of."""
        if self._connection is None or not self._connection.is_open:
            return frozenset()
        return frozenset({IDLE, FULL_SCREEN}) if self._alarm_event >= 0 else frozenset({FULL_SCREEN})

    async def idle_s(self) -> float:
        """Since keyboard or mouse were last touched.

        Raises:
            SignalUnknownError: the server is away or does not count.
        """
        connection = await self._connected()
        if self._saver is None:
            raise SignalUnknownError("The X server does not count how long nobody touched it.")
        try:
            reply = await connection.ask(self._saver, 1, struct.pack("<I", connection.root))
        except WindowGoneError as error:
            raise SignalUnknownError("The X server does not say how long nobody touched it.") from error
        return int(struct.unpack_from("<I", reply, 16)[0]) / 1000

    async def full_screen(self) -> str:
        """The program whose window is used and fills the screen; empty while none does."""
        connection = await self._connected()
        try:
            return await self._full_screen(connection)
        except WindowGoneError:
            return ""

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _full_screen(self, connection: XConnection) -> str:
        raw = await connection.window_property(connection.root, self._atoms["_NET_ACTIVE_WINDOW"])
        window = _first(raw)
        if window != self._watched:
            self._watched = window
            if window:
                connection.watch_properties(window)
        if not window:
            return ""
        state = await connection.window_property(window, self._atoms["_NET_WM_STATE"])
        if self._atoms["_NET_WM_STATE_FULLSCREEN"] not in _numbers(state):
            return ""
        return await self._program(connection, window)

    async def _program(self, connection: XConnection, window: int) -> str:
        """What the window calls itself; else its process."""
        names = (await connection.window_property(window, self._atoms["WM_CLASS"])).split(b"\0")
        found = next((name for name in reversed(names[:2]) if name), b"").decode(errors="replace")
        pid = _first(await connection.window_property(window, self._atoms["_NET_WM_PID"]))
        return found or (process_name(pid) if pid else None) or "a program"

    async def _connected(self) -> XConnection:
        async with self._connecting:
            if self._connection is not None and self._connection.is_open:
                return self._connection
            if self._refusal is not None and self._clock.elapsed_s() < self._again_at_s:
                raise self._refusal
            await self.close()
            if self.number is None:
                raise ScreenAbsentError("This program was started without a screen.")
            try:
                connection = await XConnection.open(self.number, self._environment)
                self._connection = connection
                await self._prepare(connection)
            except (SignalUnknownError, WindowGoneError, struct.error) as error:
                await self.close()
                told = error if isinstance(error, SignalUnknownError) else None
                self._refusal = told or SignalUnknownError(f"The X server cannot be used: {error}")
                self._again_at_s = self._clock.elapsed_s() + AGAIN_AFTER_S
                raise self._refusal from error
            self._refusal = None
            return connection

    async def _prepare(self, connection: XConnection) -> None:
        """Learn the names and opcodes, and ask to be told."""
        self._watched = 0
        self._atoms = dict(zip(_ATOMS, await asyncio.gather(*map(connection.atom, _ATOMS)), strict=True))
        saver, sync, vnc = await asyncio.gather(
            *(connection.extension(name) for name in ("MIT-SCREEN-SAVER", "SYNC", "VNC-EXTENSION"))
        )
        self._saver, self.is_vnc = saver[0] if saver else None, vnc is not None
        connection.on_event = self._heard
        connection.watch_properties(connection.root)
        self._alarm_event = -1
        if sync is not None:
            with contextlib.suppress(WindowGoneError):  # without it the idle time is asked for more often
                if await _ring_when_back(connection, sync[0]):
                    self._alarm_event = sync[1] + _ALARM_NOTIFY

    def _heard(self, event: bytes) -> None:
        kind = event[0] & 0x7F
        if kind == self._alarm_event:
            self._stirred()
        elif kind == _PROPERTY_NOTIFY:
            (atom,) = struct.unpack_from("<I", event, 8)
            if atom in {self._atoms["_NET_ACTIVE_WINDOW"], self._atoms["_NET_WM_STATE"]}:
                self._stirred()


async def _ring_when_back(connection: XConnection, sync: int) -> bool:
    """An alarm on the server's counter of idle time, as desktops' own screen savers set it; whether there is one."""
    await connection.ask(sync, _INITIALIZE, struct.pack("<BBH", 3, 1, 0))
    counter = _counter(await connection.ask(sync, _LIST_COUNTERS, b""), b"IDLETIME")
    if counter is None:
        return False
    value = struct.pack("<iI", 0, BACK_BELOW_MS)
    test, delta, rings = struct.pack("<I", _FALLS_BELOW), bytes(8), struct.pack("<I", 1)
    what = struct.pack("<IIII", connection.id_base + 1, _ALARM_PARTS, counter, _ABSOLUTE)
    connection.send(sync, _CREATE_ALARM, what + value + test + delta + rings)
    return True


def _counter(reply: bytes, wanted: bytes) -> int | None:
    (count,) = struct.unpack_from("<I", reply, 8)
    at = 32
    for _ in range(count):
        counter, _, _, size = struct.unpack_from("<IiIH", reply, at)
        if reply[at + 14 : at + 14 + size] == wanted:
            return int(counter)
        at += 14 + size + -(14 + size) % 4
    return None


def _numbers(raw: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])


def _first(raw: bytes) -> int:
    return next(iter(_numbers(raw)), 0)
