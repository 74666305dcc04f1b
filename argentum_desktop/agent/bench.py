"""What every job on this machine works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from argentum_desktop.agent.lease_book import LeaseBook
from argentum_desktop.agent.status import CheckupView
from argentum_desktop.clock import Clock
from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import HealthSummary
from argentum_desktop.domain.host import HostState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.errors import ArgentumError, EngineMissingError
from argentum_desktop.events import EventBus
from argentum_desktop.paths import Home
from argentum_desktop.policy.card_use import CardUse
from argentum_desktop.policy.gates import Circumstances, Pause
from argentum_desktop.policy.ready import Ready
from argentum_desktop.runner.engine import ContainerEngine, EngineInfo
from argentum_desktop.settings.schema import Settings


@dataclass
class Bench:
    """The parts a job needs, and the few facts about this machine that change while it runs.

    Attributes:
        installation_id: tells our containers from those of another home folder on the same engine.
        engine_problem: why no job can be run now, in words; empty while one can.
        engine_remedy: what would help.
        promised: cards of an offer that is being accepted at this moment, before its job holds them.
        cooling: cards at their temperature limit that have just got less power, and may be given a moment.
        checkups: the health checks under way, by card.
        health: what each card's latest decisive check said.
        activity: what the owner does with the computer; None where nobody watches that.
        containers: the engine's own name for the container of each lease whose job runs.
        card_use: what its owner's programs hold of each card that has a job, where that is known.
        power_at_work_mw: what each card drew at work of late.
        tariff: what electricity costs, with the owner's tariff file; None where the settings say all.
        grid: what the grid emits; None where the owner named no country.
        busy: the leases whose jobs hold cards now.
        certificates: what a market may be told of each card's health, signed by this device.
    """

    home: Home
    settings: Settings
    zone: ZoneInfo
    clock: Clock
    events: EventBus
    book: LeaseBook
    installation_id: str
    host: HostState
    engine: ContainerEngine | None = None
    engine_info: EngineInfo | None = None
    engine_problem: str = ""
    engine_remedy: str = ""
    pause: Pause | None = None
    gpus: dict[str, Gpu] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    promised: set[str] = field(default_factory=set)
    cooling: set[str] = field(default_factory=set)
    checkups: dict[str, CheckupView] = field(default_factory=dict)
    health: dict[str, HealthSummary] = field(default_factory=dict)
    certificates: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    activity: Activity | None = None
    containers: dict[str, str] = field(default_factory=dict)
    card_use: dict[str, CardUse] = field(default_factory=dict)
    power_at_work_mw: dict[str, int] = field(default_factory=dict)
    tariff: Tariff | None = None
    grid: GridCarbon | None = None
    busy: Callable[[], Sequence[Lease]] = tuple
    _ready: Ready | None = None

    def needed_engine(self) -> ContainerEngine:
        """The engine.

        Raises:
            EngineMissingError: there is none at present.
        """
        if self.engine is None:
            raise EngineMissingError(self.engine_problem or "No container engine answers.", self.engine_remedy)
        return self.engine

    def engine_failed(self, error: ArgentumError) -> None:
        """Take no more jobs until the engine has been looked at again."""
        self.engine_problem, self.engine_remedy = error.message, error.remedy

    def engine_is_well(self) -> None:
        self.engine_problem = self.engine_remedy = ""

    def circumstances(self, gpu: Gpu, *, market_is_local: bool) -> Circumstances:
        """Everything a rule may look at about this card now."""
        return Circumstances(
            gpu=gpu,
            reading=self.readings.get(gpu.gpu_id),
            host=self.host,
            settings=self.settings,
            zone=self.zone,
            now=self.clock.now(),
            pause=self.current_pause(),
            engine_problem=self.engine_problem,
            engine_remedy=self.engine_remedy,
            market_is_local=market_is_local,
            health=self.health.get(gpu.gpu_id),
            is_being_checked=gpu.gpu_id in self.checkups,
            activity=self.activity,
            measured_power_mw=self.power_at_work_mw.get(gpu.gpu_id),
            is_at_work=any(gpu.gpu_id in lease.gpu_ids for lease in self.busy()),
            use=self.card_use.get(gpu.gpu_id),
            tariff=self.tariff,
            grid=self.grid,
            ready=self._made_ready(),
        )

    def _made_ready(self) -> Ready:
        """What follows from the settings, worked out anew only when they change."""
        made = self._ready
        if made is None or not made.is_of(self.settings, self.zone, self.tariff, self.grid):
            made = self._ready = Ready(self.settings, self.zone, self.tariff, self.grid)
        return made

    def current_pause(self) -> Pause | None:
        """The owner's pause, unless its time has passed."""
        if self.pause is not None and self.pause.until is not None and self.pause.until <= self.clock.now():
            return None
        return self.pause
