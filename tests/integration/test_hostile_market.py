"""A market that lies, stutters or attacks: one sentence each time, nothing taken that should not be, and it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hostile_market import GPU_ID, PLAYS, HostileMarket, http, http_json, money, offer, problem

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.lease_book import LeaseBook
from argentum_desktop.agent.market_link import MarketLink
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.domain.host import HostState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import MarketError, MarketRefusedError, MarketUnreachableError
from argentum_desktop.events import EventBus
from argentum_desktop.identity.keys import Identity
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.client import HttpMarket
from argentum_desktop.marketplace.errors import MarketBusyError
from argentum_desktop.marketplace.feed import MarketLost
from argentum_desktop.marketplace.transport import SignedHttp
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.store import leases, migrations
from argentum_desktop.store.database import Database

GIB = 1024**3
SILENT = {"hangs"}


class HastyClock(SystemClock):
    """Waits are cut short, so that a back-off costs a test nothing."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))


@pytest.fixture(scope="module")
def market() -> Iterator[HostileMarket]:
    with HostileMarket() as market:
        yield market


@pytest.fixture(autouse=True)
def _at_peace(market: HostileMarket) -> None:
    market.play, market.meta, market.offers = None, {}, []
    market.about_leases = lambda _: http_json({})
    market.asked.clear()


@asynccontextmanager
async def connected(market: HostileMarket) -> AsyncIterator[HttpMarket]:
    client = HttpMarket(market.url, Identity.generate(), SystemClock())
    try:
        yield client
    finally:
        await client.close()


def is_one_sentence(text: str) -> bool:
    return text.isprintable() and text.endswith((".", "!", "?")) and len(text) < 700 and "Error" not in text


WORDS = {
    "closes": "did not answer",
    "not-http": "did not answer",
    "500": "500 without a reason",
    "500-html": "500 without a reason",
    "html": "makes no sense",
    "truncated": "truncated",
    "cut-off": "did not answer",
    "huge": "larger than",
    "wrong-type": "makes no sense",
    "compressed": "compressed",
    "redirect": "another address",
    "busy": "Too many.",
    "busy-html": "cannot answer now",
    "refuses": "Not [31m you.",
    "array": "makes no sense",
    "null": "makes no sense",
    "empty": "makes no sense",
    "nothing": "empty answer",
    "deep": "makes no sense",
    "not-utf8": "makes no sense",
    "steering": "makes no sense",
}


@pytest.mark.parametrize("name", sorted(WORDS))
async def test_nonsense_is_one_sentence(market: HostileMarket, name: str) -> None:
    market.play = PLAYS[name]
    async with connected(market) as client:
        with pytest.raises(MarketError) as caught:
            await client.connect()
    assert WORDS[name] in str(caught.value)
    assert is_one_sentence(str(caught.value))
    assert caught.value.remedy or isinstance(caught.value, MarketRefusedError)
    assert isinstance(caught.value, MarketRefusedError) == (name == "refuses")
    assert len(market.asked) == 1, "it went on to another address, or asked twice"


def test_every_play_is_tried() -> None:
    assert set(PLAYS) == set(WORDS) | SILENT


async def test_a_market_that_never_answers_is_given_up_in_time(market: HostileMarket) -> None:
    market.play = PLAYS["hangs"]
    http_client = SignedHttp(market.url, Identity.generate(), SystemClock())
    try:
        with pytest.raises(MarketUnreachableError, match="gave no answer within"):
            await asyncio.wait_for(http_client.call("GET", "/v1/meta", wire.Meta, deadline_s=0.3), 5)
    finally:
        await http_client.close()


@pytest.mark.parametrize("name", ["busy", "busy-html"])
async def test_retry_after_is_heard(market: HostileMarket, name: str) -> None:
    market.play = PLAYS[name]
    async with connected(market) as client:
        with pytest.raises(MarketBusyError) as caught:
            await client.connect()
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("value", ["-1", "1e9", "nan", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400])
async def test_a_senseless_retry_after_is_not_obeyed(market: HostileMarket, value: str) -> None:
    market.play = lambda _: problem("maintenance", 503, "Later.", retry_after=value)
    async with connected(market) as client:
        with pytest.raises(MarketBusyError) as caught:
            await client.connect()
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"currency": "\x1b[2J"}, "currency"),
        ({"currency": "euro"}, "currency"),
        ({"fee_ppm": 1_000_000}, "fee"),
        ({"fee_ppm": -1}, "fee"),
        ({"fee_ppm": 10**30}, "makes no sense"),
        ({"server_time": "9999-12-31T23:59:59.999999Z"}, "year 9999"),
        ({"server_time": "0001-01-01T00:00:00Z"}, "year 1"),
        ({"server_time": "2026-01-01T00:00:00"}, "no zone"),
        ({"versions": [2, 3]}, "version 1"),
        ({"versions": []}, "version 1"),
        ({"lease_ttl_s": 10**30}, "makes no sense"),
        ({"name": "\ud800"}, "makes no sense"),
    ],
)
async def test_a_market_that_describes_itself_senselessly(
    market: HostileMarket, change: dict[str, Any], words: str
) -> None:
    market.meta = change
    async with connected(market) as client:
        with pytest.raises(MarketError) as caught:
            await client.connect()
    assert words in str(caught.value)
    assert is_one_sentence(str(caught.value))


@pytest.mark.parametrize(
    "served",
    [
        http(200, b"short"),
        http(200, b"x" * 5000),
        http(200, b"x" * 1000),
        http(200, b"x" * 10, content_length="1000"),
        http(500, b"no"),
        PLAYS["html"](None),  # type: ignore[arg-type]
        PLAYS["compressed"](None),  # type: ignore[arg-type]
    ],
    ids=["short", "long", "other", "cut off", "500", "html", "compressed"],
)
async def test_a_wrong_file_is_never_kept(market: HostileMarket, tmp_path: Path, served: bytes) -> None:
    from msgspec.json import encode

    from argentum_desktop.domain.offer import Offer
    from argentum_desktop.marketplace.codec import decode

    taken = decode(Offer, encode(offer()))
    market.about_leases = lambda _: served
    async with connected(market) as client:
        with pytest.raises(MarketError) as caught:
            await client.download(taken, taken.job.image, tmp_path / "image.tar")
    assert is_one_sentence(str(caught.value))
    assert list(tmp_path.iterdir()) == []


# -- offers -----------------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """Where offers are considered: the real link, book and database; what is accepted is only written down."""

    link: MarketLink
    bench: Bench
    database: Database
    accepted: list[Lease] = field(default_factory=list)


@asynccontextmanager
async def desk_of(market: HostileMarket, folder: Path) -> AsyncIterator[Desk]:
    home = Home(folder / "home").create()
    database, events, clock = Database(home.agent_db, migrations.AGENT, durable=False), EventBus(), HastyClock()
    await database.open()
    gpu = Gpu(GPU_ID, "A card", Vendor.SIMULATED, memory_total_bytes=8 * GIB, power_limit_mw=100_000)
    bench = Bench(
        home=home,
        settings=Settings(),
        zone=ZoneInfo("UTC"),
        clock=clock,
        events=events,
        book=LeaseBook(database, events),
        installation_id="0" * 16,
        host=HostState(8, 16 * GIB, 8 * GIB, 500 * GIB, on_battery=None),
        gpus={GPU_ID: gpu},
        readings={GPU_ID: Reading(GPU_ID, clock.now(), temperature_c=40)},
    )
    client = HttpMarket(market.url, Identity.generate(), clock)
    accepted: list[Lease] = []
    link = MarketLink(market.url, client, bench, database, busy=list, accepted=lambda lease, _: accepted.append(lease))
    running = asyncio.create_task(link.run())
    try:
        yield Desk(link, bench, database, accepted)
        assert not running.done(), "the link ended"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        await database.close()


async def until(condition: Any, patience_s: float = 10) -> None:
    async with asyncio.timeout(patience_s):
        while not condition():
            await asyncio.sleep(0.01)


LARGE = 2**53
# What a market may send, and the word by which it is refused: in the decline, or in what the owner is told.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "negative fence": ({"fence": -1}, "fence"),
    "fence of text": ({"fence": "1"}, "fence"),
    "foreign currency": ({"price_per_hour": money(400_000, "USD")}, "pays in USD"),
    "no currency": ({"price_per_hour": money(400_000, "")}, "currency"),
    "below the floor": ({"price_per_hour": money(1)}, "It would"),
    "free": ({"price_per_hour": money(0)}, "It would"),
    "negative price": ({"price_per_hour": money(-400_000)}, "price_per_hour"),
    "price beyond numbers": ({"price_per_hour": money(10**30)}, "makes no sense"),
    "price as a fraction": ({"price_per_hour.micros": 0.4}, "makes no sense"),
    "all of it a fee": ({"fee_ppm": 1_000_000}, "fee_ppm"),
    "almost all of it a fee": ({"fee_ppm": 999_999}, "It would"),
    "unknown card": ({"gpu_ids": ["GPU-elsewhere"]}, "not free here"),
    "one known, one not": ({"gpu_ids": [GPU_ID, "GPU-elsewhere"]}, "more than there are"),
    "the same card twice": ({"gpu_ids": [GPU_ID, GPU_ID]}, "one twice"),
    "no card": ({"gpu_ids": []}, "names no card"),
    "a crowd of cards": ({"gpu_ids": [f"GPU-{number}" for number in range(50_000)]}, "more than there are"),
    "memory": ({"job.limits.memory_mib": LARGE}, "MiB of memory"),
    "processor": ({"job.limits.cpu_millis": LARGE}, "processor"),
    "disk": ({"job.limits.disk_mib": LARGE}, "MiB of disk"),
    "card memory": ({"job.limits.vram_mib": LARGE}, "MiB of card memory"),
    "cards": ({"job.limits.gpus": LARGE}, "cards"),
    "time": ({"job.limits.wall_s": LARGE}, "It may take"),
    "processes": ({"job.limits.pids": LARGE}, "processes"),
    "nothing of it": ({"job.limits.memory_mib": 0}, "memory_mib"),
    "memory beyond numbers": ({"job.limits.memory_mib": 10**30}, "makes no sense"),
    "an image larger than any disk": ({"job.image.size_bytes": LARGE}, "GiB of disk"),
    "an image of negative size": ({"job.image.size_bytes": -1}, "size_bytes"),
    "an image beyond numbers": ({"job.image.size_bytes": 10**30}, "makes no sense"),
    "an image out of the folder": ({"job.image.name": "../../etc/passwd"}, "plain file name"),
    "an input out of the folder": (
        {"job.inputs": [{"name": "a/../../b", "sha256": "a" * 64, "size_bytes": 1}]},
        "plain file name",
    ),
    "an absolute input": ({"job.inputs": [{"name": "/etc/x", "sha256": "a" * 64, "size_bytes": 1}]}, "plain file"),
    "a device of Windows": ({"job.inputs": [{"name": "nul.txt", "sha256": "a" * 64, "size_bytes": 1}]}, "plain file"),
    "one input twice": (
        {"job.inputs": [{"name": name, "sha256": "a" * 64, "size_bytes": 1} for name in ("a", "A")]},
        "same name",
    ),
    "a digest with a path": ({"job.image.sha256": "../" * 21 + "a"}, "sha256"),
    "an image digest of text": ({"job.image_digest": "latest"}, "image_digest"),
    "a loader's variable": ({"job.env": {"LD_PRELOAD": "/in/x"}}, "LD_PRELOAD"),
    "a title that steers": ({"job.title": "\x1b[2J"}, "title"),
    "an endless title": ({"job.title": "x" * 100_000}, "title"),
    "another schema": ({"job.schema": "argentum.job/2"}, "schema"),
    "a command with a zero": ({"job.command": ["a\0b"]}, "command"),
    "a command of numbers": ({"job.command": [1]}, "makes no sense"),
    "a lease out of the folder": ({"lease_id": "../../../tmp/x"}, "a name that is none"),
    "a lease with a slash": ({"lease_id": "a/b"}, "a name that is none"),
    "a lease without a name": ({"lease_id": ""}, "a name that is none"),
    "a lease with an endless name": ({"lease_id": "x" * 100_000}, "a name that is none"),
    "a lease with a newline": ({"lease_id": "a\nb"}, "a name that is none"),
    "a job out of the folder": ({"job_id": "../x"}, "a name that is none"),
    "no job": ({"job": ...}, "job"),
    "no price": ({"price_per_hour": ...}, "price_per_hour"),
    "no cards named": ({"gpu_ids": None}, "gpu_ids"),
    "no time to answer": ({"accept_within_s": -5}, "accept_within_s"),
    "a time without a zone": ({"issued_at": "2026-03-01T12:00:00"}, "no zone"),
    "a time that is none": ({"issued_at": "yesterday"}, "makes no sense"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_a_bent_offer_is_never_taken(market: HostileMarket, tmp_path: Path, name: str) -> None:
    """It is declined or not understood, one sentence says why, and the good one after it is taken."""
    change, word = REFUSED[name]
    market.offers = [offer(change) if "lease_id" in change else offer(change, "lease-bent"), offer(None, "lease-good")]
    problems: list[str] = []
    async with desk_of(market, tmp_path) as desk:
        desk.bench.events.subscribe(MarketLost, lambda event: problems.append(event.problem))
        await until(lambda: desk.accepted)
        kept = await desk.database.read(lambda connection: leases.recent(connection, 10))
    assert [lease.lease_id for lease in desk.accepted] == [lease.lease_id for lease in kept] == ["lease-good"]
    reasons = [asked.json()["reason"] for asked in market.asked_for("/decline")]
    told = [*problems, *reasons]
    assert word in " ".join(told)
    assert all(is_one_sentence(text) for text in problems)
    assert not market.asked_for("/accept")


async def test_the_same_offer_again_is_not_taken_twice(market: HostileMarket, tmp_path: Path) -> None:
    market.offers = [offer(), offer({"fence": 7}), offer({"price_per_hour": money(900_000)}), offer(None, "lease-2")]
    async with desk_of(market, tmp_path) as desk:
        await until(lambda: len(desk.accepted) == 2)
    assert [lease.lease_id for lease in desk.accepted] == ["lease-1", "lease-2"]
    assert desk.accepted[0].offer.fence == 1


async def test_a_simulated_card_is_not_sold_to_a_market_elsewhere_that_calls_itself_local(
    market: HostileMarket, tmp_path: Path
) -> None:
    async with desk_of(market, tmp_path) as desk:
        await until(lambda: desk.link.status.is_connected)
        assert desk.link.is_local
        assert desk.link.offerable(desk.bench.gpus[GPU_ID]).is_yes
        elsewhere = HttpMarket("https://market.example", Identity.generate(), SystemClock())
        elsewhere._meta = desk.link.market.meta  # it says the same of itself
        link = MarketLink(
            elsewhere.url, elsewhere, desk.bench, desk.database, busy=list, accepted=lambda *_: pytest.fail("accepted")
        )
        assert not link.is_local
        assert "simulated" in link.offerable(desk.bench.gpus[GPU_ID]).reason
        await elsewhere.close()


async def test_a_name_that_steers_is_shown_as_plain_words(market: HostileMarket, tmp_path: Path) -> None:
    market.meta = {"name": "Good\x1b]0;owned\x07\nmarket" + "x" * 10_000}
    async with desk_of(market, tmp_path) as desk:
        await until(lambda: desk.link.status.is_connected)
    assert desk.link.status.name.isprintable()
    assert len(desk.link.status.name) <= 60


async def test_a_flood_of_useless_offers_is_slowed_down(market: HostileMarket, tmp_path: Path) -> None:
    """What is always declined costs this machine neither its processor nor its disk."""
    waits: list[float] = []

    class Watching(HastyClock):
        async def sleep(self, seconds: float) -> None:
            waits.append(seconds)
            await super().sleep(seconds)

    market.offers = [offer({"gpu_ids": []}, f"lease-{number}") for number in range(12)]
    async with desk_of(market, tmp_path) as desk:
        desk.bench.clock = Watching()
        await until(lambda: len(market.asked_for("/decline")) == 12)
        await until(lambda: len(waits) >= 12)
    assert waits[0] < 0.1
    assert waits[-1] == 5
