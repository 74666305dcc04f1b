"""What a span of time brought, from the postings alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.posting import Posting, Transaction
from argentum_desktop.ledger.settlement import ELECTRICITY, FEE, INCOME


@dataclass(frozen=True)
class Totals:
    """`net` is what stays with the owner: gross less the market's fee and the electricity.

    Attributes:
        electricity: what the measured energy cost at the owner's tariff.
        energy_mj: millijoules the cards used for jobs (1 kWh is 3.6e9).
        carbon_mg: milligrams of CO₂e emitted for `carbon_mj` of them; for the rest it is not known.
    """

    gross: Money
    fee: Money
    electricity: Money
    energy_mj: int = 0
    carbon_mg: int = 0
    carbon_mj: int = 0

    @property
    def net(self) -> Money:
        return self.gross - self.fee - self.electricity

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.gross + other.gross,
            self.fee + other.fee,
            self.electricity + other.electricity,
            self.energy_mj + other.energy_mj,
            self.carbon_mg + other.carbon_mg,
            self.carbon_mj + other.carbon_mj,
        )

    @classmethod
    def zero(cls, currency: str) -> Totals:
        nothing = Money.zero(currency)
        return cls(nothing, nothing, nothing)


@dataclass(frozen=True)
class DayEarnings:
    """One day in the owner's zone."""

    day: date
    totals: Totals


@dataclass(frozen=True)
class DayEnergy:
    """What was posted on one day in the owner's zone, in every currency; see `Totals` for the figures."""

    day: date
    energy_mj: int
    carbon_mg: int
    carbon_mj: int


def totals(transactions: Iterable[Transaction], currency: str) -> Totals:
    """What was posted in one currency, summed up. The energy goes with the currency in which it is paid."""
    result, nothing = Totals.zero(currency), Money.zero(currency)
    for transaction in transactions:
        amounts = {posting.account: posting.amount for posting in transaction.postings if _is_in(posting, currency)}
        result += Totals(
            gross=-amounts.get(INCOME, nothing),
            fee=amounts.get(FEE, nothing),
            electricity=amounts.get(ELECTRICITY, nothing),
            energy_mj=transaction.energy_mj if ELECTRICITY in amounts else 0,
            carbon_mg=(transaction.carbon_mg or 0) if ELECTRICITY in amounts else 0,
            carbon_mj=transaction.energy_mj if ELECTRICITY in amounts and transaction.carbon_mg is not None else 0,
        )
    return result


def _is_in(posting: Posting, currency: str) -> bool:
    return posting.amount.currency == currency


def by_day(
    transactions: Iterable[Transaction], zone: ZoneInfo, last: date, days: int, currency: str
) -> tuple[DayEarnings, ...]:
    """One entry for each of the `days` days that end with `last`, in the owner's zone, quiet days included."""
    per_day: dict[date, list[Transaction]] = {last - timedelta(days=back): [] for back in range(days - 1, -1, -1)}
    for transaction in transactions:
        day = transaction.posted_at.astimezone(zone).date()
        if day in per_day:
            per_day[day].append(transaction)
    return tuple(DayEarnings(day, totals(entries, currency)) for day, entries in per_day.items())


def energy_by_day(transactions: Iterable[Transaction], zone: ZoneInfo) -> tuple[DayEnergy, ...]:
    """One entry for each day on which something was posted, oldest first."""
    per_day: dict[date, list[Transaction]] = {}
    for transaction in transactions:
        per_day.setdefault(transaction.posted_at.astimezone(zone).date(), []).append(transaction)
    return tuple(
        DayEnergy(
            day,
            sum(entry.energy_mj for entry in entries),
            sum(entry.carbon_mg or 0 for entry in entries),
            sum(entry.energy_mj for entry in entries if entry.carbon_mg is not None),
        )
        for day, entries in sorted(per_day.items())
    )
