"""What a finished lease came to."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.money import Money


@dataclass(frozen=True)
class Receipt:
    """The market's settlement of one lease: what was billed, at which price, and what it pays.

    `gross` is the price of `billable_s`; `fee` the market's share of it; the owner gets the rest.
    """

    lease_id: str
    job_id: str
    outcome: Outcome
    billable_s: int
    price_per_hour: Money
    gross: Money
    fee: Money

    @property
    def net(self) -> Money:
        return self.gross - self.fee
