"""Everything a rule may look at, apart from the offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import HealthSummary
from argentum_desktop.domain.host import HostState
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.policy.card_use import CardUse
from argentum_desktop.policy.ready import Ready
from argentum_desktop.policy.windows import Opening
from argentum_desktop.settings.schema import Settings

_OF_NOBODY = Ready(Settings(), ZoneInfo("UTC"))


@dataclass(frozen=True)
class Pause:
    """The owner pressed Pause: until an instant, or (None) until Resume."""

    until: datetime | None


@dataclass(frozen=True)
class Circumstances:
    """One card, its computer, its owner's choices and the time.

    Attributes:
        health: what the card's latest decisive health check said; None when it was never checked.
        is_being_checked: a health check of the card is under way.
        activity: what its owner does with the computer; None where nobody watches that.
        measured_power_mw: what this card drew at work of late; None where that was not measured.
        is_at_work: a job of the market runs on the card, so that what the card does is not its owner's doing.
        use: what its owner's programs hold of the card beside that job; None where that is not known.
        job_ends_at: when that job has to be over by what it asked for; None without one.
        tariff: what electricity costs, with what the owner's tariff file says; None where the settings say all.
        grid: what the grid emits; None where the owner named no country.
        ready: what follows from the settings alone; given along, it is not worked out anew.
    """

    gpu: Gpu
    reading: Reading | None
    host: HostState
    settings: Settings
    zone: ZoneInfo
    now: datetime
    pause: Pause | None = None
    engine_problem: str = ""
    engine_remedy: str = ""
    market_is_local: bool = True
    health: HealthSummary | None = None
    is_being_checked: bool = False
    activity: Activity | None = None
    measured_power_mw: int | None = None
    is_at_work: bool = False
    job_ends_at: datetime | None = None
    use: CardUse | None = None
    tariff: Tariff | None = None
    grid: GridCarbon | None = None
    ready: Ready = field(default=_OF_NOBODY, compare=False, repr=False)

    def __post_init__(self) -> None:
        """What was made of other choices is not used."""
        if not self.ready.is_of(self.settings, self.zone, self.tariff, self.grid):
            object.__setattr__(self, "ready", Ready(self.settings, self.zone, self.tariff, self.grid))

    @property
    def opening(self) -> Opening:
        """Whether this card's hours are open, and until when."""
        return self.ready.opening(self.gpu.gpu_id, self.now)

    @property
    def temperature_limit_c(self) -> int:
        """The owner's, or this window's where that is lower."""
        return self.ready.in_force(self.gpu.gpu_id, self.now).temperature_limit_c

    @property
    def floor(self) -> Money:
        """What has to be left of an hour of this card now."""
        return self.ready.in_force(self.gpu.gpu_id, self.now).floor
