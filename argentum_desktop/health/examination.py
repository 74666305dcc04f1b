"""One health check from its first reading to its report: stages in their order, and a hand on the load."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from argentum_desktop import __version__
from argentum_desktop.clock import Clock
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CardIdentity, Challenge, CheckMode, HealthReport, Stage
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.stress import StressPhase, StressResult
from argentum_desktop.health.checks import judge
from argentum_desktop.health.evidence import Evidence, PastError, StagedReading
from argentum_desktop.health.grade import appraise
from argentum_desktop.health.guard import Stop, is_unwatched, must_stop
from argentum_desktop.health.reference import ReferenceTable
from argentum_desktop.health.samples import samples_of
from argentum_desktop.health.stress.matching import confirmed_by
from argentum_desktop.health.stress.protocol import PLANS, StressPlan, StressProgress, StressRun, StressTest

_STAGE_OF = {
    StressPhase.STARTING: Stage.HOST_COPY,
    StressPhase.HOST_COPY: Stage.HOST_COPY,
    StressPhase.MEMORY: Stage.MEMORY,
    StressPhase.BANDWIDTH: Stage.BANDWIDTH,
    StressPhase.COMPUTE: Stage.COMPUTE,
}
_PHASE_WORDS = {
    StressPhase.STARTING: "Starting the load",
    StressPhase.HOST_COPY: "Copying between the computer and the card",
    StressPhase.MEMORY: "Writing patterns into its memory and reading them back",
    StressPhase.BANDWIDTH: "Measuring how fast its memory is",
    StressPhase.COMPUTE: "Computing what is known beforehand",
}
_WATCH_EVERY_S = 0.25
_STARTING_S = 2.0


@dataclass(frozen=True)
class CheckPlan:
    """How long each stage takes.

    Attributes:
        stress: the load; None for a check without one.
    """

    counters_s: float = 3.0
    baseline_s: float = 5.0
    stress: StressPlan | None = None
    cool_down_s: float = 6.0

    @property
    def total_s(self) -> float:
        load_s = self.stress.total_s + self.cool_down_s + _STARTING_S if self.stress else 0.0
        return self.counters_s + self.baseline_s + load_s


CHECK_PLANS = {
    CheckMode.QUICK: CheckPlan(stress=PLANS[CheckMode.QUICK]),
    CheckMode.FULL: CheckPlan(baseline_s=10.0, stress=PLANS[CheckMode.FULL], cool_down_s=40.0),
    # A fan must be seen to stand still for some seconds before it is called dead (health/checks/fan.py).
    CheckMode.PASSIVE: CheckPlan(),
}


@dataclass(frozen=True)
class ExaminationProgress:
    """Where a check stands."""

    stage: Stage
    words: str
    done_percent: int
    remaining_s: int
    temperatures_c: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Background:
    """What is known before a check begins.

    Attributes:
        past_errors: the card's own, of the last thirty days.
        challenge: a market's question, which seeds the patterns.
    """

    reference: ReferenceTable
    operating_system: str
    past_errors: tuple[PastError, ...] = ()
    challenge: Challenge | None = None


class Examination:
    """Checks one card, once. Give it every reading of every card through `observe` while `run` runs.

    Cancelling the task in which `run` runs takes the load off the card within a second.

    Args:
        on_battery: whether the computer runs on battery now.
        plan: how long each stage takes; the mode's own where none is given.
    """

    def __init__(
        self,
        gpu: Gpu,
        mode: CheckMode,
        stress: StressTest,
        clock: Clock,
        background: Background,
        on_battery: Callable[[], bool],
        plan: CheckPlan | None = None,
    ) -> None:
        self.gpu = gpu
        self.mode = mode
        self._stress = stress
        self._clock = clock
        self._background = background
        self._on_battery = on_battery
        self._plan = plan or CHECK_PLANS[mode]
        self._tell: Callable[[ExaminationProgress], None] = lambda _: None
        self._began_s = self._last_reading_s = 0.0
        self._is_begun = False
        self._stage, self._words = Stage.COUNTERS, ""
        self._readings: list[StagedReading] = []
        self._others: list[Reading] = []
        self._temperatures: list[tuple[float, int]] = []
        self._load: StressRun | None = None

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take note of what the cards report, and take the load off when this one must rest."""
        if not self._is_begun:
            return
        at_s = self._clock.elapsed_s() - self._began_s
        for reading in readings:
            if reading.gpu_id != self.gpu.gpu_id:
                self._note_other(reading)
                continue
            self._last_reading_s = self._clock.elapsed_s()
            self._readings.append(StagedReading(at_s, self._stage, reading))
            if reading.temperature_c is not None:
                self._temperatures.append((round(at_s, 1), reading.temperature_c))
            self._end_if(must_stop(self.gpu, reading, on_battery=self._on_battery()))
        self._say()

    async def run(self, tell: Callable[[ExaminationProgress], None]) -> HealthReport:
        """The whole check.

        Raises:
            StressError: the process that puts the load on the card cannot be started.
        """
        self._tell = tell
        started_at = self._clock.now()
        self._began_s = self._last_reading_s = self._clock.elapsed_s()
        self._is_begun = True
        try:
            await self._rest(Stage.COUNTERS, "Reading the card's own counters", self._plan.counters_s)
            await self._rest(Stage.BASELINE, "Reading the card at rest", self._plan.baseline_s)
            result = None
            if self._plan.stress is not None:
                result = await self._put_load(self._plan.stress)
                await self._rest(Stage.COOL_DOWN, "Letting the card cool down", self._plan.cool_down_s)
            self._enter(Stage.JUDGING, "Judging")
        finally:
            self._is_begun = False
        return self._report(started_at, result)

    async def _rest(self, stage: Stage, words: str, seconds: float) -> None:
        self._enter(stage, words)
        await self._clock.sleep(seconds)

    async def _put_load(self, plan: StressPlan) -> StressResult:
        """The load, watched: it ends by itself, or when the card must rest or says nothing any more."""
        self._enter(Stage.HOST_COPY, "Starting the load")
        plan = replace(plan, free_bytes=self._free_bytes(), seed=self._seed(plan))
        run = await self._stress.start(self.gpu, plan, self._stress_told)
        self._load = run
        watch = asyncio.create_task(self._watch())
        try:
            return await run.wait()
        finally:
            self._load = None
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_WATCH_EVERY_S)
            self._end_if(is_unwatched(self._clock.elapsed_s(), self._last_reading_s))

    def _end_if(self, stop: Stop | None) -> None:
        if stop is not None and self._load is not None:
            self._load.end(stop.end, stop.words)

    def _stress_told(self, progress: StressProgress) -> None:
        self._enter(_STAGE_OF[progress.phase], progress.words or _PHASE_WORDS[progress.phase])

    def _free_bytes(self) -> int | None:
        """What the driver says is free of the card's memory, at the last reading before the load."""
        used = next((s.reading.memory_used_bytes for s in reversed(self._readings)), None)
        total = self.gpu.memory_total_bytes
        return total - used if total is not None and used is not None else None

    def _seed(self, plan: StressPlan) -> int:
        challenge = self._background.challenge
        if challenge is not None:
            return seed_of(challenge.nonce)
        return plan.seed or secrets.randbits(32)

    def _note_other(self, reading: Reading) -> None:
        """Another card's processes can show that the load runs there."""
        if self._stage.is_load and reading.processes:
            self._others.append(reading)

    def _enter(self, stage: Stage, words: str) -> None:
        self._stage, self._words = stage, words
        self._say()

    def _say(self) -> None:
        passed_s, total_s = self._clock.elapsed_s() - self._began_s, self._plan.total_s
        self._tell(
            ExaminationProgress(
                stage=self._stage,
                words=self._words,
                done_percent=min(99, int(passed_s * 100 / total_s)) if total_s else 99,
                remaining_s=max(0, round(total_s - passed_s)),
                temperatures_c=tuple(self._temperatures),
            )
        )

    def _report(self, started_at: datetime, result: StressResult | None) -> HealthReport:
        row, candidates = self._background.reference.find(self.gpu)
        readings = tuple(self._readings)
        loaded = [staged.reading for staged in readings if staged.stage.is_load] + self._others
        pid = result.engine.pid if result is not None and result.engine is not None else 0
        evidence = Evidence(
            gpu=self.gpu,
            mode=self.mode,
            started_at=started_at,
            readings=readings,
            stress=result,
            reference=row,
            candidates=candidates,
            past_errors=self._background.past_errors,
            is_confirmed=confirmed_by(loaded, pid, self.gpu.gpu_id) if pid else None,
        )
        checks = judge(evidence)
        return HealthReport(
            report_id=secrets.token_hex(8),
            app_version=__version__,
            mode=self.mode,
            started_at=started_at,
            ended_at=self._clock.now(),
            card=CardIdentity.of(self.gpu),
            checks=checks,
            appraisal=appraise(evidence, checks),
            stress=result,
            samples=samples_of(readings),
            reference_row=row.model if row else "",
            reference_sha256=self._background.reference.sha256,
            challenge=self._background.challenge,
            operating_system=self._background.operating_system,
        )


def seed_of(nonce: str) -> int:
    """The seed of the patterns that answers a market's challenge: its nonce's first 32 bits, hexadecimal."""
    return int(nonce[:8], 16)
