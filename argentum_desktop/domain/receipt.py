"""What a finished lease came to."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.job import Outcome
from argentum_desktop.domain.money import Money


@dataclass(frozen=True)
class Receipt:
    """The market's settlement of one lease: what was billed, at which price, and what it pays.

    `gross` is the price of `billable_s`; `fee` the market's share of it; the owner gets the rest.

    Raises:
        ValueError: it would take from the owner, or speaks of two currencies.
    """

    lease_id: str
    job_id: str
    outcome: Outcome
    billable_s: int
    price_per_hour: Money
    gross: Money
    fee: Money

    def __post_init__(self) -> None:
        if len({amount.currency for amount in (self.price_per_hour, self.gross, self.fee)}) != 1:
            raise ValueError("a receipt must be in one currency")
        if self.billable_s < 0 or self.price_per_hour.micros < 0 or not 0 <= self.fee.micros <= self.gross.micros:
            raise ValueError("a receipt's time, price, gross and fee must not be negative, nor its fee above its gross")

    @property
    def net(self) -> Money:
        return self.gross - self.fee
