"""HTTP to an engine over its local socket, with the engine's refusals turned into our errors."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from argentum_desktop.errors import EngineError, EngineMissingError
from argentum_desktop.runner.faults import engine_fault

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 120.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_KEPT_HEADERS = ("api-version", "libpod-api-version", "server")


class EngineSlowError(EngineError):
    """No answer in the time given for it."""


class EngineSocket(Protocol):
    """Where an engine listens, and what keeps it listening."""

    async def ensure(self, *, doubtful: bool = False) -> Path:
        """The socket's path, after doing what can be done so that somebody listens there.

        Args:
            doubtful: a call just got no answer.

        Raises:
            EngineMissingError: nothing can be done.
        """
        ...

    async def rest(self) -> None:
        """Let go of what costs while nobody asks; `ensure` brings it back."""
        ...

    async def close(self) -> None: ...


class StandingSocket:
    """The socket of a service that somebody else keeps running."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ensure(self, *, doubtful: bool = False) -> Path:
        return self._path

    async def rest(self) -> None:
        """It is not ours to end."""

    async def close(self) -> None:
        """Nothing of ours to end."""


class Connection:
    """One engine's HTTP interface."""

    def __init__(self, socket: EngineSocket) -> None:
        self._socket = socket
        self._path: Path | None = None
        self._client: httpx.AsyncClient | None = None
        self._under_way = 0

    @property
    def address(self) -> str:
        return f"unix://{self._path}" if self._path else ""

    async def request(
        self,
        doing: str,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object | None = None,
        content: AsyncIterator[bytes] | None = None,
        accept: tuple[int, ...] = (),
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> httpx.Response:
        """Ask and return the answer, read in full; any status below 400 and those in `accept` are answers.

        Raises:
            EngineMissingError: nobody answers on the socket.
            EngineError: the engine refused, or its answer took too long.
        """
        # A service that was restarted leaves dead connections behind. Every call may be repeated, an upload cannot.
        last_try = 0 if content is not None else 1
        for attempt in range(2):
            with self._kept_awake():
                client = await self._connected(doubtful=attempt > 0)
                request = client.build_request(
                    method,
                    url,
                    params=query,
                    content=content if content is not None else (None if body is None else json.dumps(body).encode()),
                    headers={"Content-Type": "application/x-tar" if content is not None else "application/json"},
                    timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
                )
                try:
                    answer = await _exchange(client, request, doing)
                    break
                except EngineMissingError:
                    if attempt == last_try:
                        raise
        if answer.status_code >= 400 and answer.status_code not in accept:
            raise engine_fault(doing, message_of(answer))
        return answer

    async def _connected(self, *, doubtful: bool) -> httpx.AsyncClient:
        path = await self._socket.ensure(doubtful=doubtful)
        if self._client is None or path != self._path:
            if self._client is not None:
                await self._client.aclose()
            transport = local_transport(path)
            # Nothing of the environment (proxies) has a say in how the engine is reached.
            self._client = httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False)
            self._path = path
        return self._client

    async def rest(self) -> None:
        """Let the engine sleep, unless it is being asked something; the next request wakes it."""
        if not self._under_way:
            await self._hang_up()
            await self._socket.rest()

    async def close(self) -> None:
        await self._hang_up()
        await self._socket.close()

    @contextmanager
    def _kept_awake(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def local_transport(path: Path) -> httpx.AsyncHTTPTransport:
    """To a Unix socket. The empty TLS context is never used; without it httpx would read every authority there is."""
    return httpx.AsyncHTTPTransport(uds=str(path), verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


async def _exchange(client: httpx.AsyncClient, request: httpx.Request, doing: str) -> httpx.Response:
    try:
        response = await client.send(request, stream=True)
        try:
            return await _read_bounded(response)
        finally:
            await response.aclose()
    except httpx.ReadTimeout as error:
        raise EngineSlowError(f"The container engine took too long to {doing}.", "Look whether it hangs.") from error
    except (httpx.HTTPError, OSError) as error:
        raise EngineMissingError(
            "The container engine does not answer.", "Start Podman or Docker again; running jobs are not lost."
        ) from error


async def _read_bounded(response: httpx.Response) -> httpx.Response:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > MAX_ANSWER_BYTES:
            raise EngineError("The container engine's answer is far too long.")
    kept = {name: value for name, value in response.headers.items() if name in _KEPT_HEADERS}
    return httpx.Response(response.status_code, headers=kept, content=bytes(data))


def message_of(answer: httpx.Response) -> str:
    """The words of a refusal."""
    try:
        told = answer.json()
    except ValueError:
        return answer.text
    if isinstance(told, dict):
        return str(told.get("message") or told.get("cause") or told)
    return str(told)


def json_of(answer: httpx.Response) -> Any:
    """The answer's JSON.

    Raises:
        EngineError: it is none.
    """
    try:
        return answer.json()
    except ValueError as error:
        raise EngineError("The container engine gave an answer that makes no sense.") from error
