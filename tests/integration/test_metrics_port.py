"""The metrics port over real sockets: alone, and as the running application serves it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from clocks import FakeClock
from living import LivingAgent, wait_for
from prometheus_client.parser import text_string_to_metric_families

from argentum_desktop.agent.metrics_port import (
    AGAIN_AFTER_S,
    MAX_HEAD_BYTES,
    MOST_CALLS,
    MOST_CONNECTIONS,
    WITHIN_S,
    MetricsPort,
)
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.paths import Home

DATA = Path(__file__).resolve().parents[1] / "data" / "scenarios"
TEXT = "# HELP one A metric.\n# TYPE one gauge\none 1\n"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def opened(
    text: Callable[[], str] = lambda: TEXT, port: int | None = None
) -> AsyncIterator[tuple[MetricsPort, int, NoticeBoard, FakeClock]]:
    notices, clock, number = NoticeBoard(), FakeClock(), port or free_port()
    metrics = MetricsPort(number, text, notices, clock)
    await metrics.open()
    try:
        yield metrics, number, notices, clock
    finally:
        await metrics.close()


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_scrape() -> None:
    async with opened() as (_, port, notices, _), httpx.AsyncClient(trust_env=False) as client:
        for url in (f"http://127.0.0.1:{port}/metrics", f"http://localhost:{port}/metrics?name[]=one"):
            answer = await client.get(url)
            assert (answer.status_code, answer.text) == (200, TEXT)
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert "access-control-allow-origin" not in answer.headers
        assert notices.all() == ()


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/", "127.0.0.1", 404),
        ("GET", "/metrics/", "127.0.0.1", 404),
        ("GET", "//metrics", "localhost", 404),
        ("POST", "/metrics", "localhost", 405),
        ("HEAD", "/metrics", "localhost", 405),
        ("OPTIONS", "/metrics", "localhost", 405),
        ("GET", "/metrics", "evil.example", 403),
        ("GET", "/metrics", "localhost.evil.example", 403),
        ("GET", "/metrics", "127.0.0.1.evil.example:9400", 403),
        ("GET", "/metrics", "192.168.1.7:9400", 403),
        ("GET", "/metrics", "LocalHost:9400", 200),
        ("GET", "/metrics", "[::1]:9400", 200),
    ],
)
async def test_who_may_ask_for_what(method: str, path: str, host: str, status: int) -> None:
    async with opened() as (_, port, _, _), httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, f"http://127.0.0.1:{port}{path}", headers={"Host": host})
        assert answer.status_code == status
        assert (TEXT in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\r\n\r\n", b"400"),
        (b"\xff\xfe\x00 nonsense\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/2.0\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"403"),
        (b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", b"431"),
        (b"GET /metrics HTTP/1.0\r\nHost:localhost\r\n\r\n", b"200"),
    ],
)
async def test_requests_that_no_client_makes(request_bytes: bytes, status: bytes) -> None:
    async with opened() as (_, port, _, _):
        assert (await raw(port, request_bytes)).split(b" ")[1] == status
        assert b" 200 " in await raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")


async def test_only_this_computer_is_listened_to() -> None:
    async with opened() as (metrics, port, _, _):
        assert metrics._server is not None
        assert [listener.getsockname() for listener in metrics._server.sockets] == [("127.0.0.1", port)]


async def test_a_port_that_is_taken_is_told_and_tried_again() -> None:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    async with opened(port=port) as (metrics, _, notices, clock):
        (notice,) = notices.all()
        assert notice.code == "metrics-port"
        assert f"Port {port}" in notice.message
        assert "metrics.port" in notice.remedy
        await clock.advance(AGAIN_AFTER_S + 1)
        assert not metrics.is_open
        taken.close()
        await clock.advance(AGAIN_AFTER_S)
        async with asyncio.timeout(5):
            while not metrics.is_open:
                await asyncio.sleep(0.01)
        assert notices.all() == ()
        assert b" 200 " in await raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))  # closed: others may have it


async def test_closing_while_it_still_tries_takes_the_notice_down() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with opened(port=taken.getsockname()[1]) as (_, _, notices, _):
            assert notices.all()
        assert notices.all() == ()


async def test_callers_who_say_nothing_are_not_waited_for_and_bounded() -> None:
    async with opened() as (metrics, port, _, _):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CALLS)]
        async with asyncio.timeout(WITHIN_S):
            while len(metrics._calls) < MOST_CALLS:
                await asyncio.sleep(0.01)
        assert b" 503 " in await raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        silent += [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * MOST_CONNECTIONS)]
        assert await raw(port, b"") == b""
        assert len(metrics._calls) == MOST_CONNECTIONS
        async with asyncio.timeout(2):
            await metrics.close()
        for _, writer in silent:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in silent), return_exceptions=True)


async def test_a_fault_of_ours_is_an_answer(expect_log: Callable[[str], None]) -> None:
    expect_log("metrics could not be put together")

    def broken() -> str:
        raise ZeroDivisionError

    async with opened(broken) as (_, port, _, _):
        assert b" 500 " in await raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_the_running_application_serves_its_cards(tmp_path: Path) -> None:
    port = free_port()
    settings = f"[cards]\nscenario = '{DATA / 'lost_at_once.toml'}'\n[metrics]\nport = {port}\n"
    agent = LivingAgent(Home(tmp_path / "home"), settings).start()
    try:

        def scraped() -> dict[str, dict[str, float]]:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
            return {
                sample.name: {s.labels.get("UUID", ""): s.value for s in family.samples}
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }

        found = wait_for(lambda: (now := scraped()).get("DCGM_FI_DEV_GPU_TEMP") and now)
        assert found["DCGM_FI_DEV_GPU_TEMP"].keys() == {"SIM-0", "SIM-2"}
        assert found["DCGM_FI_DEV_GPU_UTIL"]["SIM-0"] > 70
        assert found["argentum_card_state"].keys() == {"SIM-0", "SIM-1", "SIM-2"}
        assert "DCGM_FI_DEV_FAN_SPEED" in found
        assert found["DCGM_FI_DEV_FAN_SPEED"].keys() == {"SIM-0"}
        assert "metrics-port" not in {notice["code"] for notice in agent.status()["notices"]}
    finally:
        assert agent.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
