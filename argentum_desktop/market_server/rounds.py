"""The rounds in which waiting providers meet queued jobs."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from argentum_desktop.clock import Clock
from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import StoreError
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.leases import grant, offer_of, spare_after_restart, sweep
from argentum_desktop.market_server.matching import AskOf, Bid, match_round, why_waiting
from argentum_desktop.market_server.problems import ProblemError, invalid
from argentum_desktop.market_server.records import JobRecord, to_us
from argentum_desktop.market_server.storage import Storage, Work
from argentum_desktop.marketplace.wire import MAX_CLAIM_WAIT_S, Ask, Claim, JobPhase, JobStatus, ProblemType

log = logging.getLogger(__name__)

BIDS_PER_ROUND = 500
MAX_ASKS = 64
RETRY_SOON_S = 5
SEEN_FOR_S = 600
_CLAIM_KEY_LENGTHS = range(8, 101)


@dataclass
class _Waiter:
    """A provider whose long poll is open.

    Attributes:
        in_round: a lease may be about to be written for it, so nobody else may answer it.
        is_over: it has waited long enough, and is answered when the round ends.
    """

    provider_id: str
    claim: Claim
    number: int
    offer: asyncio.Future[Offer | None]
    in_round: bool = False
    is_over: bool = False


class Rounds:
    """Holds the open claims of this process and answers them as jobs come."""

    def __init__(self, storage: Storage, config: MarketConfig, clock: Clock) -> None:
        self._storage = storage
        self._config = config
        self._clock = clock
        self._waiting: dict[str, _Waiter] = {}
        self._numbers = itertools.count()
        self._news = asyncio.Event()
        self._closed = False
        self._store_failed = False
        self._free: list[AskOf] = []
        self._seen: dict[tuple[str, str], tuple[float, AskOf]] = {}

    @property
    def waiting(self) -> int:
        """How many claims are open."""
        return len(self._waiting)

    def something_new(self) -> None:
        """A job was queued or a card came free: do not let it wait for the next tick."""
        self._news.set()

    def note_store_failure(self, error: StoreError) -> None:
        """Something could not be written: until a round has succeeded, nobody is told that a lease is over."""
        if not self._store_failed:
            log.error("nothing can be written: %s", error)
        self._store_failed = True

    def require_store(self) -> None:
        """Refuse what is about leases while nobody could have renewed one.

        Raises:
            ProblemError: come back in a moment.
        """
        if self._store_failed:
            raise ProblemError(ProblemType.MAINTENANCE, "The market cannot write anything down now.", RETRY_SOON_S)

    def asked_lately(self) -> set[tuple[str, str]]:
        """The cards that asked for work in the last minutes, as provider and card."""
        now_s = self._clock.elapsed_s()
        return {card for card, (seen_s, _) in self._seen.items() if now_s - seen_s < SEEN_FOR_S}

    def explained(self, status: JobStatus) -> JobStatus:
        """The same, with why it waits, where it does and nobody has said so yet."""
        if status.phase is not JobPhase.QUEUED or status.reason:
            return status
        bid = Bid(status.job_id, "", 0, status.spec.max_price_per_hour.micros, status.spec.limits)
        seen = [ask for _, ask in self._seen.values()]
        return replace(status, reason=why_waiting(bid, seen, self._free))

    async def claim(self, provider_id: str, claim: Claim) -> Offer | None:
        """Wait for an offer, at most as long as the claim says. The same key finds the same offer.

        Whoever has gone away must be cancelled: an offer to nobody only costs time.
        """
        known = await self._storage.run(lambda work: self._known(work, provider_id, claim))
        if known is not None or self._closed:
            return known
        waiter = _Waiter(provider_id, claim, next(self._numbers), asyncio.get_running_loop().create_future())
        # One poll a provider: an older one is of a connection that it has given up.
        earlier = self._waiting.pop(provider_id, None)
        if earlier is not None and not earlier.offer.done() and not earlier.in_round:
            earlier.offer.set_result(None)
        self._waiting[provider_id] = waiter
        self._news.set()
        try:
            await asyncio.wait({waiter.offer}, timeout=min(max(claim.wait_s, 0), MAX_CLAIM_WAIT_S))
            if not waiter.offer.done() and not waiter.in_round:
                return None
            waiter.is_over = True
            return await waiter.offer
        finally:
            if self._waiting.get(provider_id) is waiter:
                del self._waiting[provider_id]

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Rounds are held as long as this context is open."""
        rounds = asyncio.create_task(self.run())
        try:
            yield
        finally:
            self.close()
            rounds.cancel()
            await asyncio.gather(rounds, return_exceptions=True)

    async def run(self) -> None:
        """One round after another until cancelled; sooner when there is news, never closer than one interval."""
        while True:
            try:
                async with asyncio.timeout(self._config.round_every_s):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            began = self._clock.elapsed_s()
            try:
                await self.round()
                self._store_failed = False
            except StoreError as error:
                self.note_store_failure(error)
            except Exception:
                log.exception("a round failed")
            await self._clock.sleep(max(0.0, self._config.round_every_s - (self._clock.elapsed_s() - began)))

    async def round(self) -> int:
        """End what has expired, then match; returns how many leases were granted."""
        waiters = list(self._waiting.values())
        for waiter in waiters:
            waiter.in_round = True
        offers: dict[str, Offer] = {}
        try:
            offers = await self._storage.run(lambda work: self._match(work, waiters))
        finally:
            for waiter in waiters:
                waiter.in_round = False
                offer = offers.get(waiter.provider_id)
                over = waiter.is_over or self._closed or self._waiting.get(waiter.provider_id) is not waiter
                if (offer is not None or over) and not waiter.offer.done():
                    waiter.offer.set_result(offer)
        return len(offers)

    def close(self) -> None:
        """Answer everybody who waits, so that the server can stop."""
        self._closed = True
        for waiter in self._waiting.values():
            if not waiter.offer.done() and not waiter.in_round:
                waiter.offer.set_result(None)

    def _note_asks(self, asks: list[AskOf]) -> None:
        """Remember for a while what was offered, so that a buyer can be told why a job waits."""
        now_s = self._clock.elapsed_s()
        earlier = {key: seen for key, seen in self._seen.items() if now_s - seen[0] < SEEN_FOR_S}
        # Replaced and never changed, because others read it meanwhile.
        self._seen = earlier | {(ask.provider_id, ask.gpu_id): (now_s, ask) for ask in asks}
        self._free = asks

    def _known(self, work: Work, provider_id: str, claim: Claim) -> Offer | None:
        lease = work.lease_by_claim(provider_id, claim.claim_key)
        if lease is not None:
            return offer_of(work, self._config, lease)
        _check(claim, self._config)
        declared = {card.gpu_id for card in work.cards(provider_id)}
        for ask in claim.asks:
            if ask.gpu_id not in declared:
                raise ProblemError(ProblemType.NOT_ELIGIBLE, "A card must be declared before it is offered.")
        return None

    def _match(self, work: Work, waiters: Sequence[_Waiter]) -> dict[str, Offer]:
        now_us = to_us(self._clock.now())
        if self._store_failed:
            # Nobody could renew anything while nothing could be written.
            spare_after_restart(work, self._config, now_us)
        sweep(work, self._config, now_us)
        asks = [ask for waiter in waiters for ask in _asks_of(work, waiter)]
        self._note_asks(asks)
        if not asks:
            return {}
        refusals = work.refusals(now_us)
        bids = [
            Bid(job.job_id, job.buyer_id, number, job.price_micros, job.limits, refusals.get(job.job_id, frozenset()))
            for number, job in enumerate(work.queued_jobs(_most(asks), BIDS_PER_ROUND))
        ]
        keys = {waiter.provider_id: waiter.claim.claim_key for waiter in waiters}
        return {
            match.ask.provider_id: grant(work, self._config, match, keys[match.ask.provider_id], now_us)
            for match in match_round(bids, asks)
        }


def _check(claim: Claim, config: MarketConfig) -> None:
    if len(claim.claim_key) not in _CLAIM_KEY_LENGTHS or not claim.claim_key.isascii():
        raise invalid("claim_key must be 8 to 100 ASCII characters")
    if len(claim.asks) > MAX_ASKS or len({ask.gpu_id for ask in claim.asks}) != len(claim.asks):
        raise invalid(f"asks must be at most {MAX_ASKS}, one a card")
    for ask in claim.asks:
        if ask.floor_per_hour.currency != config.currency:
            raise invalid(f"This market pays in {config.currency}, not in {ask.floor_per_hour.currency}.")
        if min(ask.floor_per_hour.micros, *_most_of(ask)) < 0:
            raise invalid("nothing in an ask can be negative")


def _most_of(ask: Ask) -> tuple[int, int, int, int]:
    return ask.max_wall_s, ask.max_memory_mib, ask.max_cpu_millis, ask.max_disk_mib


def _asks_of(work: Work, waiter: _Waiter) -> list[AskOf]:
    """What one provider has free, by its own word and by ours."""
    if work.lease_by_claim(waiter.provider_id, waiter.claim.claim_key) is not None:
        return []
    cards = {card.gpu_id: card for card in work.cards(waiter.provider_id)}
    busy = work.busy_cards(waiter.provider_id)
    return [
        AskOf(
            waiter.provider_id,
            ask.gpu_id,
            waiter.number,
            ask.floor_per_hour.micros,
            cards[ask.gpu_id].memory_mib,
            *_most_of(ask),
        )
        for ask in waiter.claim.asks
        if ask.gpu_id in cards and ask.gpu_id not in busy
    ]


def _most(asks: Sequence[AskOf]) -> JobRecord:
    """The largest job that any of these cards could carry, at the lowest price that any of them takes."""
    return JobRecord(
        job_id="",
        buyer_id="",
        spec=b"",
        phase=JobPhase.QUEUED,
        price_micros=min(ask.floor_micros for ask in asks),
        gpus=1,
        vram_mib=max(ask.memory_mib_of_card for ask in asks),
        cpu_millis=max(ask.max_cpu_millis for ask in asks),
        memory_mib=max(ask.max_memory_mib for ask in asks),
        disk_mib=max(ask.max_disk_mib for ask in asks),
        wall_s=max(ask.max_wall_s for ask in asks),
        submitted_us=0,
    )
