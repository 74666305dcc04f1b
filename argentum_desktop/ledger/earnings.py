"""What a span of time brought, from the postings alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from argentum_desktop.domain.money import Money


@dataclass(frozen=True)
class Totals:
    """`net` is what stays with the owner: gross less the market's fee and the electricity.

    Attributes:
        electricity: what the measured energy cost at the owner's tariff.
        energy_mj: millijoules the cards used for jobs (1 kWh is 3.6e9).
    """

    gross: Money
    fee: Money
    electricity: Money
    energy_mj: int = 0

    @property
    def net(self) -> Money:
        return self.gross - self.fee - self.electricity

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.gross + other.gross,
            self.fee + other.fee,
            self.electricity + other.electricity,
            self.energy_mj + other.energy_mj,
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
