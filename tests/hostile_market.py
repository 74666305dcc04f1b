"""A market that can misbehave in every way a server can: raw HTTP on a thread of its own, over loopback."""

from __future__ import annotations

import asyncio
import copy
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from argentum_desktop.clock import SystemClock

HANG = None
HUGE_BYTES = 64 * 1024 * 1024
GPU_ID = "SIM-0"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


# What is written back, byte by byte; `HANG` writes nothing and keeps the connection.
Play = Callable[[Asked], bytes | None]


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer."""
    named = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    named = {"content-length": str(len(body)), "connection": "close"} | named
    lines = "".join(f"{key}: {value}\r\n" for key, value in named.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body


def http_json(value: Any, status: int = 200, **headers: str) -> bytes:
    return http(status, json.dumps(value).encode(), **headers)


def problem(kind: str, status: int, detail: str, **headers: str) -> bytes:
    body = {"type": kind, "title": kind, "status": status, "detail": detail}
    return http_json(body, status, content_type="application/problem+json", **headers)


PLAYS: Mapping[str, Play] = {
    "hangs": lambda _: HANG,
    "closes": lambda _: b"",
    "not-http": lambda _: b"220 mail.example ESMTP ready\r\n",
    "500": lambda _: http(500, b"oops"),
    "500-html": lambda _: http(500, b"<html>Internal Server Error</html>", content_type="text/html"),
    "html": lambda _: http(200, b"<!doctype html><title>Welcome</title>", content_type="text/html"),
    "truncated": lambda asked: http(200, json.dumps(meta()).encode()[:40]),
    "cut-off": lambda asked: http(200, b'{"name": "Mar', content_length="5000"),
    "huge": lambda _: http(200, b'{"name": "' + b"x" * HUGE_BYTES, content_length=str(10**12)),
    "wrong-type": lambda _: http(200, b"\x89PNG\r\n\x1a\n" + bytes(64), content_type="image/png"),
    "compressed": lambda _: http(200, b"\x1f\x8b\x08\x00", content_encoding="gzip"),
    "redirect": lambda _: http(302, b"", location="http://127.0.0.1:9/v1/meta"),
    "busy": lambda _: problem("rate-limited", 429, "Too many.", retry_after="7"),
    "busy-html": lambda _: http(429, b"<html>slow down</html>", content_type="text/html", retry_after="7"),
    "refuses": lambda _: problem("not-eligible", 403, "Not\x1b[31m you."),
    "array": lambda _: http_json([1, 2, 3]),
    "null": lambda _: http_json(None),
    "empty": lambda _: http(200, b""),
    "nothing": lambda _: http(204),
    "deep": lambda _: http(200, b"[" * 200_000),
    "not-utf8": lambda _: http(200, b'{"name": "\xff\xfe"}'),
    "steering": lambda _: http_json({**meta(), "versions": ["\x1b]0;owned\x07"]}),
}


def meta(**changes: Any) -> dict[str, Any]:
    """What a market says of itself, with `changes`."""
    return {
        "name": "Hostile market",
        "versions": [1],
        "server_time": SystemClock().now().isoformat(),
        "currency": "EUR",
        "fee_ppm": 50_000,
        "is_local": True,
        "public_key": "",
        "accept_within_s": 15,
        "lease_ttl_s": 90,
        "beat_every_s": 30,
        **changes,
    }


def money(micros: int, currency: str = "EUR") -> dict[str, Any]:
    return {"micros": micros, "currency": currency}


_OFFER: dict[str, Any] = {
    "lease_id": "lease-1",
    "job_id": "job-1",
    "fence": 1,
    "job": {
        "title": "A job",
        "image": {"name": "image.tar", "sha256": "a" * 64, "size_bytes": 1000},
        "image_digest": "sha256:" + "b" * 64,
        "command": ["/bin/true"],
        "max_price_per_hour": money(400_000),
        "env": {},
        "inputs": [],
        "limits": {
            "gpus": 1,
            "vram_mib": 0,
            "cpu_millis": 500,
            "memory_mib": 64,
            "disk_mib": 16,
            "pids": 16,
            "wall_s": 600,
        },
        "schema": "argentum.job/1",
    },
    "gpu_ids": [GPU_ID],
    "price_per_hour": money(400_000),
    "fee_ppm": 50_000,
    "accept_within_s": 15,
    "lease_ttl_s": 90,
    "beat_every_s": 30,
    "issued_at": "2026-03-01T12:00:00Z",
}


def offer(changes: Mapping[str, Any] | None = None, lease_id: str = "lease-1") -> dict[str, Any]:
    """A good offer, with what stands at some dotted paths replaced; `...` takes a field away."""
    made: dict[str, Any] = copy.deepcopy(_OFFER)
    made["lease_id"] = lease_id
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = made
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return made


def lease_status(**changes: Any) -> dict[str, Any]:
    return {
        "lease_id": "lease-1",
        "state": "running",
        "fence": 1,
        "desired": "run",
        "expires_in_s": 90,
        "beat_every_s": 30,
        "server_time": SystemClock().now().isoformat(),
        **changes,
    }


@dataclass
class HostileMarket:
    """Listens from `start` to `stop`; `play` overrides everything, else it is a market that knows its manners.

    Attributes:
        meta: how it describes itself when it is polite.
        offers: given out one a claim; after the last one there is none.
        about_leases: answers calls about leases.
        greeting: said before anything was asked, by a server of another kind; the connection is closed then.
    asked: every request so far.
    """

    play: Play | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    offers: list[dict[str, Any]] = field(default_factory=list)
    about_leases: Play = lambda _: http_json(lease_status())
    greeting: bytes = b""
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen; on the same port as before, where there was one."""
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self._up.result(10)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def asked_for(self, ending: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.partition("?")[0].endswith(ending)]

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._calls: set[asyncio.Task[Any]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=2**20)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set_result(None)
        await self._over.wait()
        server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._converse(reader, writer)
        self._calls.discard(task)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.greeting:
            writer.write(self.greeting)
            await writer.drain()
            return
        asked = await _read(reader)
        self.asked.append(asked)
        said = self.play(asked) if self.play is not None else await self._behave(asked)
        if said is HANG:
            await reader.read()  # until the other side gives up
            return
        writer.write(said)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async def _behave(self, asked: Asked) -> bytes | None:
        match asked.path.split("/")[2:]:
            case ["meta"]:
                return http_json(meta(**self.meta))
            case ["accounts"]:
                account = {"account_id": "a", "role": "provider", "name": "n"}
                return http_json({**account, "available": money(0), "held": money(0)})
            case ["inventory"]:
                return http_json({})
            case ["claims"]:
                if self.offers:
                    return http_json(self.offers.pop(0))
                await asyncio.sleep(0.2)
                return http(204)
            case ["leases", *_]:
                return self.about_leases(asked)
        return http(404)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split("\r\n", 1)[0].split(" ")
    length = 0
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return Asked(method, path, await reader.readexactly(length))
