"""Where this computer's own programs fetch the readings: GET /metrics on loopback, and nothing else.

A web page must not be able to read it: browsers are kept off by the Host header, which names the site that the page
came from even when that name was made to point here (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.clock import Clock
from argentum_desktop.errors import MetricsPortError

log = logging.getLogger(__name__)

PART = "metrics"
PATH = "/metrics"
ADDRESS = "127.0.0.1"
AGAIN_AFTER_S = 10.0
WITHIN_S = 5.0
MOST_CALLS = 16
# Beyond this nobody is even listened to: open files are what the jobs need too.
MOST_CONNECTIONS = 64
MAX_HEAD_BYTES = 16 * 1024
_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsPort:
    """Answers scrapes for as long as it is open. A port that is taken is told to the owner and tried again.

    Args:
        text: the answer.
        notices: where the owner is told.
    """

    def __init__(self, port: int, text: Callable[[], str], notices: NoticeBoard, clock: Clock) -> None:
        self._port = port
        self._text = text
        self._notices = notices
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._trying: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[Any]] = set()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Begin to listen, now or as soon as it can be."""
        if not await self._listen():
            self._trying = asyncio.create_task(self._try_again())

    async def close(self) -> None:
        """Stop listening, and end the calls under way."""
        tasks = [*self._calls, *([self._trying] if self._trying else [])]
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._notices.take_down(PART)

    async def _try_again(self) -> None:
        while not await self._listen():
            await self._clock.sleep(AGAIN_AFTER_S)

    async def _listen(self) -> bool:
        try:
            self._server = await asyncio.start_server(self._serve, ADDRESS, self._port, limit=MAX_HEAD_BYTES)
        except OSError as error:
            self._notices.put(PART, _words_for(error, self._port))
            return False
        self._notices.take_down(PART)
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._calls) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            async with asyncio.timeout(WITHIN_S):
                writer.write(await self._answered(reader))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            writer.transport.abort()  # else who never reads would keep us from closing
        except asyncio.CancelledError:
            # The port closes. Not raised on: this is the whole task, and asyncio calls a cancelled one a fault.
            writer.transport.abort()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "That is too long.")
        if len(self._calls) > MOST_CALLS:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, "Too many ask at once.")
        refusal = _refusal(head)
        if refusal is not None:
            return refusal
        try:
            return _response(HTTPStatus.OK, self._text(), _CONTENT_TYPE)
        except Exception:
            log.exception("the metrics could not be put together")
            return _response(HTTPStatus.INTERNAL_SERVER_ERROR, "Something unexpected happened; the log tells more.")


def _refusal(head: bytes) -> bytes | None:
    """Why this request gets no metrics; None when it does."""
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return _response(HTTPStatus.BAD_REQUEST, "That is not HTTP/1.1.")
    hosts = [line.partition(":")[2].strip().lower() for line in rest if line.lower().startswith("host:")]
    if len(hosts) != 1 or _without_port(hosts[0]) not in _OWN_NAMES:
        return _response(HTTPStatus.FORBIDDEN, "Ask for 127.0.0.1 or localhost, from this computer.")
    if words[1].partition("?")[0] != PATH:
        return _response(HTTPStatus.NOT_FOUND, f"There is only {PATH}.")
    if words[0] != "GET":
        return _response(HTTPStatus.METHOD_NOT_ALLOWED, "There is only GET.", more="Allow: GET\r\n")
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _response(
    status: HTTPStatus, text: str, content_type: str = "text/plain; charset=utf-8", *, more: str = ""
) -> bytes:
    body = text.encode() if text.endswith("\n") else f"{text}\n".encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode("latin-1") + body


def _words_for(error: OSError, port: int) -> MetricsPortError:
    if error.errno == errno.EADDRINUSE:
        return MetricsPortError(
            f"Port {port}, where other programs should find the readings, is used by another program.",
            "End that program, or choose another port in the settings (metrics.port).",
        )
    return MetricsPortError(
        f"Port {port}, where other programs should find the readings, cannot be opened ({error.strerror}).",
        "Choose another port in the settings (metrics.port); those up to 1023 belong to the system.",
    )
