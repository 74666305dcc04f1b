"""What the market remembers, one class a table. Instants are whole microseconds since 1970, UTC."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.domain.job import Limits, Outcome
from argentum_desktop.marketplace.wire import JobPhase, LeaseState, Role

SECOND_US = 1_000_000
LIVE = (LeaseState.OFFERED, LeaseState.ACCEPTED, LeaseState.RUNNING)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AccountRecord:
    """A provider or a buyer."""

    account_id: str
    role: Role
    name: str
    created_us: int


@dataclass(frozen=True)
class KeyRecord:
    """A public key that speaks for an account."""

    key_id: str
    account_id: str
    public_key: str
    created_us: int


@dataclass(frozen=True)
class CardRecord:
    """A card that a provider declared.

    Attributes:
        certificate: of its health, sealed by the provider, as JSON; the four after it are what it says.
    """

    account_id: str
    gpu_id: str
    name: str
    vendor: str
    memory_mib: int
    is_simulated: bool
    certificate: str | None = None
    grade: Grade | None = None
    confidence_percent: int | None = None
    check_mode: CheckMode | None = None
    checked_us: int | None = None


@dataclass(frozen=True)
class JobRecord:
    """A job, with what is needed of its manifest for choosing it beside the whole of it.

    Attributes:
        spec: the manifest as JSON.
        fence: how often it has been granted.
        attempts: how many accepted leases it has lost.
        refusals: how many offers of it were declined or not answered.
        billed_s: the seconds that its ended leases were paid for.
    """

    job_id: str
    buyer_id: str
    spec: bytes
    phase: JobPhase
    price_micros: int
    gpus: int
    vram_mib: int
    cpu_millis: int
    memory_mib: int
    disk_mib: int
    wall_s: int
    submitted_us: int
    idempotency_key: str | None = None
    request_sha256: str = ""
    fence: int = 0
    attempts: int = 0
    refusals: int = 0
    billed_s: int = 0
    cost_micros: int = 0
    cancel_requested: bool = False
    started_us: int | None = None
    ended_us: int | None = None
    exit_code: int | None = None
    reason: str = ""

    @property
    def limits(self) -> Limits:
        return Limits(
            gpus=self.gpus,
            vram_mib=self.vram_mib,
            cpu_millis=self.cpu_millis,
            memory_mib=self.memory_mib,
            disk_mib=self.disk_mib,
            wall_s=self.wall_s,
        )

    @property
    def remaining_s(self) -> int:
        """The seconds that are still paid for: the buyer's limit counts over all attempts together."""
        return max(0, self.wall_s - self.billed_s)


@dataclass(frozen=True)
class LeaseRecord:
    """One grant of one job to one card."""

    lease_id: str
    job_id: str
    provider_id: str
    gpu_id: str
    claim_key: str
    fence: int
    state: LeaseState
    price_micros: int
    fee_ppm: int
    granted_us: int
    expires_us: int
    accepted_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    seq: int = 0
    billable_s: int = 0
    energy_mj: int = 0
    progress_percent: int | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    reason: str = ""
    gross_micros: int = 0
    fee_micros: int = 0

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True)
class OutputRecord:
    """A file that a lease has delivered."""

    lease_id: str
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class ArtifactRecord:
    """A file that a buyer has sent."""

    account_id: str
    sha256: str
    size_bytes: int
    created_us: int


def new_id(kind: str, at_us: int) -> str:
    """An id that sorts by its making and cannot be guessed; plain enough for a container's name."""
    return f"{kind}-{at_us // 1000:011x}{secrets.token_hex(8)}"


def to_us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_us(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
