"""A service with believable figures, on an asyncio loop of its own thread, as the real one is."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from fake_health import report, view

from argentum_desktop.agent.status import (
    AgentState,
    CardStatus,
    CheckupEnded,
    CheckupProgressed,
    CheckupView,
    JobView,
    MarketStatus,
    Notice,
    Status,
    StatusChanged,
)
from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.domain.health import CheckMode, HealthReport, HealthSummary
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.reading import Absence, Reading
from argentum_desktop.errors import ArgentumError, EngineMissingError, PassportError
from argentum_desktop.events import EventBus
from argentum_desktop.health.passport.verify import Verification
from argentum_desktop.ledger.earnings import DayEarnings, Totals
from argentum_desktop.telemetry.history import Point

NOW = datetime(2026, 11, 23, 14, 32, tzinfo=UTC)
GIB = 1024**3


class Scene(StrEnum):
    WORKING = "working"
    OUTSIDE_HOURS = "outside_hours"
    NO_CARD = "no_card"
    PAUSED = "paused"
    FAULT = "fault"
    FIRST_MINUTE = "first_minute"


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


def totals(gross: str, electricity: str, watt_hours: int) -> Totals:
    amount = eur(gross)
    return Totals(amount, amount.scaled(5, 100), eur(electricity), watt_hours * 3_600_000)


class FakeClock:
    """Stands still until told otherwise."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def elapsed_s(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


RTX_3090 = Gpu(
    "GPU-3090",
    "GeForce RTX 3090",
    Vendor.NVIDIA,
    memory_total_bytes=24 * GIB,
    pci_address="0000:01:00.0",
    pci_id="10de:2204",
    pci_subsystem="1458:403b",
    driver="nvidia",
    driver_version="580.65",
    vbios_version="94.02.42.40.37",
    power_limit_default_mw=350_000,
    pcie_generation_max=4,
    pcie_width_max=16,
    power_limit_mw=350_000,
    temperature_slowdown_c=93,
)
GTX_1080 = Gpu(
    "GPU-1080",
    "GeForce GTX 1080 Ti",
    Vendor.NVIDIA,
    memory_total_bytes=11 * GIB,
    pci_address="0000:02:00.0",
    driver_version="580.65",
    power_limit_mw=250_000,
    temperature_slowdown_c=96,
)
SIMULATED = Gpu(
    "sim-0",
    "Model A 16 GB",
    Vendor.SIMULATED,
    memory_total_bytes=16 * GIB,
    power_limit_mw=200_000,
    temperature_slowdown_c=90,
)

RENDERING = JobView(
    lease_id="lease-1",
    title="Render scene 7, frames 120–240",
    gpu_ids=(RTX_3090.gpu_id,),
    state=JobState.RUNNING,
    accepted_at=NOW - timedelta(minutes=23),
    price_per_hour=eur("0.31"),
    earned=eur("0.1188"),
    is_settled=False,
    elapsed_s=23 * 60,
    wall_s=2 * 3600,
    progress_percent=62,
)


def past_job(number: int, hours_ago: float, minutes: int, outcome: Outcome, title: str, reason: str = "") -> JobView:
    return replace(
        RENDERING,
        lease_id=f"lease-{number}",
        title=title,
        state=JobState.CLOSED,
        accepted_at=NOW - timedelta(hours=hours_ago),
        elapsed_s=minutes * 60,
        earned=eur("0.31").scaled(minutes, 60),
        is_settled=outcome is not Outcome.LEASE_LOST,
        progress_percent=100 if outcome is Outcome.SUCCEEDED else 40,
        outcome=outcome,
        exit_code=0 if outcome is Outcome.SUCCEEDED else 1,
        reason=reason,
    )


PAST = (
    past_job(2, 3.2, 95, Outcome.SUCCEEDED, "Fine-tune speech model, epoch 3"),
    past_job(3, 9.5, 42, Outcome.RECLAIMED, "Upscale holiday videos", "Stopped because you started a game."),
    past_job(4, 12.1, 118, Outcome.SUCCEEDED, "Render scene 7, frames 1–119"),
    past_job(
        5, 26.0, 7, Outcome.FAILED, "Protein folding batch 88", "The job ended with exit code 1; its log says why."
    ),
    past_job(6, 30.5, 201, Outcome.SUCCEEDED, "Fine-tune speech model, epoch 2"),
)


def reading(gpu: Gpu, temperature: int, power_w: int, load: int, memory_gib: float, fan: int | None) -> Reading:
    return Reading(
        gpu.gpu_id,
        NOW,
        temperature_c=temperature,
        power_mw=power_w * 1000,
        utilization_percent=load,
        memory_used_bytes=round(memory_gib * GIB),
        fan_percent=fan,
        clock_sm_mhz=None if fan is None else 1695 if load > 50 else 210,
        clock_memory_mhz=None if fan is None else 9501 if load > 50 else 405,
        pcie_generation=4 if gpu is RTX_3090 else None,
        pcie_width=8 if gpu is RTX_3090 else None,
        absent={} if fan is not None else {"fan_percent": Absence.NOT_SUPPORTED},
    )


CHECKED = report(RTX_3090, NOW - timedelta(minutes=30))

BASE = Status(
    state=AgentState.WORKING,
    sentence="Working until 07:00 · 0.31 €/h on GeForce RTX 3090",
    taken_at=NOW,
    version="0.1.0",
    home="/home/owner/.local/share/argentum-desktop",
    engine="Podman 4.3.1",
    cards=(
        CardStatus(
            RTX_3090,
            reading(RTX_3090, 67, 312, 96, 21.4, 58),
            "Render scene 7, 62 %",
            lease_id=RENDERING.lease_id,
            earned_today=eur("2.38"),
            health=HealthSummary.of(CHECKED),
        ),
        CardStatus(
            GTX_1080,
            reading(GTX_1080, 34, 12, 0, 0.4, 0),
            "Not offered",
            because="its electricity costs 0.02 €/h more than the best offer pays.",
            remedy="Lower its floor to 0.09 €/h, or wait for the night tariff at 22:00.",
            earned_today=eur("0"),
        ),
    ),
    jobs=(RENDERING,),
    markets=(MarketStatus("This computer", "http://127.0.0.1:8440", is_local=True, is_connected=True),),
    today=totals("2.38", "0.62", 2070),
    week=totals("15.60", "3.02", 10_080),
)


def scene_status(scene: Scene) -> Status:
    idle_3090 = CardStatus(
        RTX_3090,
        reading(RTX_3090, 38, 24, 1, 0.6, 0),
        "Ready",
        earned_today=eur("2.38"),
        health=HealthSummary.of(CHECKED),
    )
    if scene is Scene.WORKING:
        return BASE
    if scene is Scene.OUTSIDE_HOURS:
        because = "it is outside the hours you set for it."
        card = replace(idle_3090, doing="Resting", because=because, remedy="Offered again tonight from 22:00.")
        return replace(
            BASE,
            state=AgentState.OUTSIDE_HOURS,
            sentence="Resting until tonight 22:00, because these are your hours",
            cards=(card, CardStatus(SIMULATED, reading(SIMULATED, 31, 11, 0, 0.2, None), "Ready")),
            jobs=(),
        )
    if scene is Scene.NO_CARD:
        notice = Notice(
            "no-card",
            "The NVIDIA driver is installed but does not answer: the kernel module is not loaded.",
            "Restart the computer. If that does not help, install the driver again from your system's drivers page.",
        )
        return replace(
            BASE,
            state=AgentState.ATTENTION,
            sentence="Waiting for a graphics card",
            cards=(),
            jobs=(),
            notices=(notice,),
            today=Totals.zero("EUR"),
            week=Totals.zero("EUR"),
        )
    if scene is Scene.PAUSED:
        until = NOW + timedelta(minutes=46)
        return replace(
            BASE,
            state=AgentState.PAUSED,
            sentence="Paused until 15:18, because you asked; one job is frozen",
            jobs=(replace(RENDERING, is_frozen=True),),
            paused_until=until,
        )
    if scene is Scene.FIRST_MINUTE:
        return replace(
            BASE,
            state=AgentState.IDLE,
            sentence="Ready, waiting for a job",
            cards=(CardStatus(SIMULATED, reading(SIMULATED, 31, 11, 0, 0.2, None), "Ready"),),
            jobs=(),
            today=Totals.zero("EUR"),
            week=Totals.zero("EUR"),
        )
    lost = Reading(RTX_3090.gpu_id, NOW, absent=dict.fromkeys(("temperature_c", "power_mw"), Absence.LOST))
    card = replace(
        idle_3090, reading=lost, doing="Lost", because="the driver has lost this card.", remedy="Restart the computer."
    )
    return replace(
        BASE,
        state=AgentState.FAULT,
        sentence="Stopped, because no container engine answers",
        engine="",
        cards=(card, BASE.cards[1]),
        jobs=(),
        markets=(
            MarketStatus(
                "Example market", "https://market.example", False, False, "No answer since 14:02; trying again."
            ),
        ),
        notices=(
            Notice(
                "engine-missing",
                "Podman does not answer, so no job can run.",
                "Install it with: sudo apt install podman",
            ),
            Notice(
                "market-unreachable",
                "The market has not answered for 30 minutes.",
                "Nothing to do: Argentum keeps trying.",
            ),
        ),
    )


@dataclass
class FakeService:
    """Answers like the agent; `failing` makes the named call raise."""

    scene: Scene = Scene.WORKING
    events: EventBus = field(default_factory=EventBus)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    failing: dict[str, ArgentumError] = field(default_factory=dict)
    threads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.now_status = scene_status(self.scene)
        self.reports: dict[str, list[HealthReport]] = {RTX_3090.gpu_id: [CHECKED]}

    def show(self, status: Status) -> None:
        """What the agent does by itself: a new status, told to everybody. On the service's thread."""
        self.now_status = status
        self.events.publish(StatusChanged(status))

    async def status(self) -> Status:
        self._heard("status")
        return self.now_status

    async def pause(self, until: datetime | None) -> Status:
        self._heard("pause", until)
        jobs = tuple(replace(job, is_frozen=True) for job in self.now_status.jobs)
        self.show(
            replace(
                self.now_status,
                state=AgentState.PAUSED,
                sentence="Paused until you resume",
                jobs=jobs,
                paused_until=until,
            )
        )
        return self.now_status

    async def resume(self) -> Status:
        self._heard("resume")
        self.show(scene_status(Scene.WORKING))
        return self.now_status

    async def stop_jobs(self) -> Status:
        self._heard("stop_jobs")
        self.show(replace(self.now_status, state=AgentState.PAUSED, sentence="Paused until you resume", jobs=()))
        return self.now_status

    async def recent_jobs(self, limit: int) -> Sequence[JobView]:
        self._heard("recent_jobs", limit)
        if self.scene in (Scene.NO_CARD, Scene.FIRST_MINUTE):
            return ()
        return (*self.now_status.jobs, *PAST)[:limit]

    async def log_tail(self, lease_id: str, limit_bytes: int) -> str:
        self._heard("log_tail", lease_id, limit_bytes)
        return "".join(f"frame {n} of 240 written to /out/{n:04}.png in 11.{n % 10} s\n" for n in range(120, 196))

    async def series(self, gpu_id: str, metric: str, start: datetime, end: datetime, points: int) -> Sequence[Point]:
        self._heard("series", gpu_id, metric, start, end, points)
        if self.scene is Scene.FIRST_MINUTE:
            return ()
        span_s = max(1, math.ceil((end - start).total_seconds() / points))
        return [
            point
            for index in range(points)
            if (point := _point(gpu_id, start + timedelta(seconds=index * span_s), span_s, end)) is not None
        ]

    async def earnings(self, days: int) -> Sequence[DayEarnings]:
        self._heard("earnings", days)
        if self.scene in (Scene.NO_CARD, Scene.FIRST_MINUTE):
            nothing = Totals.zero("EUR")
            return [DayEarnings((NOW - timedelta(days=ago)).date(), nothing) for ago in range(days - 1, -1, -1)]
        gross = (
            "2.10",
            "1.84",
            "2.61",
            "0",
            "0.31",
            "2.90",
            "3.12",
            "2.77",
            "0.02",
            "1.95",
            "2.44",
            "2.05",
            "2.71",
            "2.38",
        )
        cost = (
            "0.55",
            "0.50",
            "0.66",
            "0",
            "0.45",
            "0.71",
            "0.80",
            "0.69",
            "0.10",
            "0.49",
            "0.63",
            "0.51",
            "0.70",
            "0.62",
        )
        return [
            DayEarnings((NOW - timedelta(days=13 - index)).date(), totals(gross[index], cost[index], 2000))
            for index in range(14 - days, 14)
        ]

    async def start_check(self, gpu_id: str, mode: CheckMode) -> None:
        self._heard("start_check", gpu_id, mode)
        self.check_goes_on(view(self._gpu(gpu_id), self.now_status.taken_at, 0, mode))

    async def cancel_check(self, gpu_id: str) -> None:
        self._heard("cancel_check", gpu_id)

    async def checks(self, gpu_id: str, limit: int) -> Sequence[HealthReport]:
        self._heard("checks", gpu_id, limit)
        return tuple(self.reports.get(gpu_id, ())[:limit])

    async def passport(self, gpu_id: str) -> Verification:
        self._heard("passport", gpu_id)
        raise PassportError("This card has no passport yet.", "Check its health first.")

    async def note_repair(self, gpu_id: str, words: str) -> None:
        self._heard("note_repair", gpu_id, words)

    def check_goes_on(self, now: CheckupView) -> None:
        """What the agent does while it checks a card. On the service's thread, as the next one."""
        self._change_card(now.gpu_id, checkup=now)
        self.events.publish(CheckupProgressed(now))

    def check_ends(self, gpu_id: str, found: HealthReport | None, problem: str = "") -> None:
        health = {} if found is None else {"health": HealthSummary.of(found)}
        self._change_card(gpu_id, checkup=None, **health)
        if found is not None:
            self.reports.setdefault(gpu_id, []).insert(0, found)
        self.events.publish(CheckupEnded(gpu_id, found, problem))

    def _gpu(self, gpu_id: str) -> Gpu:
        return next(card.gpu for card in self.now_status.cards if card.gpu.gpu_id == gpu_id)

    def _change_card(self, gpu_id: str, **changes: object) -> None:
        cards = tuple(
            replace(card, **changes) if card.gpu.gpu_id == gpu_id else card  # type: ignore[arg-type]
            for card in self.now_status.cards
        )
        self.now_status = replace(self.now_status, cards=cards)

    def _heard(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        self.threads.add(threading.current_thread().name)
        if name in self.failing:
            raise self.failing[name]


def _point(gpu_id: str, at: datetime, span_s: int, end: datetime) -> Point | None:
    """A day of work and rest with the hum of a fan, and half an hour in which nothing was recorded."""
    age_h = (end - at).total_seconds() / 3600
    if age_h < 0 or 0.55 < age_h < 0.63 or 10.2 < age_h < 11.9 or 60 < age_h < 75:
        return None
    seed = at.timestamp()
    ripple = 1.2 * math.sin(seed / 53) + 0.7 * math.sin(seed / 17.3 + 2) + 0.5 * math.sin(seed / 5.1)
    if gpu_id == RTX_3090.gpu_id:
        is_busy = age_h < 0.38 or 1.6 < age_h % 24 < 9 or 12 < age_h % 24 < 14
        warm = 66 if is_busy else 38
        if age_h < 0.38:
            warm = 38 + 29 * (1 - math.exp(-(0.38 - age_h) * 20))
    else:
        warm = 33 + 2 * math.sin(seed / 9000)
    spread = 0.4 if span_s <= 10 else 2.0
    mean = warm + ripple
    return Point(at, span_s, mean - spread, mean, mean + spread * 1.4)


class ServiceThread:
    """Runs a service's loop as the application does."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = None  # type: ignore[assignment]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="service")
        self._thread.start()
        self._ready.wait(5)

    def do(self, function: Callable[..., object], *arguments: object) -> None:
        """Call something on the service's thread, as the agent's own tasks do."""
        self.loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(5)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._ready.set()
        await self._ended.wait()


NO_ENGINE = EngineMissingError("No container engine answers.", "Install Podman and try again.")
