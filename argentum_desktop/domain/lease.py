"""The right and the duty to run one job, for as long as it is renewed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from argentum_desktop.domain.energy import EnergyBill
from argentum_desktop.domain.job import Artifact, JobSpec, JobState, Outcome
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.domain.receipt import Receipt


@dataclass(frozen=True)
class Usage:
    """What a lease has used since it started; every figure only ever grows."""

    billable_s: int = 0
    energy_mj: int = 0


@dataclass(frozen=True)
class Lease:
    """One accepted offer and how far this machine got with it. The store keeps one row of this per lease.

    Attributes:
        market: the market's name in the ledger: its address, or `local` for the one of this computer.
        renewed_at: when the last beat that the market took was sent.
        frozen_at: since when the owner has it frozen; None while it is not.
        frozen_s: how long it was frozen before; those seconds are not billed.
        outcome: how it ended, or is to end once that is decided.
        reason: why it ended so, in words; empty while nobody wants it to end.
        image_id: the engine's name for the loaded image, empty until it is loaded.
        log_offset: how many bytes of the job's log the market has.
        bill: what its energy came to, once it is settled.
    """

    market: str
    offer: Offer
    state: JobState
    accepted_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    reason: str = ""
    renewed_at: datetime | None = None
    beat_seq: int = 0
    usage: Usage = field(default_factory=Usage)
    frozen_at: datetime | None = None
    frozen_s: int = 0
    image_id: str = ""
    outputs: tuple[Artifact, ...] = ()
    log_offset: int = 0
    receipt: Receipt | None = None
    bill: EnergyBill | None = None

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
    def gpu_ids(self) -> tuple[str, ...]:
        return self.offer.gpu_ids

    @property
    def container_name(self) -> str:
        """The same for ever, so that a restarted application finds its container again."""
        return f"argentum-{self.lease_id}"
