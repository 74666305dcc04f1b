"""How the commands speak with the running application: one line of JSON there, one back, over loopback.

The address and a token stand in a file that only the owner can read; whoever can read that file could also read and
change everything else of the application. Loopback instead of a Unix socket, because Windows needs it anyway and a
home folder's path can be longer than a socket's name may be.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from argentum_desktop.errors import ArgentumError, DiskFullError, NotRunningError, StoreError

log = logging.getLogger(__name__)

# A call is short; whoever has not shown a token yet gets no more memory than that.
MAX_CALL_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 16 * 1024 * 1024
ANSWER_WITHIN_S = 10

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Address:
    """What the control file holds."""

    port: int
    token: str
    pid: int


@dataclass(frozen=True)
class Request:
    """One call, with the proof that it comes from the owner."""

    token: str
    call: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """Either a value or what went wrong, in the words of an `ArgentumError`."""

    value: Any = None
    error: str = ""
    remedy: str = ""


class ControlServer:
    """Answers the calls in `handlers`; others are told that there is no such call."""

    def __init__(self, file: Path, handlers: Mapping[str, Handler]) -> None:
        self._file = file
        self._handlers = handlers
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Listen, and say where in the control file.

        Raises:
            DiskFullError: there is no room for the file.
            StoreError: it cannot be written, or this computer has no loopback.
        """
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_CALL_BYTES)
            port = self._server.sockets[0].getsockname()[1]
            address = msgspec.json.encode(Address(port, self._token, os.getpid()))
            await asyncio.to_thread(_write_private, self._file, address)
        except OSError as error:
            await self.close()
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFullError(f"The disk that holds {self._file} is full.", "Free some space.") from error
            raise StoreError(
                f"The commands cannot be told how to reach the application ({error.strerror}).",
                f"Look at the rights of {self._file}.",
            ) from error

    async def close(self) -> None:
        """Stop listening, end the calls under way but for this one, and take the file away."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        others = self._calls - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with suppress(OSError):
            await asyncio.to_thread(self._file.unlink, missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                writer.write(await self._answered(reader) + b"\n")
                await writer.drain()
        except (OSError, TimeoutError) as error:
            log.info("a control call was not answered: %s", error)
            writer.transport.abort()  # else a caller who never reads would keep us from closing
        except asyncio.CancelledError:
            # The server closes. Not raised on: this is the whole task, and asyncio calls a cancelled one a fault.
            writer.transport.abort()
        finally:
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader) -> bytes:
        try:
            line = await reader.readline()
        except ValueError:
            return msgspec.json.encode(Answer(error="That call is too long."))
        try:
            return msgspec.json.encode(await self._answer(line))
        except Exception:
            log.exception("a control call failed")
            return msgspec.json.encode(Answer(error="Something unexpected happened; the log tells more."))

    async def _answer(self, line: bytes) -> Answer:
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return Answer(error="That is not a call.")
        if not secrets.compare_digest(request.token.encode(errors="replace"), self._token.encode()):
            return Answer(error="This call does not come from the owner of the application.")
        handler = self._handlers.get(request.call)
        if handler is None:
            return Answer(error=f"This version knows no call {request.call!r}.", remedy="Restart the application.")
        try:
            return Answer(value=await handler(request.arguments))
        except ArgentumError as error:
            return Answer(error=error.message, remedy=error.remedy)


def call(file: Path, name: str, **arguments: Any) -> Any:
    """Ask the running application.

    Raises:
        NotRunningError: nobody answers.
        ArgentumError: it answered that it cannot.
    """
    try:
        address = msgspec.json.decode(file.read_bytes(), type=Address)
        with socket.create_connection(("127.0.0.1", address.port), timeout=ANSWER_WITHIN_S) as connection:
            connection.sendall(msgspec.json.encode(Request(address.token, name, arguments)) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(MAX_ANSWER_BYTES)
        answer = msgspec.json.decode(line, type=Answer)
    except (OSError, OverflowError, ValueError, msgspec.MsgspecError) as error:
        # No file, an old file of a process that is dead, or somebody else on its port by now.
        raise NotRunningError(
            f"Argentum Desktop is not running in {file.parent}.",
            "Start it with: argentum-desktop, or argentum-desktop agent on a machine without a screen.",
        ) from error
    if answer.error:
        raise ArgentumError(answer.error, answer.remedy)
    return answer.value


def _write_private(path: Path, data: bytes) -> None:
    """Readable by nobody else at any moment, and never half written."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
