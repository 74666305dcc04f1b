"""A small client of the X window system: its own protocol over its own socket, no library.

Xlib ends the whole process when the server goes away, and any call to it can hang; this one can do neither.
The layouts are those of "X Window System Protocol, X Version 11", and of its extensions MIT-SCREEN-SAVER and SYNC.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from argentum_desktop.system.activity.signal import SignalUnknownError

ANSWERS_WITHIN_S = 2.0
_FOLDER = "/tmp/.X11-unix"  # noqa: S108 - where X servers listen
_LOCAL_NAME = re.compile(r"(unix)?:(?P<number>[0-9]{1,5})(\.[0-9]+)?")
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_ERROR, _REPLY, _GENERIC_EVENT = 0, 1, 35
_LONGEST = 1 << 20
_CHANGE_WINDOW_ATTRIBUTES, _INTERN_ATOM, _GET_PROPERTY, _QUERY_EXTENSION = 2, 16, 20, 98
_EVENT_MASK, _PROPERTY_CHANGES = 0x800, 0x400000

Event = Callable[[bytes], None]


class ScreenAbsentError(SignalUnknownError):
    """No server shows this screen: its session is over, or it has none."""


class WindowGoneError(Exception):
    """The server refused a request: the window it was about has just been closed."""


def display_number(name: str) -> int | None:
    """The number of a display of this computer; None for one far away (SSH forwards those), or none at all."""
    match = _LOCAL_NAME.fullmatch(name)
    return int(match["number"]) if match else None


class XConnection:
    """An open connection. Requests may be made side by side; answers are told apart by their number.

    Attributes:
        root: the window behind all others.
        id_base: the first of the ids that are ours to give.
        on_event: called with the 32 bytes of each event.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, setup: bytes) -> None:
        self._reader, self._writer = reader, writer
        self.id_base, self.root = _ids(setup)
        self.on_event: Event = lambda _: None
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._failure: SignalUnknownError | None = None
        self._listening = asyncio.create_task(self._listen(), name="x11")

    @classmethod
    async def open(cls, number: int, environment: Mapping[str, str]) -> XConnection:
        """Connect with a display of this computer.

        Raises:
            ScreenAbsentError: there is none.
            SignalUnknownError: it does not let us in.
        """
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                reader, writer = await asyncio.open_unix_connection(sock=await _socket(number))
                try:
                    setup = await _greet(reader, writer, _cookie(number, environment))
                except BaseException:
                    writer.close()
                    raise
        except TimeoutError:
            raise SignalUnknownError("The screen's X server does not answer.") from None
        except (FileNotFoundError, ConnectionRefusedError):
            raise ScreenAbsentError(f"There is no screen :{number} any more.") from None
        except (OSError, EOFError, struct.error) as error:
            raise SignalUnknownError(f"The screen's X server cannot be reached: {error}") from error
        return cls(reader, writer, setup)

    @property
    def is_open(self) -> bool:
        return self._failure is None

    async def close(self) -> None:
        self._fail(SignalUnknownError("It was closed."))
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    # -- requests -----------------------------------------------------------------------------------------------------

    def send(self, opcode: int, data: int, body: bytes) -> int:
        """A request without an answer; returns its number."""
        if self._failure is not None:
            raise self._failure
        body += bytes(-len(body) % 4)
        self._writer.write(struct.pack("<BBH", opcode, data, 1 + len(body) // 4) + body)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence

    async def ask(self, opcode: int, data: int, body: bytes) -> bytes:
        """The whole answer.

        Raises:
            WindowGoneError: the server refused.
            SignalUnknownError: the connection is gone or hangs.
        """
        number = self.send(opcode, data, body)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await future
        except TimeoutError:
            self._fail(SignalUnknownError("The screen's X server does not answer."))
            self._writer.close()
            raise SignalUnknownError("The screen's X server does not answer.") from None
        finally:
            self._waiting.pop(number, None)

    async def atom(self, name: str) -> int:
        raw = name.encode()
        reply = await self.ask(_INTERN_ATOM, 0, struct.pack("<HH", len(raw), 0) + raw)
        return int(struct.unpack_from("<I", reply, 8)[0])

    async def window_property(self, window: int, atom: int) -> bytes:
        """A property's bytes, empty where it is not set; at most a kibibyte."""
        reply = await self.ask(_GET_PROPERTY, 0, struct.pack("<IIIII", window, atom, 0, 0, 256))
        size = reply[1] // 8 * int(struct.unpack_from("<I", reply, 16)[0])
        return reply[32 : 32 + size]

    async def extension(self, name: str) -> tuple[int, int] | None:
        """Its opcode and the number of its first event; None where the server lacks it."""
        raw = name.encode()
        reply = await self.ask(_QUERY_EXTENSION, 0, struct.pack("<HH", len(raw), 0) + raw)
        return (reply[9], reply[10]) if reply[8] else None

    def watch_properties(self, window: int) -> None:
        """Be told when a property of this window changes."""
        self.send(_CHANGE_WINDOW_ATTRIBUTES, 0, struct.pack("<III", window, _EVENT_MASK, _PROPERTY_CHANGES))

    # -- answers ------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        try:
            while True:
                message = await self._reader.readexactly(32)
                kind = message[0] & 0x7F
                if kind in {_REPLY, _GENERIC_EVENT}:
                    more = 4 * int(struct.unpack_from("<I", message, 4)[0])
                    if more > _LONGEST:
                        raise EOFError("an answer without end")
                    message += await self._reader.readexactly(more)
                self._deliver(kind, message)
        except (OSError, EOFError) as error:
            self._fail(SignalUnknownError(f"The screen's X server is gone: {error}"))
            self._writer.close()

    def _deliver(self, kind: int, message: bytes) -> None:
        if kind > _REPLY:
            if kind != _GENERIC_EVENT:
                self.on_event(message)
            return
        future = self._waiting.get(int(struct.unpack_from("<H", message, 2)[0]))
        if future is None or future.done():
            return
        if kind == _ERROR:
            future.set_exception(WindowGoneError(f"X error {message[1]}"))
        else:
            future.set_result(message)

    def _fail(self, error: SignalUnknownError) -> None:
        self._failure = self._failure or error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._failure)


async def _socket(number: int) -> socket.socket:
    """The abstract one, which needs no folder, then the one in the folder."""
    path = f"{_FOLDER}/X{number}"
    last: OSError = FileNotFoundError(path)
    for address in (f"\0{path}", path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, address)
            return sock
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError):
                raise
            last = error
    raise last


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cookie: bytes) -> bytes:
    name = _COOKIE if cookie else b""
    padded = [part + bytes(-len(part) % 4) for part in (name, cookie)]
    writer.write(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + b"".join(padded))
    status, reason_size, size = struct.unpack("<BBxxxxH", await reader.readexactly(8))
    body = await reader.readexactly(4 * size)
    if status != 1:
        raise PermissionError(body[:reason_size].decode(errors="replace").strip() or "it refused")
    return body


def _ids(setup: bytes) -> tuple[int, int]:
    """Where our ids begin, and the root window of the first screen."""
    id_base, vendor_size, formats = (
        struct.unpack_from("<I", setup, 4)[0],
        struct.unpack_from("<H", setup, 16)[0],
        setup[21],
    )
    screens = 32 + vendor_size + -vendor_size % 4 + 8 * formats
    return int(id_base), int(struct.unpack_from("<I", setup, screens)[0])


def _cookie(number: int, environment: Mapping[str, str]) -> bytes:
    """What the session left for its own programs to be let in by; empty where there is none."""
    place = environment.get("XAUTHORITY") or str(Path(environment.get("HOME", "/"), ".Xauthority"))
    try:
        raw = Path(place).read_bytes()
    except OSError:
        return b""
    wanted = str(number).encode()
    with contextlib.suppress(struct.error):
        for _, display, name, data in _entries(raw):
            if display in {wanted, b""} and name == _COOKIE:
                return data
    return b""


def _entries(raw: bytes) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """The entries of an Xauthority file: a family, then four texts, each with its length before it."""
    at = 0
    while at < len(raw):
        at += 2
        fields = []
        for _ in range(4):
            (size,) = struct.unpack_from(">H", raw, at)
            fields.append(raw[at + 2 : at + 2 + size])
            at += 2 + size
        yield fields[0], fields[1], fields[2], fields[3]
