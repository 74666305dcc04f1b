"""Work offered to us, before anybody agreed to anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.job import JobSpec
from argentum_desktop.domain.money import Money

PPM = 1_000_000
LONGEST_JOB_S = 720 * 3600


@dataclass(frozen=True)
class Offer:
    """A market's proposal: this job, on these cards, for this price, if you accept in time.

    Attributes:
        fence: how often this job has been granted, this time included; a lease with a lower fence is void.
        fee_ppm: the market's share of the price, in millionths.

    Raises:
        ValueError: a figure that no honest offer has.
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

    @property
    def counted_s(self) -> int:
        """How long the job is reckoned to take: no owner may allow more, and a market may name any number."""
        return min(self.job.limits.wall_s, LONGEST_JOB_S)

    def __post_init__(self) -> None:
        if self.price_per_hour.micros < 0:
            raise ValueError("price_per_hour must not be negative")
        if not 0 <= self.fee_ppm < PPM:
            raise ValueError(f"fee_ppm must lie between 0 and {PPM - 1}")
        if min(self.fence, self.accept_within_s, self.lease_ttl_s, self.beat_every_s) < 0:
            raise ValueError("fence, accept_within_s, lease_ttl_s and beat_every_s must not be negative")
