"""The shapes that travel between agent, market and buyer: protocol version 1.

Every body is JSON. Both sides use these types alone, so what one writes the other reads; a reader ignores fields it
does not know, so that either side may be newer. Instants are UTC (RFC 3339), money is whole micro-units with its
ISO 4217 currency, spans are whole seconds.

| call | body → answer |
| --- | --- |
| `GET /v1/meta` | → `Meta` |
| `POST /v1/accounts` | `Enrolment` → `Account` |
| `GET /v1/account` | → `Account` |
| `PUT /v1/inventory` | `Inventory` → `Declared` |
| `GET /v1/cards` | → `CardList` |
| `POST /v1/health/challenges` | `Empty` → `HealthChallenge` |
| `POST /v1/health/witness` | `WitnessCall` → `WitnessStatement` |
| `POST /v1/claims` | `Claim` → `Offer`, or 204 when nothing came in time |
| `POST /v1/leases/{id}/accept` | `LeaseCall` → `LeaseStatus` |
| `POST /v1/leases/{id}/decline` | `Decline` → `LeaseStatus` |
| `POST /v1/leases/{id}/start` | `LeaseCall` → `LeaseStatus` |
| `POST /v1/leases/{id}/heartbeat` | `Heartbeat` → `LeaseStatus` |
| `POST /v1/leases/{id}/complete` | `Completion` → `LeaseStatus` with its receipt |
| `GET /v1/leases/{id}` | → `LeaseStatus` |
| `GET /v1/leases/{id}/artifacts/{sha256}` | → the bytes of the job's image or of one input |
| `PATCH /v1/leases/{id}/log` | bytes, `Content-Range: bytes FIRST-LAST/*` → `LogPosition`, with 416 on a gap |
| `PUT /v1/leases/{id}/outputs/{name}` | bytes, `X-Content-SHA256` → `Empty` |
| `PUT /v1/artifacts/{sha256}` | bytes → `Empty` |
| `POST /v1/jobs` | `JobSpec` → `JobStatus` |
| `GET /v1/jobs` | → `JobList` |
| `GET /v1/jobs/{id}` | → `JobStatus` |
| `POST /v1/jobs/{id}/cancel` | `Empty` → `JobStatus` |
| `GET /v1/jobs/{id}/log?offset=N` | → the bytes from N on |
| `GET /v1/jobs/{id}/outputs/{name}` | → the bytes |
| `GET /healthz` | → `Empty` |

Every answer that is not 2xx is an `application/problem+json` of RFC 9457: `Problem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.domain.job import Artifact, JobSpec, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.receipt import Receipt

VERSION = 1
MAX_JSON_BYTES = 256 * 1024
MAX_LOG_BYTES = 16 * 1024 * 1024
MAX_CLAIM_WAIT_S = 50


class Role(StrEnum):
    """What an account does in a market; one key has one role."""

    PROVIDER = "provider"
    BUYER = "buyer"


class ProblemType(StrEnum):
    """The closed list of what can go wrong. Clients act on this, never on the words."""

    INVALID_REQUEST = "invalid-request"
    SIGNATURE_INVALID = "signature-invalid"
    CLOCK_SKEW = "clock-skew"
    REPLAYED = "replayed"
    NOT_FOUND = "not-found"
    NOT_ELIGIBLE = "not-eligible"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    LEASE_LOST = "lease-lost"
    STALE_FENCE = "stale-fence"
    ALREADY_TERMINAL = "already-terminal"
    RANGE_MISMATCH = "range-mismatch"
    TOO_LARGE = "too-large"
    RATE_LIMITED = "rate-limited"
    UPGRADE_REQUIRED = "upgrade-required"
    MAINTENANCE = "maintenance"
    INTERNAL = "internal"


class Desired(StrEnum):
    """What the market wants of a lease now."""

    RUN = "run"
    STOP = "stop"


class LeaseState(StrEnum):
    """A lease as the market sees it."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    RUNNING = "running"
    CLOSED = "closed"
    DECLINED = "declined"
    EXPIRED = "expired"


class JobPhase(StrEnum):
    """A job as its buyer sees it."""

    QUEUED = "queued"
    LEASED = "leased"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        return self in {JobPhase.SUCCEEDED, JobPhase.FAILED, JobPhase.CANCELLED, JobPhase.EXPIRED}


@dataclass(frozen=True)
class Empty:
    """Nothing to say."""


@dataclass(frozen=True)
class Problem:
    """Why a request was not granted."""

    type: ProblemType
    title: str
    status: int
    detail: str = ""
    server_time: datetime | None = None


@dataclass(frozen=True)
class Meta:
    """What a market says of itself.

    Attributes:
        is_local: true only for a market on this machine; simulated cards are refused by every other.
        public_key: the market's Ed25519 key, base64.
    """

    name: str
    versions: tuple[int, ...]
    server_time: datetime
    currency: str
    fee_ppm: int
    is_local: bool
    public_key: str
    accept_within_s: int
    lease_ttl_s: int
    beat_every_s: int


@dataclass(frozen=True)
class Enrolment:
    """A new key asks for an account; the request is signed with that key, which proves that it is held."""

    role: Role
    name: str
    public_key: str


@dataclass(frozen=True)
class Account:
    """A party in a market, and its money there: a buyer's credit or a provider's earnings."""

    account_id: str
    role: Role
    name: str
    available: Money
    held: Money


@dataclass(frozen=True)
class Card:
    """A card as it is offered. No serial numbers: a market needs to know what it is, not which one.

    Attributes:
        certificate: what its passport says of its health: a `domain.passport.Certificate`, sealed with the key that
            signs this request; None where it was never checked.
    """

    gpu_id: str
    name: str
    vendor: str
    memory_mib: int
    is_simulated: bool
    certificate: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Inventory:
    """All cards of a machine."""

    cards: tuple[Card, ...]
    application: str


@dataclass(frozen=True)
class Declared:
    """How a market took the cards of a machine.

    Attributes:
        notes: what it left out, and why, a sentence each; the cards are taken all the same.
    """

    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardHealth:
    """What the certificate of a card says, in a line. The market has seen whose it is, and believes no more than that.

    Attributes:
        confidence_percent: how much of what could be known of such a card was looked at.
    """

    grade: Grade
    confidence_percent: int
    mode: CheckMode
    checked_at: datetime


@dataclass(frozen=True)
class ListedCard:
    """A card that asked for work lately, as every buyer may see it; whose it is stays secret.

    Attributes:
        certificate: as its owner sealed it, for who wants to see for himself.
    """

    name: str
    vendor: str
    memory_mib: int
    is_simulated: bool
    health: CardHealth | None = None
    certificate: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CardList:
    """What is on offer: the best certified first."""

    cards: tuple[ListedCard, ...]


@dataclass(frozen=True)
class HealthChallenge:
    """A question that a health check can answer, sealed with the market's key.

    Attributes:
        sealed: `identity.sealed` around a `domain.passport.Question`.
    """

    sealed: Mapping[str, Any]


@dataclass(frozen=True)
class WitnessCall:
    """A provider shows by its digest that it has a report, and which question the report answers.

    Attributes:
        challenge: the sealed question, as it came; None where there was none.
    """

    report_id: str
    report_sha256: str
    challenge: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class WitnessStatement:
    """What the market saw, and when.

    Attributes:
        sealed: `identity.sealed` around a `domain.passport.Witness`.
    """

    sealed: Mapping[str, Any]


@dataclass(frozen=True)
class Ask:
    """A card that is free now, and the least its owner takes for it. The market keeps the floor to itself."""

    gpu_id: str
    floor_per_hour: Money
    max_wall_s: int
    max_memory_mib: int
    max_cpu_millis: int
    max_disk_mib: int


@dataclass(frozen=True)
class Claim:
    """Asks for work for every free card at once. The same `claim_key` gets the same answer again."""

    claim_key: str
    asks: tuple[Ask, ...]
    held_leases: tuple[str, ...]
    wait_s: int


@dataclass(frozen=True)
class LeaseCall:
    """A step of a lease that says nothing more than which grant it means."""

    fence: int


@dataclass(frozen=True)
class Decline:
    """An offer is not taken, and why."""

    fence: int
    reason: str


@dataclass(frozen=True)
class Heartbeat:
    """A sign of life every `beat_every_s`; `seq` grows by one, the usage is cumulative.

    `frozen` is set while the owner has the job stopped; those seconds are not billed.
    """

    fence: int
    seq: int
    usage: Usage
    progress_percent: int | None = None
    frozen: bool = False


@dataclass(frozen=True)
class Completion:
    """The end of a lease; `outputs` names what was uploaded, with its digests."""

    fence: int
    outcome: Outcome
    usage: Usage
    exit_code: int | None = None
    reason: str = ""
    outputs: tuple[Artifact, ...] = ()


@dataclass(frozen=True)
class LeaseStatus:
    """The market's view of one lease, given as the answer to every call about it."""

    lease_id: str
    state: LeaseState
    fence: int
    desired: Desired
    expires_in_s: int
    beat_every_s: int
    server_time: datetime
    usage: Usage = field(default_factory=Usage)
    receipt: Receipt | None = None


@dataclass(frozen=True)
class LogPosition:
    """How many bytes of the log the market has."""

    offset: int


@dataclass(frozen=True)
class JobStatus:
    """The buyer's view of one job.

    Attributes:
        card_health: of the card that has it, or had it last; None where nobody knows.
    """

    job_id: str
    spec: JobSpec
    phase: JobPhase
    submitted_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress_percent: int | None = None
    price_per_hour: Money | None = None
    cost: Money | None = None
    exit_code: int | None = None
    reason: str = ""
    outputs: tuple[Artifact, ...] = ()
    card_health: CardHealth | None = None


@dataclass(frozen=True)
class JobList:
    """A buyer's jobs, newest first."""

    jobs: tuple[JobStatus, ...]
