"""The right and the duty to run one job, for as long as it is renewed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from argentum_desktop.domain.job import JobSpec, JobState, Outcome
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer


@dataclass(frozen=True)
class Usage:
    """What a lease has used since it started; every figure only ever grows."""

    billable_s: int = 0
    energy_mj: int = 0


@dataclass(frozen=True)
class Lease:
    """One accepted offer and how far this machine got with it. The store keeps one row of this per lease.

    Attributes:
        market: the market's base address, which is also its name in the ledger.
        ending: why it is being ended or was, in words; empty while nobody wants it to end.
    """

    market: str
    offer: Offer
    state: JobState
    accepted_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    ending: str = ""
    usage: Usage = field(default_factory=Usage)
    log_offset: int = 0

    @property
    def lease_id(self) -> str:
        return self.offer.lease_id

    @property
    def job(self) -> JobSpec:
        return self.offer.job

    @property
    def price_per_hour(self) -> Money:
        return self.offer.price_per_hour

    @property
    def container_name(self) -> str:
        """The same for ever, so that a restarted application finds its container again."""
        return f"argentum-{self.lease_id}"
