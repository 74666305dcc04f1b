"""The stream of offers from one market: one long poll after another, for all free cards at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from argentum_desktop.clock import Clock
from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import MarketError
from argentum_desktop.events import EventBus
from argentum_desktop.marketplace.market import Market
from argentum_desktop.marketplace.retry import Backoff
from argentum_desktop.marketplace.wire import MAX_CLAIM_WAIT_S, Ask, Claim, Inventory


@dataclass(frozen=True)
class MarketConnected:
    """The market answers."""

    url: str
    name: str


@dataclass(frozen=True)
class MarketLost:
    """The market cannot be used now; it is asked again.

    Attributes:
        problem: why, in words for the owner.
    """

    url: str
    problem: str


class OfferFeed:
    """Keeps connected, enrolled and asking.

    The caller keeps `next_claim_key` journaled: it returns the key of the last question when that was never answered
    (so that an offer made while we were dead is found again), a new one otherwise. One key lives until an offer has
    come for it, over lost connections and changed asks alike: a poll may be broken off, the question never is.
    """

    def __init__(
        self,
        market: Market,
        events: EventBus,
        clock: Clock,
        *,
        asks: Callable[[], Sequence[Ask]],
        held_leases: Callable[[], Sequence[str]],
        inventory: Callable[[], Inventory],
        next_claim_key: Callable[[], Awaitable[str]],
        wait_s: int = MAX_CLAIM_WAIT_S,
        backoff: Backoff | None = None,
    ) -> None:
        self._market = market
        self._events = events
        self._clock = clock
        self._asks = asks
        self._held_leases = held_leases
        self._inventory = inventory
        self._next_claim_key = next_claim_key
        self._wait_s = wait_s
        self._backoff = backoff or Backoff()
        self._changed = asyncio.Event()
        self._declared: Inventory | None = None
        self._connected = False

    def asks_changed(self) -> None:
        """Tell that `asks`, or the cards themselves, are not what they were; call on the service's thread."""
        self._changed.set()

    async def offers(self) -> AsyncIterator[Offer]:
        """Every offer that comes, for ever. The caller has journaled an offer before it asks for the next."""
        key: str | None = None
        while True:
            try:
                await self._ensure_connected()
                self._changed.clear()
                asks = tuple(self._asks())
                if not asks:
                    await self._changed.wait()
                    continue
                key = key or await self._next_claim_key()
                offer = await self._poll(Claim(key, asks, tuple(self._held_leases()), self._wait_s))
                self._backoff.reset()
            except MarketError as error:
                await self._lost(error)
                continue
            if offer is not None:
                key = None
                yield offer

    async def _ensure_connected(self) -> None:
        if not self._connected:
            meta = await self._market.connect()
            self._declared = None
            self._connected = True
            self._events.publish(MarketConnected(self._market.url, meta.name))
        inventory = self._inventory()
        if inventory != self._declared:
            await self._market.declare(inventory)
            self._declared = inventory

    async def _poll(self, claim: Claim) -> Offer | None:
        """Wait for an offer, or until asks or cards are not what they were."""
        poll = asyncio.ensure_future(self._market.claim(claim))
        changed = asyncio.ensure_future(self._changed_from(claim))
        try:
            await asyncio.wait({poll, changed}, return_when=asyncio.FIRST_COMPLETED)
            return await poll if poll.done() else None
        finally:
            for task in (poll, changed):
                task.cancel()
            await asyncio.gather(poll, changed, return_exceptions=True)

    async def _changed_from(self, claim: Claim) -> None:
        while True:
            await self._changed.wait()
            if tuple(self._asks()) != claim.asks or self._inventory() != self._declared:
                return
            self._changed.clear()

    async def _lost(self, error: MarketError) -> None:
        self._connected = False
        self._events.publish(MarketLost(self._market.url, str(error)))
        await self._clock.sleep(self._backoff.delay_s(error))
