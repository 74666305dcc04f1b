"""What was earned, kept at hand for the status and read anew when a job settles or a day begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.ledger.earnings import DayEarnings, Totals, by_day
from argentum_desktop.store import ledger
from argentum_desktop.store.database import Database

WEEK_DAYS = 7
RECENT_LEASES = 500


class Income:
    """Figures from the ledger."""

    def __init__(self, database: Database, bench: Bench) -> None:
        self._database = database
        self._bench = bench
        self.today = Totals.zero(self._currency)
        self.week = Totals.zero(self._currency)
        self.per_card: dict[str, Money] = {}

    async def refresh(self) -> None:
        """Read the last seven days, today included, and what each card brought today."""
        days = await self.days(WEEK_DAYS)
        self.today = days[-1].totals
        self.week = sum((day.totals for day in days), Totals.zero(self._currency))
        self.per_card = await self._per_card()

    async def days(self, count: int) -> Sequence[DayEarnings]:
        """One entry per day of the last `count`, in the owner's zone, today last."""
        now = self._bench.clock.now()
        today = now.astimezone(self._bench.zone).date()
        first = datetime.combine(today - timedelta(days=count - 1), time(0), self._bench.zone).astimezone(UTC)
        found = await self.transactions(first, now + timedelta(seconds=1))
        return by_day(found, self._bench.zone, today, count, self._currency)

    async def transactions(self, start: datetime, end: datetime) -> list[Transaction]:
        return await self._database.read(lambda connection: ledger.between(connection, start, end))

    async def _per_card(self) -> dict[str, Money]:
        today = self._bench.clock.now().astimezone(self._bench.zone).date()
        earned: dict[str, Money] = {}
        for lease in await self._bench.book.recent(RECENT_LEASES):
            at, receipt = lease.ended_at, lease.receipt
            if receipt is None or at is None or at.astimezone(self._bench.zone).date() != today:
                continue
            for gpu_id in lease.gpu_ids:
                share = receipt.net.scaled(1, len(lease.gpu_ids))
                earned[gpu_id] = earned.get(gpu_id, Money.zero(share.currency)) + share
        return earned

    @property
    def _currency(self) -> str:
        return self._bench.settings.prices.currency
