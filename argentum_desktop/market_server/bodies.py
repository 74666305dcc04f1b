"""Requests in and answers out: limits counted on the bytes that come, JSON by the wire types, problems by RFC 9457."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from argentum_desktop.clock import Clock
from argentum_desktop.errors import DiskFullError, StoreError
from argentum_desktop.market_server.problems import STATUS, ProblemError, invalid
from argentum_desktop.marketplace.codec import LARGEST_INT, WireFormatError, decode, encode
from argentum_desktop.marketplace.wire import MAX_JSON_BYTES, Problem, ProblemType

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)

# A body that stands still longer than this is not worth a connection.
STALL_S = 30.0
_RETRY_SOON_S = 5
_METHOD_NOT_ALLOWED = 405


async def read_bytes(request: Request, sha256: bytes, limit_bytes: int) -> bytes:
    """The whole body, when it is what the signer promised."""
    body = bytearray()
    async for chunk in chunks_of(request):
        body += chunk
        if len(body) > limit_bytes:
            raise ProblemError(ProblemType.TOO_LARGE, f"At most {limit_bytes} bytes are taken here.")
    if hashlib.sha256(body).digest() != sha256:
        raise ProblemError(ProblemType.SIGNATURE_INVALID, "The body is not the one that was signed.")
    return bytes(body)


async def read_value(request: Request, sha256: bytes, kind: type[T]) -> T:
    """The wire value in the body."""
    body = await read_bytes(request, sha256, MAX_JSON_BYTES)
    try:
        return decode(kind, body)
    except WireFormatError as error:
        raise invalid(str(error)) from error


async def chunks_of(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; a sender that stalls is given up."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(STALL_S):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise invalid("The body stopped coming.") from error
        if chunk is None:
            return
        yield chunk


def number_in_query(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_INT))):
        raise invalid(f"{name} must be a whole number")
    return int(text)


def answer(value: object, status: int = 200) -> Response:
    return Response(encode(value), status_code=status, media_type="application/json")


async def until_gone(request: Request) -> None:
    """Return when the client has closed the connection; its body has been read by now."""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return


def guarded(endpoint: Endpoint, clock: Clock) -> Endpoint:
    """`endpoint`, with every fault turned into a problem of the closed list."""

    async def guard(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ProblemError as error:
            return problem(error.kind, error.message, clock.now(), error.retry_after_s)
        except DiskFullError as error:
            return problem(ProblemType.MAINTENANCE, error.message, clock.now(), _RETRY_SOON_S)
        except StoreError as error:
            log.error("%s %s: %s", request.method, request.url.path, error)  # noqa: TRY400 - known, without traceback
            return problem(ProblemType.MAINTENANCE, "The market's store does not work.", clock.now(), _RETRY_SOON_S)
        except ClientDisconnect:
            return problem(ProblemType.INVALID_REQUEST, "The body ended early.", clock.now())
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return problem(ProblemType.INTERNAL, "The market has made a mistake.", clock.now())

    return guard


def problem(kind: ProblemType, detail: str, now: datetime, retry_after_s: int | None = None) -> Response:
    """An RFC 9457 answer. It says the market's time, so that a sender with a wrong clock can correct itself."""
    status = STATUS[kind]
    body = Problem(kind, kind.value.replace("-", " ").capitalize(), status, detail[:1000], now)
    return _problem_response(body, {"Retry-After": str(retry_after_s)} if retry_after_s is not None else {})


def framework_problem(clock: Clock) -> Callable[[Request, Exception], Response]:
    """What the framework itself refuses (no such path, no such method), in the same form."""

    def handle(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == _METHOD_NOT_ALLOWED:
            title, kind = "This path does not know this method.", ProblemType.INVALID_REQUEST
        elif status == STATUS[ProblemType.NOT_FOUND]:
            title, kind = "There is no such path.", ProblemType.NOT_FOUND
        else:
            title, kind = "The request cannot be understood.", ProblemType.INVALID_REQUEST
        headers = dict(getattr(error, "headers", None) or {})
        return _problem_response(Problem(kind, title, status, title, clock.now()), headers)

    return handle


def _problem_response(body: Problem, headers: dict[str, str]) -> Response:
    return Response(encode(body), status_code=body.status, headers=headers, media_type="application/problem+json")
