from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from market_stand import ManualClock

from argentum_desktop.domain.job import Artifact
from argentum_desktop.errors import BadInputError, LeaseLostError, MarketRefusedError, MarketUnreachableError
from argentum_desktop.identity.keys import Identity
from argentum_desktop.marketplace import transport as transport_module
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.codec import encode
from argentum_desktop.marketplace.errors import MarketBusyError
from argentum_desktop.marketplace.retry import Backoff
from argentum_desktop.marketplace.transport import SignedHttp

Handler = Callable[[httpx.Request], httpx.Response]


class Wire(httpx.AsyncBaseTransport):
    """Answers as a network would: the body comes later."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._handler(request)
        if inspect.isawaitable(answer):
            answer = await answer
        content = answer.content if answer.is_stream_consumed else await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content))


def http(handler: Handler) -> SignedHttp:
    return SignedHttp("http://market.test", Identity.generate(), ManualClock(), transport=Wire(handler))


def problem(kind: str, status: int, **headers: str) -> Handler:
    body = encode({"type": kind, "title": "No", "status": status, "detail": "Because"})
    return lambda _: httpx.Response(status, content=body, headers=headers)


async def call(handler: Handler, path: str = "/v1/meta", deadline_s: float = 5.0) -> object:
    market = http(handler)
    try:
        return await market.call("GET", path, wire.LogPosition, deadline_s=deadline_s)
    finally:
        await market.close()


def broken(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


@pytest.mark.parametrize(
    "handler",
    [
        broken(httpx.ConnectError("refused")),
        broken(httpx.ReadTimeout("slow")),
        broken(httpx.RemoteProtocolError("cut off")),
        lambda _: httpx.Response(200, content=b"<html>Sign in to the hotel's network</html>"),
        lambda _: httpx.Response(200, content=b'{"offset": "many"}'),
        lambda _: httpx.Response(200, content=b""),
        lambda _: httpx.Response(302, headers={"Location": "http://elsewhere.test/"}),
        lambda _: httpx.Response(404, content=b"<html>not found</html>"),
        lambda _: httpx.Response(500, content=b"oops"),
        lambda _: httpx.Response(200, content=b" " * (transport_module.MAX_ANSWER_BYTES + 1)),
        lambda _: httpx.Response(200, content=b"[" * 100_000),
        problem("internal", 500),
        problem("maintenance", 503),
        problem("rate-limited", 429),
    ],
)
async def test_what_makes_no_sense_now_is_worth_trying_later(handler: Handler) -> None:
    with pytest.raises(MarketUnreachableError) as caught:
        await call(handler)
    assert str(caught.value).count(".") >= 1


async def test_compressed_answers_are_refused() -> None:
    with pytest.raises(MarketUnreachableError, match="compressed"):
        await call(lambda _: httpx.Response(200, content=b"", headers={"Content-Encoding": "gzip"}))


async def test_nothing_takes_longer_than_its_deadline() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(MarketUnreachableError, match="within"):
        await call(never, deadline_s=0.05)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "status", "path", "error"),
    [
        ("lease-lost", 410, "/v1/leases/x/accept", LeaseLostError),
        ("stale-fence", 409, "/v1/leases/x/accept", LeaseLostError),
        ("not-found", 404, "/v1/leases/x/accept", LeaseLostError),
        ("already-terminal", 409, "/v1/leases/x/accept", MarketRefusedError),
        ("not-found", 404, "/v1/jobs/x", MarketRefusedError),
        ("insufficient-funds", 402, "/v1/jobs", MarketRefusedError),
        ("a-problem-of-tomorrow", 418, "/v1/jobs", MarketRefusedError),
    ],
)
async def test_refusals(kind: str, status: int, path: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        await call(problem(kind, status), path)
    assert type(caught.value) is error or error is MarketRefusedError
    assert "Because" in str(caught.value)


async def test_the_market_says_when_to_come_back() -> None:
    with pytest.raises(MarketBusyError) as caught:
        await call(problem("maintenance", 503, **{"Retry-After": "7"}))
    assert caught.value.retry_after_s == 7


def test_waits_double_up_to_a_limit_and_honour_what_the_market_asks() -> None:
    backoff = Backoff(draw=lambda _low, high: high)
    gone = MarketUnreachableError("gone")
    assert [backoff.delay_s(gone) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 64, 64, 64]
    backoff.reset()
    assert backoff.delay_s(MarketBusyError("busy", retry_after_s=10)) == 11


async def test_a_download_with_the_wrong_content_leaves_nothing(tmp_path: Path) -> None:
    right = b"right content"
    artifact = Artifact("file", hashlib.sha256(right).hexdigest(), len(right))
    for sent in (b"wrong content", right[:-1], right + b"!", b""):
        market = http(lambda _, sent=sent: httpx.Response(200, content=sent))
        with pytest.raises(MarketUnreachableError, match="wrong content"):
            await market.fetch_file("/v1/x", tmp_path / "file", artifact.sha256, artifact.size_bytes)
        await market.close()
        assert list(tmp_path.iterdir()) == []
    market = http(lambda _: httpx.Response(200, content=right))
    await market.fetch_file("/v1/x", tmp_path / "file", artifact.sha256, artifact.size_bytes)
    await market.close()
    assert (tmp_path / "file").read_bytes() == right


@pytest.mark.parametrize(
    "url", ["http://market.example", "ftp://x", "market", "https://", "http://me:pw@127.0.0.1", "http://["]
)
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(BadInputError):
        SignedHttp(url, Identity.generate(), ManualClock())


async def test_a_missing_certificate_file_does_not_keep_us_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/cert.pem")
    for url in ("https://market.example", "http://127.0.0.1:1"):
        await SignedHttp(url, Identity.generate(), ManualClock()).close()


async def test_no_proxy_stands_between_us_and_our_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    market = SignedHttp("http://127.0.0.1:1", Identity.generate(), ManualClock())
    assert not market._client._mounts
    await market.close()
