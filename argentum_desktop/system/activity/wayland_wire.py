"""A small client of Wayland: its own protocol (wayland.xml) over its own socket, no library."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.x11_wire import ScreenAbsentError

ANSWERS_WITHIN_S = 2.0
_DISPLAY = 1
_LONGEST = 1 << 16

Handler = Callable[[int, bytes], None]


class WaylandConnection:
    """An open connection with what the compositor offers.

    Attributes:
        offers: the number and version of each kind of object, by its interface.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._handlers: dict[int, Handler] = {_DISPLAY: self._on_display}
        self._last_id = _DISPLAY
        self._failure: SignalUnknownError | None = None
        self.offers: dict[str, tuple[int, int]] = {}
        self._registry = 0
        self._answered = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(), name="wayland")

    @classmethod
    async def open(cls, socket: Path) -> WaylandConnection:
        """Raises `ScreenAbsentError` where no compositor is, `SignalUnknownError` where it does not answer."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                connection = cls(*await asyncio.open_unix_connection(socket))
        except (FileNotFoundError, ConnectionRefusedError):
            raise ScreenAbsentError("The session's compositor is gone.") from None
        except (OSError, TimeoutError) as error:
            raise SignalUnknownError(f"The session's compositor cannot be reached: {error}") from error
        try:
            connection._registry = connection.new_object(connection._on_registry)
            connection.send(_DISPLAY, 1, struct.pack("<I", connection._registry))
            await connection.settled()
        except BaseException:
            await connection.close()
            raise
        return connection

    @property
    def is_open(self) -> bool:
        return self._failure is None

    def new_object(self, handler: Handler) -> int:
        """An id for an object to be made; `handler` is called with the number and content of its events."""
        self._last_id += 1
        self._handlers[self._last_id] = handler
        return self._last_id

    def handle(self, object_id: int, handler: Handler) -> None:
        """For an object that the compositor made."""
        self._handlers[object_id] = handler

    def forget(self, object_id: int) -> None:
        self._handlers.pop(object_id, None)

    def send(self, object_id: int, opcode: int, body: bytes = b"") -> None:
        if self._failure is not None:
            raise self._failure
        self._writer.write(struct.pack("<II", object_id, (8 + len(body)) << 16 | opcode) + body)

    def bind(self, interface: str, version: int, handler: Handler) -> int:
        """One of the offered objects; `version` is the newest that we speak."""
        number, offered = self.offers[interface]
        object_id = self.new_object(handler)
        chosen = min(version, offered)
        self.send(
            self._registry, 0, struct.pack("<I", number) + _text(interface) + struct.pack("<II", chosen, object_id)
        )
        return object_id

    async def settled(self) -> None:
        """Return when the compositor has answered everything that was sent."""
        self._answered.clear()
        callback = self.new_object(lambda *_: self._answered.set())
        self.send(_DISPLAY, 0, struct.pack("<I", callback))
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await self._answered.wait()
        except TimeoutError:
            self._fail("The session's compositor does not answer.")
        self.forget(callback)
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        self._fail("It was closed.")
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        try:
            while True:
                object_id, word = struct.unpack("<II", await self._reader.readexactly(8))
                size = word >> 16
                if not 8 <= size <= _LONGEST:
                    raise EOFError("a message of impossible length")
                body = await self._reader.readexactly(size - 8)
                handler = self._handlers.get(object_id)
                if handler is not None:
                    handler(word & 0xFFFF, body)
        except (OSError, EOFError, struct.error) as error:
            self._fail(f"The session's compositor is gone: {error}")
            self._writer.close()

    def _fail(self, words: str) -> None:
        self._failure = self._failure or SignalUnknownError(words)
        self._answered.set()

    def _on_display(self, event: int, body: bytes) -> None:
        if event == 0:
            self._fail(f"The session's compositor refused: {read_text(body, 8)[0]}")

    def _on_registry(self, event: int, body: bytes) -> None:
        if event == 0:
            (number,) = struct.unpack_from("<I", body)
            interface, at = read_text(body, 4)
            self.offers[interface] = (number, int(struct.unpack_from("<I", body, at)[0]))


def _text(words: str) -> bytes:
    raw = words.encode() + b"\0"
    return struct.pack("<I", len(raw)) + raw + bytes(-len(raw) % 4)


def read_text(body: bytes, at: int) -> tuple[str, int]:
    """The text there, and where the next argument begins."""
    (size,) = struct.unpack_from("<I", body, at)
    begin = at + 4
    return body[begin : begin + size].rstrip(b"\0").decode(errors="replace"), begin + size + -size % 4
