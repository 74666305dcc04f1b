from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from market_stand import CARD, ManualClock, ask, market_stand

from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import MarketUnreachableError
from argentum_desktop.events import EventBus
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.feed import MarketConnected, MarketLost, OfferFeed


class Watched:
    """A market whose claims can be seen and whose connection can be cut."""

    def __init__(self, market: object) -> None:
        self._market = market
        self.claims: list[wire.Claim] = []
        self.cut = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._market, name)

    async def claim(self, claim: wire.Claim) -> Offer | None:
        self.claims.append(claim)
        if self.cut:
            self.cut -= 1
            raise MarketUnreachableError("The cable is out.")
        return await self._market.claim(claim)  # type: ignore[attr-defined]


def feed_of(
    market: Watched, asks: list[wire.Ask], events: EventBus, cards: tuple[wire.Card, ...] | list[wire.Card] = (CARD,)
) -> OfferFeed:
    numbers = itertools.count(1)

    async def next_key() -> str:
        return f"claim-key-{next(numbers)}"

    return OfferFeed(
        market,  # type: ignore[arg-type]
        events,
        ManualClock(),
        asks=lambda: asks,
        held_leases=list,
        inventory=lambda: wire.Inventory(tuple(cards), "test"),
        next_claim_key=next_key,
        wait_s=20,
    )


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_one_question_lives_until_its_offer_has_come(tmp_path: Path) -> None:
    async with market_stand(tmp_path) as stand:
        market, asks, events = Watched(stand.provider), [ask()], EventBus()
        told: list[object] = []
        events.subscribe(MarketConnected, told.append)
        events.subscribe(MarketLost, told.append)
        feed = feed_of(market, asks, events)
        offers = feed.offers()
        market.cut = 2
        coming = asyncio.ensure_future(anext(offers))
        await until(lambda: len(market.claims) == 3)
        assert [type(event) for event in told] == [
            MarketConnected,
            MarketLost,
            MarketConnected,
            MarketLost,
            MarketConnected,
        ]
        # The same asks do not break the poll off; other asks do, and the question keeps its key.
        feed.asks_changed()
        await asyncio.sleep(0.05)
        assert len(market.claims) == 3
        asks[0] = ask(floor=50_000)
        feed.asks_changed()
        await until(lambda: len(market.claims) == 4)
        await stand.submit()
        offer = await coming
        assert {claim.claim_key for claim in market.claims} == {"claim-key-1"}
        again = asyncio.ensure_future(anext(offers))
        await until(lambda: len(market.claims) == 5)
        assert market.claims[-1].claim_key == "claim-key-2"
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        assert offer.fence == 1


async def test_cards_that_changed_are_declared_at_once_by_the_same_question(tmp_path: Path) -> None:
    async with market_stand(tmp_path) as stand:
        market, cards = Watched(stand.provider), [CARD]
        feed = feed_of(market, [ask()], EventBus(), cards)
        coming = asyncio.ensure_future(anext(feed.offers()))
        await until(lambda: len(market.claims) == 1)
        cards[0] = replace(CARD, name="Renamed")
        feed.asks_changed()
        await until(lambda: len(market.claims) == 2)
        assert market.claims[0] == market.claims[1]
        async with asyncio.timeout(5):  # the question is on its way, and a card is shown while its question waits
            while [card.name for card in (await stand.buyer.cards()).cards] != ["Renamed"]:
                await asyncio.sleep(0.01)
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def test_nothing_is_asked_while_nothing_is_free(tmp_path: Path) -> None:
    async with market_stand(tmp_path) as stand:
        market, asks = Watched(stand.provider), []
        feed = feed_of(market, asks, EventBus())
        coming = asyncio.ensure_future(anext(feed.offers()))
        await asyncio.sleep(0.05)
        assert market.claims == []
        await stand.submit()
        asks.append(ask())
        feed.asks_changed()
        async with asyncio.timeout(5):
            assert (await coming).gpu_ids == ("GPU-1",)


async def test_an_offer_made_while_the_poll_was_broken_off_is_not_lost(tmp_path: Path) -> None:
    async with market_stand(tmp_path) as stand:
        await stand.submit()
        poll = asyncio.create_task(stand.provider.claim(wire.Claim("claim-key-1", (ask(),), (), 20)))
        async with asyncio.timeout(5):
            while not await stand.storage.run(lambda work: work.live_leases()):
                await asyncio.sleep(0)
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)
        coming = feed_of(Watched(stand.provider), [ask()], EventBus()).offers()
        async with asyncio.timeout(5):
            assert (await anext(coming)).fence == 1


@pytest.mark.parametrize("kind", [MarketConnected, MarketLost])
def test_events_are_values(kind: type) -> None:
    assert kind("http://x", "words") == kind("http://x", "words")
