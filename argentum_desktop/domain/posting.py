"""Double entry: every transaction moves money between accounts and sums to nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.money import Money


@dataclass(frozen=True)
class Posting:
    """One line: positive into the account, negative out of it."""

    account: str
    amount: Money


@dataclass(frozen=True)
class Transaction:
    """Postings that belong together.

    Attributes:
        transaction_id: says what it settles, so that the same thing can never be posted twice.
        energy_mj: the energy behind its electricity, for kilowatt-hours beside the money.
        carbon_mg: milligrams of CO₂e emitted for that energy; None where it is not known.
        energy_words: how the price of the energy and what was emitted for it came about.

    Raises:
        ValueError: the postings do not sum to zero in every currency, or an account stands twice in one.
    """

    transaction_id: str
    posted_at: datetime
    lease_id: str
    description: str
    postings: tuple[Posting, ...]
    energy_mj: int = 0
    carbon_mg: int | None = None
    energy_words: str = ""

    def __post_init__(self) -> None:
        sums: Counter[str] = Counter()
        for posting in self.postings:
            sums[posting.amount.currency] += posting.amount.micros
        if not self.postings or any(sums.values()):
            raise ValueError(f"the postings of {self.transaction_id} do not balance")
        if len({(posting.account, posting.amount.currency) for posting in self.postings}) != len(self.postings):
            raise ValueError(f"the postings of {self.transaction_id} name an account twice")
