"""Signed HTTP to one market: deadlines, caps and errors in one place, for the agent's client and the buyer's."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import os
import secrets
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

import certifi
import httpx

from argentum_desktop.clock import Clock
from argentum_desktop.errors import (
    ArgentumError,
    BadInputError,
    DiskFullError,
    MarketRefusedError,
    MarketUnreachableError,
    StoreError,
)
from argentum_desktop.identity.keys import Identity
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.codec import WireFormatError, decode, encode
from argentum_desktop.marketplace.errors import MarketBusyError, MarketProblemError, error_for, plain_words
from argentum_desktop.marketplace.signatures import IDEMPOTENCY_KEY, RequestParts, content_digest, digest_of, sign

T = TypeVar("T")

DEADLINE_S = 30.0
CONNECT_S = 10.0
CHUNK_BYTES = 256 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# A transfer slower than this is hopeless; the deadline of a large body grows with its size by it.
SLOWEST_BYTES_PER_S = 32 * 1024
_NO_CONTENT = 204
_DISK_FULL = 28
_TOO_BUSY = frozenset({429, 503})
# A clock whose battery is empty shows 1970 or 2000; beyond these years nothing more can be reckoned.
_SENSIBLE_YEARS = range(1970, 2200)


@dataclass(frozen=True)
class Answer:
    """A whole answer, capped."""

    status: int
    headers: httpx.Headers
    body: bytes


class SignedHttp:
    """One market's address, our key, and the difference between its clock and ours."""

    def __init__(
        self, url: str, identity: Identity, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self.identity = identity
        self._clock = clock
        self._offset = timedelta()
        self._client = _client_for(self.url, transport)

    def meet(self, meta: wire.Meta) -> None:
        """Sign by the market's clock from now on, so that a wrong clock here locks nobody out.

        Raises:
            MarketRefusedError: the market speaks another version of the protocol.
            MarketUnreachableError: its clock shows a time in which nobody lives.
        """
        if wire.VERSION not in meta.versions:
            raise MarketRefusedError(
                f"The market at {self.url} does not speak version {wire.VERSION} of the protocol.",
                "Update this application.",
            )
        self._follow_clock(meta.server_time)

    def _follow_clock(self, server_time: datetime) -> None:
        if server_time.year not in _SENSIBLE_YEARS:
            raise self.nonsense(f"its clock shows the year {server_time.year}")
        self._offset = server_time - self._clock.now()

    async def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: object | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        idempotency_key: str | None = None,
    ) -> T | None:
        """Send a wire value, get one back; None for "nothing" (204).

        Raises:
            MarketUnreachableError: no answer, or none that makes sense.
            MarketRefusedError: the market said no; `LeaseLostError` where that ends a lease.
        """
        data = b"" if body is None else encode(body)
        headers = {"Content-Type": "application/json"} if data else {}
        got = await self.exchange(
            method, path, data, headers=headers, deadline_s=deadline_s, idempotency_key=idempotency_key
        )
        return None if got.status == _NO_CONTENT else self.read(answer, got)

    async def exchange(
        self,
        method: str,
        path: str,
        data: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        deadline_s: float = DEADLINE_S,
        idempotency_key: str | None = None,
        accept_status: int | None = None,
        cap_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """Send bytes, get the whole answer; signed anew, once, when the market finds our clock wrong."""
        extra = dict(headers or {})
        if idempotency_key is not None:
            extra[IDEMPOTENCY_KEY] = idempotency_key
        for again in (False, True):
            try:
                async with self._send(method, path, data, digest_of(data), extra, deadline_s) as response:
                    return await self._accept(path, response, accept_status, cap_bytes)
            except MarketProblemError as error:
                server_time = error.problem.server_time
                if again or error.problem.type is not wire.ProblemType.CLOCK_SKEW or server_time is None:
                    raise
                self._follow_clock(server_time)
        raise AssertionError("unreachable")

    def read(self, kind: type[T], answer: Answer) -> T:
        """The wire value in an answer."""
        try:
            return decode(kind, answer.body)
        except WireFormatError as error:
            raise self.nonsense(str(error)) from error

    async def send_file(self, path: str, source: Path, sha256: str, size_bytes: int) -> None:
        """PUT a file without ever holding it in memory."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size_bytes),
            "X-Content-SHA256": sha256,
        }
        digest = content_digest(bytes.fromhex(sha256))
        with _opened(source) as file:
            body = _chunks_of(file)
            async with self._send("PUT", path, body, digest, headers, _transfer_deadline_s(size_bytes)) as response:
                await self._accept(path, response, None, MAX_ANSWER_BYTES)

    async def fetch_file(self, path: str, target: Path, sha256: str, size_bytes: int) -> None:
        """GET into `target`, which exists afterwards only with the right content."""
        draft = target.with_name(f".{target.name[:80]}.{secrets.token_hex(6)}.part")
        try:
            async with self._send("GET", path, b"", digest_of(b""), {}, _transfer_deadline_s(size_bytes)) as response:
                if not response.is_success:
                    await self._accept(path, response, None, MAX_ANSWER_BYTES)
                self._refuse_encoding(response)
                await self._save(response, draft, sha256, size_bytes)
            await asyncio.to_thread(os.replace, draft, target)
        except OSError as error:
            raise disk_error(error, target) from error
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def close(self) -> None:
        await self._client.aclose()

    async def _save(self, response: httpx.Response, draft: Path, sha256: str, size_bytes: int) -> None:
        hasher, received = hashlib.sha256(), 0
        with await asyncio.to_thread(draft.open, "xb") as file:
            async for chunk in response.aiter_raw(CHUNK_BYTES):
                received += len(chunk)
                if received > size_bytes:
                    break
                hasher.update(chunk)
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_flush_to_disk, file)
        if received != size_bytes or hasher.hexdigest() != sha256:
            raise self.nonsense("a file came with the wrong content")

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        content: bytes | AsyncIterator[bytes],
        digest: str,
        headers: Mapping[str, str],
        deadline_s: float,
    ) -> AsyncIterator[httpx.Response]:
        """Sign and send; every way in which this can fail is `MarketUnreachableError`."""
        request = self._client.build_request(
            method, self.url + path, content=content, headers={**headers, "Content-Digest": digest}, timeout=CONNECT_S
        )
        # The pool's own timeouts guard connecting; the answer may rightly take as long as the deadline (long polls).
        request.extensions["timeout"] = {"connect": CONNECT_S, "read": None, "write": None, "pool": CONNECT_S}
        parts = RequestParts(
            method=request.method,
            authority=request.headers["host"],
            target=request.url.raw_path.decode("ascii"),
            content_digest=digest,
            idempotency_key=request.headers.get(IDEMPOTENCY_KEY),
        )
        created = int((self._clock.now() + self._offset).timestamp())
        request.headers.update(sign(self.identity, parts, created=created, nonce=secrets.token_urlsafe(18)))
        try:
            async with asyncio.timeout(deadline_s):
                response = await self._client.send(request, stream=True)
                try:
                    yield response
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise self._unreachable(f"gave no answer within {deadline_s:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._unreachable(f"did not answer ({_plain(error)})") from error

    async def _accept(self, path: str, response: httpx.Response, accept_status: int | None, cap_bytes: int) -> Answer:
        body = await self._read_capped(response, cap_bytes)
        answer = Answer(response.status_code, response.headers, body)
        if response.is_success or response.status_code == accept_status:
            return answer
        problem, retry_after_s = _read_problem(answer), _retry_after_s(response.headers.get("Retry-After"))
        if problem is not None:
            raise error_for(problem, about_lease=path.startswith("/v1/leases/"), retry_after_s=retry_after_s)
        if answer.status in _TOO_BUSY:
            # Whatever stands before the market says so without being one.
            raise MarketBusyError(f"The market at {self.url} cannot answer now.", "It is asked again.", retry_after_s)
        if response.is_redirect:
            raise MarketUnreachableError(
                f"The market at {self.url} sends us to another address, which is not followed.",
                "Set market.url to the market's own address.",
            )
        raise self.nonsense(f"it answered {answer.status} without a reason")

    async def _read_capped(self, response: httpx.Response, cap_bytes: int) -> bytes:
        self._refuse_encoding(response)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > cap_bytes:
                raise self.nonsense(f"its answer is larger than {cap_bytes} bytes")
        return bytes(body)

    def _refuse_encoding(self, response: httpx.Response) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise self.nonsense("its answer is compressed, which nobody asked for")

    def nonsense(self, why: str) -> MarketUnreachableError:
        """The error for an answer that no market gives."""
        return MarketUnreachableError(
            f"The market at {self.url} gave an answer that makes no sense: {plain_words(why, 300)}.",
            "It is asked again; check the address in market.url.",
        )

    def _unreachable(self, what: str) -> MarketUnreachableError:
        return MarketUnreachableError(f"The market at {self.url} {what}.", "It is asked again; check the connection.")


def disk_error(error: OSError, path: Path) -> ArgentumError:
    """What to tell when a file of ours cannot be written."""
    if error.errno == _DISK_FULL:
        return DiskFullError(f"The disk is full: {path.name} could not be written.", "Make room on the disk.")
    return StoreError(f"The file {path} cannot be used ({error.strerror}).", "Check the folder and its permissions.")


def _client_for(url: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadInputError(
            f"{url!r} is not the address of a market.", "It looks like https://market.example."
        ) from error
    local = _is_loopback(address.host)
    if address.scheme not in {"http", "https"} or not address.host or address.userinfo:
        raise BadInputError(f"{url!r} is not the address of a market.", "It looks like https://market.example.")
    if address.scheme == "http" and not local and transport is None:
        raise BadInputError(f"The market {url} must be used with https.", "Only one on this machine may use http.")
    return httpx.AsyncClient(
        transport=transport,
        # Made here and not by httpx, which reads SSL_CERT_FILE and does not start when that file is missing.
        verify=_tls_context() if address.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        trust_env=not local,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity", "Argentum-Version": str(wire.VERSION)},
        limits=httpx.Limits(max_connections=16, keepalive_expiry=60),
    )


def _tls_context() -> ssl.SSLContext:
    """The system's authorities, and a known list beside them for systems that have none."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_on_this_computer(url: str) -> bool:
    """Whether an address leads to this computer itself."""
    try:
        return _is_loopback(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False


def _transfer_deadline_s(size_bytes: int) -> float:
    return 60.0 + size_bytes / SLOWEST_BYTES_PER_S


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise disk_error(error, source) from error


async def _chunks_of(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


def _flush_to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _read_problem(answer: Answer) -> wire.Problem | None:
    """The problem in an answer, also one of a type that only newer markets know; None when it is not a market's."""
    try:
        return decode(wire.Problem, answer.body)
    except WireFormatError:
        pass
    try:
        loose = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(loose, dict) or not isinstance(loose.get("title"), str):
        return None
    kind = wire.ProblemType.INTERNAL if answer.status >= 500 else wire.ProblemType.INVALID_REQUEST
    return wire.Problem(kind, loose["title"], answer.status, str(loose.get("detail", "")))


def _retry_after_s(header: str | None) -> float | None:
    try:
        seconds = float(header) if header is not None else None
    except ValueError:
        return None
    return seconds if seconds is None or 0 <= seconds < 86_400 else None


def _plain(error: Exception) -> str:
    return str(error) or type(error).__name__
