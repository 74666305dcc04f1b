"""Work offered to us, before anybody agreed to anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.job import JobSpec
from argentum_desktop.domain.money import Money


@dataclass(frozen=True)
class Offer:
    """A market's proposal: this job, on these cards, for this price, if you accept in time.

    Attributes:
        fence: how often this job has been granted, this time included; a lease with a lower fence is void.
        fee_ppm: the market's share of the price, in millionths.
    """

    lease_id: str
    job_id: str
    fence: int
    job: JobSpec
    gpu_ids: tuple[str, ...]
    price_per_hour: Money
    fee_ppm: int
    accept_within_s: int
    lease_ttl_s: int
    beat_every_s: int
    issued_at: datetime
