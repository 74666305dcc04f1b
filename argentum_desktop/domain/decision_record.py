"""A decision as it is written down, with what it was made of: so that it can be shown, and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import HealthSummary
from argentum_desktop.domain.host import HostState
from argentum_desktop.domain.offer import Offer


@dataclass(frozen=True)
class SeenCard:
    """What the rules saw of one card.

    Attributes:
        is_reporting: it had a reading, and was not lost.
        measured_power_mw: what it drew at work of late, where that was known.
    """

    gpu: Gpu
    is_reporting: bool
    temperature_c: int | None = None
    utilization_percent: int | None = None
    measured_power_mw: int | None = None
    health: HealthSummary | None = None


@dataclass(frozen=True)
class DecisionRecord:
    """What was decided about one offer, and what was seen then.

    Attributes:
        market: the market's name in the ledger.
        offer: without the job's own variables, which are nobody's business here.
        cards: of the offer, those that are here; empty where nothing more was written down.
        is_paused: the owner had paused.
        engine_problem: why no job could be run, where none could.
    """

    decided_at: datetime
    lease_id: str
    decision: Decision
    market: str = ""
    offer: Offer | None = None
    cards: tuple[SeenCard, ...] = ()
    host: HostState | None = None
    activity: Activity | None = None
    is_paused: bool = False
    engine_problem: str = ""
    market_is_local: bool = True
