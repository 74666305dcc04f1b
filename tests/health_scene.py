"""Cards, a bench and everything that checks them, on a clock that the test moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benches import BenchWithClock, a_bench
from samples import GPU, reading

from argentum_desktop.agent.checkup_tools import CheckTools
from argentum_desktop.agent.health_desk import HealthDesk, HealthParts
from argentum_desktop.agent.loops import Loops
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.status import CheckupEnded, CheckupProgressed
from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.stress import StressEnd, StressResult
from argentum_desktop.domain.summary import Span
from argentum_desktop.health.examination import CheckPlan
from argentum_desktop.health.reference import load_reference
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun
from argentum_desktop.health.stress.simulated import SimulatedStress
from argentum_desktop.identity.keys import Identity, IdentityError
from argentum_desktop.telemetry.history import CardEvent
from argentum_desktop.telemetry.sampler import ReadingsTaken

STEP_S = 0.25
PATIENCE_S = 5.0
GIB = 2**30
CARD = replace(
    GPU, name="Example card 24 GB", vendor=Vendor.SIMULATED, memory_total_bytes=24 * GIB, temperature_slowdown_c=90
)
LOAD = StressPlan(host_copy_s=0.5, memory_s=3.0, bandwidth_s=0.5, compute_s=2.0, ramp_s=0.5)
PLANS = {
    CheckMode.QUICK: CheckPlan(0.5, 0.5, LOAD, 0.5),
    CheckMode.FULL: CheckPlan(0.5, 0.5, LOAD, 0.5),
    CheckMode.PASSIVE: CheckPlan(0.5, 0.5),
}


class PlantedStress:
    """Simulated loads whose result the test may change."""

    def __init__(self, inner: SimulatedStress) -> None:
        self._inner = inner
        self.plant: Callable[[StressResult], StressResult] = lambda result: result
        self.started = 0
        self.running: list[_PlantedRun] = []

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        self.started += 1
        self.running.append(_PlantedRun(await self._inner.start(gpu, plan, tell), self))
        return self.running[-1]


class _PlantedRun:
    def __init__(self, inner: StressRun, stress: PlantedStress) -> None:
        self._inner, self._stress = inner, stress

    async def wait(self) -> StressResult:
        try:
            return self._stress.plant(await self._inner.wait())
        finally:
            self._stress.running.remove(self)

    def end(self, why: StressEnd, words: str = "") -> None:
        self._inner.end(why, words)


def with_memory_errors(result: StressResult) -> StressResult:
    """A stuck bit, found again when the test was repeated."""
    assert result.memory is not None
    bad = replace(result.memory, errors=12, errors_again=12, first_bad_address=4096, last_bad_address=8192, bad_bits=4)
    return replace(result, memory=bad)


class KeyInHand:
    """The key of this device, unless the test damages it."""

    def __init__(self) -> None:
        self._identity = Identity.generate()
        self.damage: IdentityError | None = None

    async def __call__(self) -> Identity:
        if self.damage is not None:
            raise self.damage
        return self._identity


class FakeHistory:
    """Remembers what it is told to."""

    def __init__(self) -> None:
        self.xids: list[CardEvent] = []
        self.spans: dict[datetime, Span] = {}

    async def events(self, gpu_id: str, start: datetime, end: datetime) -> list[CardEvent]:
        return [event for event in self.xids if event.gpu_id == gpu_id and start <= event.at < end]

    async def hours(self, gpu_id: str, start: datetime, end: datetime, metrics: Sequence[str]) -> dict[datetime, Span]:
        return {at: span for at, span in self.spans.items() if start <= at < end}

    async def begin(self, gpu_id: str) -> datetime | None:
        return min(self.spans, default=None)


@dataclass
class Scene:
    """One simulated card that reports four times a second, at 55 °C unless the test says otherwise."""

    desk: BenchWithClock
    health: HealthDesk
    stress: PlantedStress
    history: FakeHistory
    notices: NoticeBoard
    busy: list[Lease] = field(default_factory=list)
    loads: list[int] = field(default_factory=list)
    markets: list[Any] = field(default_factory=list)
    ended: list[CheckupEnded] = field(default_factory=list)
    progressed: list[CheckupProgressed] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=lambda: {"temperature_c": 55, "utilization_percent": 0})
    hurried: int = 0

    @property
    def bench(self) -> Any:
        return self.desk.bench

    async def until(self, question: Callable[[], Any]) -> Any:
        """Let time pass, in steps of a quarter of a second, until the answer is true."""
        end = time.monotonic() + PATIENCE_S
        while not (answer := question()):
            assert time.monotonic() < end, "it never came"
            await self.step()
        return answer

    async def step(self) -> None:
        await self.desk.clock.advance(STEP_S)
        self.report()
        await asyncio.sleep(0.001)  # the database has a thread of its own

    def report(self, **values: Any) -> None:
        """One reading of the card; those with events are reported once."""
        taken = replace(reading(**{**self.values, **values}), taken_at=self.desk.clock.now())
        self.bench.readings[CARD.gpu_id] = taken
        self.bench.events.publish(ReadingsTaken((taken,)))

    def take(self, *readings: Reading) -> None:
        self.bench.events.publish(ReadingsTaken(readings))

    async def check(self, mode: CheckMode = CheckMode.QUICK) -> CheckupEnded:
        """A whole check."""
        count = len(self.ended)
        self.health.checkups.start(CARD.gpu_id, mode)
        await self.until(lambda: len(self.ended) > count)
        return self.ended[-1]


class _Sampler:
    def __init__(self, scene: list[Scene]) -> None:
        self._scene = scene

    @contextmanager
    def hurry(self) -> Iterator[None]:
        self._scene[0].hurried += 1
        try:
            yield
        finally:
            self._scene[0].hurried -= 1


@asynccontextmanager
async def health_scene(folder: Path, **changes: Any) -> AsyncIterator[Scene]:
    async with a_bench(folder, **{"gpus": {CARD.gpu_id: CARD}, **changes}) as desk, health_at(desk) as scene:
        yield scene


@asynccontextmanager
async def health_at(desk: BenchWithClock) -> AsyncIterator[Scene]:
    """The health desk of an application that begins at this bench."""
    loads: list[int] = []

    async def set_load(_: str, percent: int, __: int) -> None:
        loads.append(percent)

    stress = PlantedStress(SimulatedStress(desk.clock, set_load))
    notices, history = NoticeBoard(), FakeHistory()
    scenes: list[Scene] = []
    busy: list[Lease] = []
    markets: list[Any] = []
    tools = CheckTools(stress, load_reference(), "TestOS 1", PLANS)
    parts = HealthParts(desk.database, KeyInHand(), history, tools)
    health = HealthDesk(desk.bench, notices, parts, _Sampler(scenes), lambda: busy, lambda: None, lambda: markets)
    scene = Scene(desk, health, stress, history, notices, busy, loads, markets)
    scenes.append(scene)
    desk.bench.events.subscribe(CheckupEnded, scene.ended.append)
    desk.bench.events.subscribe(CheckupProgressed, scene.progressed.append)
    loops = Loops(desk.clock, lambda error: notices.put("store", error))
    await health.open(loops)
    scene.report()
    try:
        yield scene
    finally:
        await health.checkups.close()
        await loops.end()
