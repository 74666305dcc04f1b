"""Certificates at the market: kept when they are this card's and its owner's, left out with words otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from market_stand import CARD, Stand, ask, claim, market_stand
from samples import NOON

from argentum_desktop.domain.health import CheckMode, CheckVerdict, Grade
from argentum_desktop.domain.passport import Certificate, CertifiedCheck, card_digest
from argentum_desktop.identity.canonical import canonical_json
from argentum_desktop.identity.keys import Identity
from argentum_desktop.identity.sealed import seal
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.client import HttpMarket
from argentum_desktop.marketplace.codec import encode

MADE = Certificate(
    card_digest=card_digest(CARD.gpu_id, "salt"),
    salt="salt",
    name=CARD.name,
    vendor=CARD.vendor,
    is_simulated=True,
    report_id="r1",
    app_version="1",
    mode=CheckMode.FULL,
    checked_at=NOON - timedelta(days=1),
    grade=Grade.B,
    confidence_percent=81,
    reason="Nothing wrong was found.",
    entries=2,
    head_sha256="0" * 64,
    opened_at=NOON - timedelta(days=9),
    score=78,
    checks=(CertifiedCheck("memory.errors", CheckVerdict.PASS, 0, "count"),),
)


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with market_stand(tmp_path) as made:
        yield made


def sealed(stand: Stand, *, by: Identity | None = None, **changes: Any) -> dict[str, Any]:
    return seal(msgspec.to_builtins(replace(MADE, **changes)), by or identity_of(stand.provider))


def identity_of(market: HttpMarket) -> Identity:
    return market._http.identity


async def declared(stand: Stand, certificate: Any, card: wire.Card = CARD) -> wire.Declared:
    inventory = wire.Inventory((replace(card, certificate=certificate),), "test")
    return await stand.provider._call("PUT", "/v1/inventory", wire.Declared, inventory)


async def listed(stand: Stand, asks: tuple[wire.Ask, ...] = (ask(),)) -> tuple[wire.ListedCard, ...]:
    """What a buyer sees once the cards have asked for work."""
    asking = asyncio.create_task(stand.provider.claim(wire.Claim("claim-key-0", asks, (), 5)))
    async with asyncio.timeout(5):
        while not (found := (await stand.buyer.cards()).cards):
            await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    return found


async def test_a_buyer_sees_what_a_card_is_and_how_it_was_found(stand: Stand) -> None:
    certificate = sealed(stand)
    assert await declared(stand, certificate) == wire.Declared()
    (card,) = await listed(stand)
    assert card.health == wire.CardHealth(Grade.B, 81, CheckMode.FULL, MADE.checked_at)
    assert canonical_json(card.certificate) == canonical_json(certificate)
    assert CARD.gpu_id.encode() not in encode(card)


async def test_the_health_of_the_card_stands_with_the_job(stand: Stand) -> None:
    await declared(stand, sealed(stand))
    job = await stand.submit()
    assert job.card_health is None
    offer = await stand.provider.claim(claim())
    assert offer is not None
    await stand.provider.accept(offer)
    found = (await stand.buyer.job(job.job_id)).card_health
    assert found is not None
    assert found.grade is Grade.B


async def test_a_card_without_a_certificate_is_listed_after_those_with_one(stand: Stand) -> None:
    other = replace(CARD, gpu_id="GPU-2", name="Another")
    certificate = sealed(stand)
    await stand.provider.declare(wire.Inventory((other, replace(CARD, certificate=certificate)), "test"))
    cards = await listed(stand, (ask(gpu_id="GPU-2"), ask(gpu_id="GPU-1")))
    assert [card.name for card in cards] == [CARD.name, "Another"]


async def test_a_new_certificate_takes_the_place_of_the_old(stand: Stand) -> None:
    await declared(stand, sealed(stand))
    await declared(stand, sealed(stand, grade=Grade.F, score=None))
    assert [card.health and card.health.grade for card in await listed(stand)] == [Grade.F]
    await declared(stand, None)
    assert [card.health for card in await listed(stand)] == [None]


def broken(certificate: dict[str, Any]) -> dict[str, Any]:
    return {**certificate, "payload": {**certificate["payload"], "grade": "A"}}


def deep(_: Any) -> Any:
    found: Any = "deep"
    for _ in range(60):
        found = {"a": [found]}
    return found


HOSTILE: list[tuple[str, Callable[[Stand], Any], str]] = [
    ("another's key", lambda stand: sealed(stand, by=Identity.generate()), "sealed with another key"),
    ("changed", lambda stand: broken(sealed(stand)), "seal is broken"),
    ("another card", lambda stand: sealed(stand, card_digest=card_digest("GPU-2", "salt")), "of another card"),
    ("a real card", lambda stand: sealed(stand, is_simulated=False), "simulated"),
    ("of tomorrow", lambda stand: sealed(stand, checked_at=NOON + timedelta(hours=1)), "not made yet"),
    ("before time", lambda stand: sealed(stand, checked_at=NOON.replace(year=1950)), "before there were"),
    ("too sure", lambda stand: sealed(stand, confidence_percent=101), "no share of 100"),
    ("too large", lambda stand: sealed(stand, reason="x" * 9000), "larger than 8 KiB"),
    ("of another form", lambda stand: sealed(stand, schema="argentum.gpu-certificate/9"), "form that is not known"),
    ("no certificate", lambda stand: seal({"a": 1}, identity_of(stand.provider)), "not a certificate"),
    ("no seal", lambda _: {"grade": "A"}, "not sealed"),
    ("a salt that is no text", lambda stand: {**sealed(stand), "public_key": 5}, "key"),
    ("deep", deep, "not sealed"),
    ("a fraction", lambda stand: {**sealed(stand), "payload": {"a": 0.5}}, "no canonical form"),
]


@pytest.mark.parametrize(("make", "words"), [entry[1:] for entry in HOSTILE], ids=[entry[0] for entry in HOSTILE])
async def test_a_bad_certificate_is_left_out_and_the_card_offered(
    stand: Stand, make: Callable[[Stand], Any], words: str
) -> None:
    answer = await declared(stand, make(stand))
    (note,) = answer.notes
    assert note.startswith("The health certificate of GPU-1 was left out: ")
    assert words in note
    (card,) = await listed(stand)
    assert (card.health, card.certificate) == (None, None)


async def test_what_the_market_left_out_is_told_in_the_log(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await stand.provider.declare(wire.Inventory((replace(CARD, certificate={"a": 1}),), "test"))
    assert "The health certificate of GPU-1 was left out" in caplog.text


async def test_only_who_has_an_account_sees_the_cards(stand: Stand) -> None:
    with pytest.raises(Exception, match="key"):
        await stand.provider_beside()._call("GET", "/v1/cards", wire.CardList)
