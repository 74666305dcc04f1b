"""Remembers the key of every market that was connected, so that its witness can be known again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from argentum_desktop.errors import StoreError
from argentum_desktop.events import EventBus
from argentum_desktop.marketplace.errors import plain_words
from argentum_desktop.marketplace.feed import MarketConnected
from argentum_desktop.marketplace.market import Market
from argentum_desktop.store.database import Database
from argentum_desktop.store.known_markets import known_markets, remember

LONGEST_NAME = 60


class KnownMarkets:
    """A market of this computer is left out: nobody is a witness of himself.

    Args:
        markets: those that are connected.
    """

    def __init__(self, database: Database, events: EventBus, markets: Callable[[], Sequence[Market]]) -> None:
        self._database = database
        self._markets = markets
        self._news = asyncio.Event()
        events.subscribe(MarketConnected, lambda _: self._news.set())

    async def run(self) -> None:
        """Write down what is new, whenever a market was connected."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                known = await self._database.read(known_markets)
                for market in self._markets():
                    await self._remember(market, known)
            except StoreError:
                self._news.set()  # it is tried again when the database can be written again
                raise

    async def _remember(self, market: Market, known: dict[str, str]) -> None:
        meta = market.meta
        if meta is None or meta.is_local:
            return
        name, key = plain_words(meta.name, LONGEST_NAME) or market.url, meta.public_key
        if known.get(key) != name:
            await self._database.write(lambda connection: remember(connection, key, name))
