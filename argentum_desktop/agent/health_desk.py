"""Everything about the health of the cards, put together: checks, errors in jobs, days, passports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.card_errors import CardErrors
from argentum_desktop.agent.checkup_journal import CheckupJournal
from argentum_desktop.agent.checkup_tools import CheckTools, Hurry
from argentum_desktop.agent.checkups import Checkups
from argentum_desktop.agent.day_writer import CardHistory, DayWriter
from argentum_desktop.agent.known_markets import KnownMarkets
from argentum_desktop.agent.loops import Loops
from argentum_desktop.agent.market_witness import MarketWitness
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.passports import FindIdentity, Passports
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import PassportError
from argentum_desktop.marketplace.market import Market
from argentum_desktop.store.database import Database


@dataclass(frozen=True)
class HealthParts:
    """What the health of the cards is looked after with.

    Attributes:
        find_identity: the key of this device, with which passports are signed.
    """

    database: Database
    find_identity: FindIdentity
    history: CardHistory
    tools: CheckTools


class HealthDesk:
    """See the modules that it connects.

    Args:
        busy: the leases whose cards are not free.
        changed: told when a card begins or ends to be checked.
        markets: those that are connected.
    """

    def __init__(
        self,
        bench: Bench,
        notices: NoticeBoard,
        parts: HealthParts,
        sampler: Hurry,
        busy: Callable[[], Sequence[Lease]],
        changed: Callable[[], None],
        markets: Callable[[], Sequence[Market]],
    ) -> None:
        self._bench = bench
        self._journal = CheckupJournal(parts.database)
        self.passports = Passports(parts.database, parts.find_identity, bench)
        self.checkups = Checkups(
            bench,
            notices,
            self.passports,
            self._journal,
            parts.tools,
            sampler,
            parts.history,
            busy,
            changed,
            MarketWitness(markets),
        )
        self._known_markets = KnownMarkets(parts.database, bench.events, markets)
        self._days = DayWriter(bench, self.passports, parts.history)
        CardErrors(bench, busy, self.checkups.want)

    async def open(self, loops: Loops) -> None:
        """Read what an earlier run left, and begin.

        Raises:
            StoreError: the database cannot be read.
        """
        await self.passports.load()
        await self._journal.load()
        loops.start(self.passports.certify_all)
        loops.start(self.checkups.run)
        loops.start(self._days.run)
        loops.start(self._known_markets.run)

    async def note_repair(self, gpu_id: str, words: str) -> None:
        """Write down what was done to a card.

        Raises:
            PassportError: there is no such card, no words, or too many.
        """
        await self.passports.add_repair(self._card(gpu_id), words)

    def _card(self, gpu_id: str) -> Gpu:
        gpu = self._bench.gpus.get(gpu_id)
        if gpu is None:
            raise PassportError(f"There is no card {gpu_id} in this computer.", "argentum-desktop gpus lists them.")
        return gpu
