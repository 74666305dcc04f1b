"""One market, seen from the agent: what we ask there, and what we say to its offers."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from sqlite3 import Connection

from argentum_desktop import __version__
from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.deciding import CardDesk, decide_on, record_of
from argentum_desktop.agent.status import CONNECTING, MarketStatus
from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.decision_record import DecisionRecord
from argentum_desktop.domain.gpu import Gpu, GpuState
from argentum_desktop.domain.job import MIB, JobState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.offer import Offer
from argentum_desktop.domain.passport import LARGEST_CERTIFICATE_BYTES
from argentum_desktop.errors import MarketError
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.errors import plain_words
from argentum_desktop.marketplace.feed import MarketConnected, MarketLost, OfferFeed
from argentum_desktop.marketplace.market import Market
from argentum_desktop.marketplace.transport import is_on_this_computer
from argentum_desktop.policy.asking import price_to_ask
from argentum_desktop.policy.evaluate import capacity
from argentum_desktop.store import program_state
from argentum_desktop.store.database import Database

log = logging.getLogger(__name__)

# A window that closes soon shortens what we ask for; in steps, because every change breaks off a poll.
WALL_STEP_S = 300
LONGEST_NAME = 60
FIRST_DECLINE_PAUSE_S = 0.02
LONGEST_DECLINE_PAUSE_S = 5.0


class MarketLink:
    """Asks one market for work and decides on what it offers.

    Args:
        name: the market's name in the ledger.
        busy: the cards and leases that are at work now.
        accepted: told each lease that was written down as about to be accepted.
    """

    def __init__(
        self,
        name: str,
        market: Market,
        bench: Bench,
        database: Database,
        *,
        busy: Callable[[], Sequence[Lease]],
        accepted: Callable[[Lease, Market], None],
    ) -> None:
        self.name = name
        self.market = market
        self.status = MarketStatus(market.url, market.url, is_local=False, is_connected=False, problem=CONNECTING)
        self._bench = bench
        self._database = database
        self._busy = busy
        self._accepted = accepted
        self._declined = 0
        self._cards = CardDesk(bench)
        self._is_here = is_on_this_computer(market.url)
        self._feed = OfferFeed(
            market,
            bench.events,
            bench.clock,
            asks=self._asks,
            held_leases=lambda: [lease.lease_id for lease in self._busy()],
            inventory=self._inventory,
            next_claim_key=self._claim_key,
        )
        bench.events.subscribe(MarketConnected, self._connected)
        bench.events.subscribe(MarketLost, self._lost)

    async def run(self) -> None:
        """Take offers for ever."""
        async for offer in self._feed.offers():
            await self._consider(offer)

    def look_again(self) -> None:
        """Something that decides what we ask may have changed."""
        self._feed.asks_changed()

    @property
    def fee_ppm(self) -> int:
        return self.market.meta.fee_ppm if self.market.meta else 0

    @property
    def is_local(self) -> bool:
        """Whether it is a market of this computer: by its address and, once it has spoken, by its own word."""
        meta = self.market.meta
        return self._is_here and (meta is None or meta.is_local)

    def offerable(self, gpu: Gpu) -> Decision:
        """Whether this card asks this market for work now; the words for the owner when it does not."""
        meta = self.market.meta
        return self._cards.offerable(
            gpu, market_is_local=self.is_local, market_currency=meta.currency if meta is not None else None
        )

    # -- asking -------------------------------------------------------------------------------------------------------

    def _asks(self) -> list[wire.Ask]:
        busy = {gpu_id for lease in self._busy() for gpu_id in lease.gpu_ids}
        free = [gpu for gpu in self._bench.gpus.values() if gpu.gpu_id not in busy]
        return [self._ask(gpu) for gpu in free if self.offerable(gpu).is_yes]

    def _ask(self, gpu: Gpu) -> wire.Ask:
        at = self._bench.circumstances(gpu, market_is_local=self.is_local)
        most = capacity(at)
        return wire.Ask(
            gpu_id=gpu.gpu_id,
            floor_per_hour=price_to_ask(at, self.fee_ppm, most.wall_s),
            max_wall_s=max(1, most.wall_s // WALL_STEP_S * WALL_STEP_S),
            max_memory_mib=most.memory_mib,
            max_cpu_millis=most.cpu_millis,
            max_disk_mib=most.disk_mib,
        )

    def _inventory(self) -> wire.Inventory:
        """The cards this market may know of: those that could work; a simulated one stays at home."""
        known = [
            gpu
            for gpu in self._bench.gpus.values()
            if gpu.state is GpuState.READY and (self.is_local or not gpu.is_simulated)
        ]
        # So many cards that there is no room for all certificates are offered without the last ones.
        most = wire.MAX_JSON_BYTES // 2 // LARGEST_CERTIFICATE_BYTES
        cards = tuple(
            wire.Card(
                gpu_id=gpu.gpu_id,
                name=gpu.name,
                vendor=gpu.vendor,
                memory_mib=(gpu.memory_total_bytes or 0) // MIB,
                is_simulated=gpu.is_simulated,
                certificate=self._bench.certificates.get(gpu.gpu_id) if place < most else None,
            )
            for place, gpu in enumerate(known)
        )
        return wire.Inventory(cards, f"argentum-desktop/{__version__}")

    async def _claim_key(self) -> str:
        """The key of the question that has not been answered yet, across restarts; else a new one."""
        name, new = self._key_name, secrets.token_hex(16)

        def change(connection: Connection) -> str:
            key = program_state.get(connection, name) or new
            program_state.put(connection, name, key)
            return key

        return await self._database.write(change)

    @property
    def _key_name(self) -> str:
        return f"claim:{self.name}"

    # -- deciding -----------------------------------------------------------------------------------------------------

    async def _consider(self, offer: Offer) -> None:
        """Accept or decline. The answer is on disk before the market hears it, and the question is then done with."""
        if await self._bench.book.find(offer.lease_id) is None:
            decision = self._decide(offer)
            if decision.is_yes:
                await self._accept(offer, decision)
            else:
                log.info("declined %s: %s", offer.lease_id, decision.reason)
                await self._bench.book.refuse(self._record(offer, decision))
                await self._decline(offer, decision.reason)
        await self._database.write(lambda connection: program_state.put(connection, self._key_name, None))

    async def _accept(self, offer: Offer, decision: Decision) -> None:
        """While it is written down the cards are nobody else's: neither another market's nor a health check's."""
        now = self._bench.clock.now()
        lease = Lease(self.name, offer, JobState.ACCEPTING, accepted_at=now)
        self._bench.promised.update(offer.gpu_ids)
        try:
            await self._bench.book.open(lease, self._record(offer, decision))
            self._declined = 0
            self._accepted(lease, self.market)
        finally:
            self._bench.promised.difference_update(offer.gpu_ids)

    def _decide(self, offer: Offer) -> Decision:
        busy = {gpu_id for lease in self._busy() for gpu_id in lease.gpu_ids} | self._bench.promised
        return decide_on(offer, self._bench, busy, market_is_local=self.is_local)

    def _record(self, offer: Offer, decision: Decision) -> DecisionRecord:
        return record_of(offer, decision, self._bench, self.name, market_is_local=self.is_local)

    async def _decline(self, offer: Offer, reason: str) -> None:
        try:
            await self.market.decline(offer, reason[:200])
        except MarketError as error:
            # Not worth a second try: an offer that nobody accepts lapses by itself.
            log.info("the market did not hear that %s was declined: %s", offer.lease_id, error)
        # A market that goes on offering what is always declined must not keep this machine and its disk busy.
        await self._bench.clock.sleep(min(LONGEST_DECLINE_PAUSE_S, FIRST_DECLINE_PAUSE_S * 2**self._declined))
        self._declined = min(self._declined + 1, 30)

    # -- connection ---------------------------------------------------------------------------------------------------

    def _connected(self, event: MarketConnected) -> None:
        if event.url == self.market.url:
            name = plain_words(event.name, LONGEST_NAME) or event.url
            self.status = MarketStatus(name, event.url, self.is_local, is_connected=True)

    def _lost(self, event: MarketLost) -> None:
        if event.url == self.market.url:
            self.status = MarketStatus(
                self.status.name, event.url, self.status.is_local, is_connected=False, problem=event.problem
            )
