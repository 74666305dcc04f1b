"""What the agent is doing, as one frozen value: the window, the tray, `status` and `status --json` all show this."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from argentum_desktop.domain.energy import EnergyBill
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.handback import HandBackFigures
from argentum_desktop.domain.health import CheckMode, HealthReport, HealthSummary, Stage
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.reading import Reading
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.policy.price_advice import PriceAdvice


class AgentState(StrEnum):
    """The one word for it. Each has its own shape and colour in the tray."""

    STARTING = "starting"
    WORKING = "working"
    IDLE = "idle"
    PAUSED = "paused"
    OUTSIDE_HOURS = "outside_hours"
    ATTENTION = "attention"
    FAULT = "fault"


@dataclass(frozen=True)
class Notice:
    """Something the owner should know: what happened and what to do."""

    code: str
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class CheckupView:
    """A health check under way.

    Attributes:
        words: what is being done now, as in "Writing and reading patterns: 12 done, no errors".
        done_percent: of the whole.
        remaining_s: as planned, never less than zero.
        temperatures_c: since it began, as (seconds, degrees), for the live curve.
        limit_c: where the card slows itself down; None where it does not say.
    """

    gpu_id: str
    mode: CheckMode
    stage: Stage
    words: str
    done_percent: int
    remaining_s: int
    started_at: datetime
    temperatures_c: tuple[tuple[float, int], ...] = ()
    limit_c: int | None = None


@dataclass(frozen=True)
class CheckupProgressed:
    """Published up to four times a second while a card is checked."""

    view: CheckupView


@dataclass(frozen=True)
class CheckupEnded:
    """Published once per check.

    Attributes:
        report: None when there is none: it was cancelled before anything was known, or it could not begin.
        problem: then why, in words.
    """

    gpu_id: str
    report: HealthReport | None
    problem: str = ""


@dataclass(frozen=True)
class CardStatus:
    """One card now.

    Attributes:
        doing: what it does, in words: "Rendering frames, 42 %", "ready", "not offered".
        because: why it does not work, in one sentence; empty while it does.
        remedy: the smallest change that would make it work; empty when there is none to name.
        checkup: the health check under way.
        health: what the latest finished one said.
        advice: what an hour of it must bring over the next day, and why.
    """

    gpu: Gpu
    reading: Reading | None
    doing: str
    because: str = ""
    remedy: str = ""
    lease_id: str | None = None
    earned_today: Money | None = None
    checkup: CheckupView | None = None
    health: HealthSummary | None = None
    advice: PriceAdvice | None = None


@dataclass(frozen=True)
class JobView:
    """One running or finished job.

    Attributes:
        progress_percent: as the job reports it; None when it reports nothing.
        earned: the owner's share so far; `is_settled` tells whether the market has confirmed it.
        bill: what its energy came to, once it is settled.
    """

    lease_id: str
    title: str
    gpu_ids: tuple[str, ...]
    state: JobState
    accepted_at: datetime
    price_per_hour: Money
    earned: Money
    is_settled: bool
    elapsed_s: int = 0
    wall_s: int = 0
    progress_percent: int | None = None
    is_frozen: bool = False
    outcome: Outcome | None = None
    exit_code: int | None = None
    reason: str = ""
    energy_mj: int = 0
    bill: EnergyBill | None = None


CONNECTING = "Connecting."


@dataclass(frozen=True)
class MarketStatus:
    """One market, as seen from here.

    Attributes:
        problem: why it is not connected, in words; `CONNECTING` before the first answer.
    """

    name: str
    url: str
    is_local: bool
    is_connected: bool
    problem: str = ""


@dataclass(frozen=True)
class Status:
    """The whole.

    Attributes:
        sentence: what is happening, until when, why: the same words in the tray, the window and the terminal.
        handback: how quickly the machine was given back to its owner of late.
    """

    state: AgentState
    sentence: str
    taken_at: datetime
    version: str
    home: str
    engine: str
    cards: tuple[CardStatus, ...]
    jobs: tuple[JobView, ...]
    markets: tuple[MarketStatus, ...]
    today: Totals
    week: Totals
    notices: tuple[Notice, ...] = ()
    paused_until: datetime | None = None
    handback: HandBackFigures = field(default_factory=HandBackFigures)


@dataclass(frozen=True)
class StatusChanged:
    """Published after every change, and each second while somebody watches."""

    status: Status
