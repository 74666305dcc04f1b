from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from market_process import MarketProcess
from market_stand import CARD, ask

from argentum_desktop.buyer.client import BuyerClient
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.job import Artifact, JobSpec, Limits, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.receipt import Receipt
from argentum_desktop.errors import MarketRefusedError, MarketUnreachableError
from argentum_desktop.identity.keys import Identity
from argentum_desktop.market_cli import main
from argentum_desktop.market_server import server
from argentum_desktop.market_server.audit import audit
from argentum_desktop.market_server.server import DATABASE_FILE
from argentum_desktop.market_server.sqlite_storage import SqliteStorage
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.client import HttpMarket
from argentum_desktop.marketplace.signatures import RequestParts, digest_of, sign


@pytest.fixture
def market(tmp_path: Path):
    process = MarketProcess(tmp_path)
    yield process
    process.close()


@contextlib.asynccontextmanager
async def provider_at(url: str) -> AsyncIterator[HttpMarket]:
    provider = HttpMarket(url, Identity.generate(), SystemClock())
    try:
        await provider.connect()
        await provider.declare(wire.Inventory((CARD,), "test"))
        yield provider
    finally:
        await provider.close()


def a_job(folder: Path) -> tuple[JobSpec, Path]:
    path = folder / "image.tar"
    path.write_bytes(b"image" * 1000)
    image = Artifact("image.tar", hashlib.sha256(path.read_bytes()).hexdigest(), 5000)
    limits = Limits(wall_s=60, memory_mib=64, disk_mib=8)
    return JobSpec("a job", image, f"sha256:{'a' * 64}", ("true",), Money(400_000, "EUR"), limits=limits), path


async def insist(call):
    """Repeat a call until the market has answered it, as the agent does."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await call()
            except MarketUnreachableError:
                await asyncio.sleep(0.05)


async def test_it_stops_at_once_although_a_poll_hangs_and_comes_back_at_its_address(
    market: MarketProcess, tmp_path: Path
) -> None:
    url = await asyncio.to_thread(market.start)
    async with provider_at(url) as provider:
        poll = asyncio.create_task(provider.claim(wire.Claim("claim-key-1", (ask(),), (), 50)))
        await asyncio.sleep(0.2)
        assert not poll.done()
        assert await asyncio.to_thread(market.stop) < 2
        with contextlib.suppress(MarketUnreachableError):
            assert await poll is None
        assert await asyncio.to_thread(market.start) == url
        assert await provider.connect()


async def test_two_markets_do_not_share_a_folder(market: MarketProcess, capsys: pytest.CaptureFixture[str]) -> None:
    await asyncio.to_thread(market.start)
    assert await asyncio.to_thread(main, ["serve", "--data", str(market.data), "--local"]) == 4
    assert "Another market already works" in capsys.readouterr().err


def test_a_local_market_listens_to_this_machine_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--data", str(tmp_path), "--local", "--host", "0.0.0.0"]) == 2
    assert "must not listen" in capsys.readouterr().err


def test_no_answer_is_held_back() -> None:
    """asyncio sends small answers at once only on sockets that say that they are TCP."""
    with server._listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            assert (accepted.proto, client.proto) == (socket.IPPROTO_TCP, socket.IPPROTO_TCP)


async def test_no_job_goes_to_a_closed_connection(market: MarketProcess, tmp_path: Path) -> None:
    url = await asyncio.to_thread(market.start)
    host, _, port = url.removeprefix("http://").partition(":")
    identity = Identity.generate()
    gone, here = HttpMarket(url, identity, SystemClock()), HttpMarket(url, Identity.generate(), SystemClock())
    buyer = BuyerClient(url, Identity.generate(), SystemClock())
    for provider in (gone, here):
        await provider.connect()
        await provider.declare(wire.Inventory((CARD,), "test"))
    await buyer.connect()
    # A poll whose sender vanishes, asking for less than the one who stays.
    body = json.dumps(
        {
            "claim_key": "claim-key-gone",
            "asks": [
                {
                    "gpu_id": CARD.gpu_id,
                    "floor_per_hour": {"micros": 1, "currency": "EUR"},
                    "max_wall_s": 7200,
                    "max_memory_mib": 4096,
                    "max_cpu_millis": 4000,
                    "max_disk_mib": 10_000,
                }
            ],
            "held_leases": [],
            "wait_s": 50,
        }
    ).encode()
    parts = RequestParts("POST", f"{host}:{port}", "/v1/claims", digest_of(body))
    headers = sign(identity, parts, created=int(SystemClock().now().timestamp()), nonce="n" * 20)
    headers |= {"Host": parts.authority, "Content-Digest": parts.content_digest, "Content-Length": str(len(body))}
    head = "POST /v1/claims HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        await asyncio.sleep(0.5)
    await asyncio.sleep(0.5)
    spec, path = a_job(tmp_path)
    await buyer.submit(spec, {spec.image.sha256: path})
    offer = await here.claim(wire.Claim("claim-key-here", (ask(),), (), 10))
    assert offer is not None
    assert offer.fence == 1
    for client in (gone, here, buyer):
        await client.close()


async def test_killed_again_and_again_it_loses_nothing_it_acknowledged(market: MarketProcess, tmp_path: Path) -> None:
    url = await asyncio.to_thread(market.start)
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    done: dict[str, Receipt] = {}
    over = asyncio.Event()

    async def work(number: int) -> None:
        async with provider_at(url) as provider:
            turn = 0
            while not over.is_set():
                turn += 1
                claim = wire.Claim(f"claim-{number}-{turn:06}", (ask(),), (), 1)
                offer = await insist(lambda claim=claim: provider.claim(claim))
                if offer is None:
                    continue
                try:
                    await insist(lambda offer=offer: provider.accept(offer))
                    await insist(lambda offer=offer: provider.start(offer))
                    await insist(lambda offer=offer: provider.append_log(offer, 0, b"log\n"))
                    await insist(
                        lambda offer=offer: provider.heartbeat(offer, wire.Heartbeat(offer.fence, 1, Usage(1)))
                    )
                    completion = wire.Completion(offer.fence, Outcome.SUCCEEDED, Usage(2), 0)
                    status = await insist(lambda offer=offer, it=completion: provider.complete(offer, it))
                except MarketRefusedError:
                    continue
                assert status.receipt is not None
                done[offer.job_id] = status.receipt

    async def buy(jobs: dict[str, None]) -> None:
        buyer = BuyerClient(url, Identity.generate(), SystemClock())
        await insist(buyer.connect)
        spec, path = a_job(tmp_path)
        while not over.is_set():
            status = await insist(lambda: buyer.submit(spec, {spec.image.sha256: path}))
            jobs[status.job_id] = None
            await asyncio.sleep(0.02)
        await buyer.close()

    jobs: dict[str, None] = {}
    tasks = [asyncio.create_task(buy(jobs)), *(asyncio.create_task(work(number)) for number in range(2))]
    for _ in range(4):
        await asyncio.sleep(chance.uniform(0.2, 0.9))
        await asyncio.to_thread(market.kill)
        assert await asyncio.to_thread(market.start) == url
    await asyncio.sleep(0.5)
    over.set()
    await asyncio.gather(*tasks)
    await asyncio.to_thread(market.kill)

    storage = SqliteStorage(market.data / DATABASE_FILE)
    try:
        assert storage.run_now(audit).faults == ()
        kept = {job.job_id: job for job in storage.run_now(lambda work: work.all_jobs())}
    finally:
        storage.close_now()
    assert len(jobs) > 5
    assert len(done) > 2
    assert jobs.keys() <= kept.keys()
    for job_id, receipt in done.items():
        assert kept[job_id].phase is wire.JobPhase.SUCCEEDED
        assert kept[job_id].cost_micros == receipt.gross.micros
    assert main(["audit", "--data", str(market.data), "--json"]) == 0


JOB = """
title = "a job"
image = "image.tar"
command = ["/bin/tool"]
max_price_per_hour = "0.40"
[limits]
memory_mib = 64
disk_mib = 8
wall_s = 60
"""


async def test_the_buyers_commands(market: MarketProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = await asyncio.to_thread(market.start)
    common = ["--market", url, "--identity", str(tmp_path / "buyer.key")]

    async def run(*words: str, code: int = 0) -> str:
        assert await asyncio.to_thread(main, [*words, *common]) == code
        return capsys.readouterr().out

    (tmp_path / "tool").write_bytes(b"#!/bin/sh\n")
    words = [
        "pack",
        "--out",
        str(tmp_path / "image.tar"),
        "--file",
        f"/bin/tool={tmp_path / 'tool'}",
        "--",
        "/bin/tool",
    ]
    assert await asyncio.to_thread(main, words) == 0
    capsys.readouterr()
    (tmp_path / "job.toml").write_text(JOB, "utf-8")
    async with provider_at(url) as provider:

        async def serve_one(key: str, outcome: Outcome) -> None:
            offer = await provider.claim(wire.Claim(key, (ask(),), (), 20))
            assert offer is not None
            await provider.accept(offer)
            await provider.start(offer)
            await provider.append_log(offer, 0, b"hello from the job\n")
            result = tmp_path / "result"
            result.write_bytes(b"42\n")
            output = Artifact("sub/result.txt", hashlib.sha256(b"42\n").hexdigest(), 3)
            await provider.upload(offer, output, result)
            exit_code = 0 if outcome is Outcome.SUCCEEDED else 3
            await provider.complete(offer, wire.Completion(offer.fence, outcome, Usage(1), exit_code, "", (output,)))

        serving = asyncio.create_task(serve_one("claim-key-1", Outcome.SUCCEEDED))
        shown = await run("submit", str(tmp_path / "job.toml"), "--watch")
        await serving
        assert (tmp_path / "output" / "sub" / "result.txt").read_bytes() == b"42\n"
        job_id = shown.split(":")[0]
        assert "It can cost 0.006667 EUR at most" in shown
        assert "hello from the job" in await run("log", job_id, "-f")
        await run("fetch", job_id, "--output", str(tmp_path / "again"))
        assert (tmp_path / "again" / "sub" / "result.txt").exists()
        assert json.loads(await run("list", "--json"))[0]["phase"] == "succeeded"
        assert "succeeded" in await run("watch", job_id)
        assert "local credit" in await run("balance")

        serving = asyncio.create_task(serve_one("claim-key-2", Outcome.FAILED))
        assert "exit code 3" in await run("submit", str(tmp_path / "job.toml"), "--watch", code=1)
        await serving
    queued = (await run("submit", str(tmp_path / "job.toml"))).split(":")[0]
    assert "is cancelled" in await run("cancel", queued)
    await run("watch", "job-nothing", code=1)
    await run("submit", str(tmp_path / "missing.toml"), code=2)


def test_a_market_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    identity = ["--identity", str(tmp_path / "buyer.key")]
    assert main(["list", "--home", str(tmp_path), *identity]) == 69
    assert "the application runs none" in capsys.readouterr().err
    assert main(["list", "--market", "http://127.0.0.1:1", *identity]) == 69
    assert "did not answer" in capsys.readouterr().err
    assert main(["list", "--market", "market.example", *identity]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_audit_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tmp_path)]) == 2
    assert "There is no market" in capsys.readouterr().err
