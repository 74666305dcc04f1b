"""One check from its first reading to its report: the stages, and the hand on the load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from clocks import NOON, FakeClock
from health_samples import a_gpu, a_stress_result

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import Challenge, CheckMode, Grade, HealthReport, Stage
from argentum_desktop.domain.reading import GpuProcess, Reading, lost
from argentum_desktop.domain.stress import StressEnd, StressPhase, StressResult
from argentum_desktop.errors import StressError
from argentum_desktop.health.examination import Background, CheckPlan, Examination, ExaminationProgress
from argentum_desktop.health.reference import ReferenceTable
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress

PLAN = CheckPlan(3.0, 5.0, StressPlan(host_copy_s=2.0, memory_s=10.0, bandwidth_s=2.0, compute_s=6.0), 6.0)


class FakeRun:
    """A load that ends when the test says so, or when it is ended."""

    def __init__(self) -> None:
        self.result: asyncio.Future[StressResult] = asyncio.get_running_loop().create_future()
        self.ends: list[tuple[StressEnd, str]] = []
        self.is_free = False

    async def wait(self) -> StressResult:
        try:
            return await asyncio.shield(self.result)
        finally:
            self.is_free = True

    def end(self, why: StressEnd, words: str = "") -> None:
        self.ends.append((why, words))
        if not self.result.done():
            self.result.set_result(a_stress_result(end=why, words=words))


class FakeStress:
    def __init__(self) -> None:
        self.run: FakeRun | None = None
        self.plan: StressPlan | None = None
        self.tell: Callable[[StressProgress], None] = lambda _: None
        self.error: StressError | None = None

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> FakeRun:
        if self.error is not None:
            raise self.error
        self.plan, self.tell, self.run = plan, tell, FakeRun()
        return self.run


class Room:
    """An examination under way on a clock that the test moves; the card reports four times a second."""

    def __init__(self, mode: CheckMode = CheckMode.QUICK, plan: CheckPlan = PLAN, **background: Any) -> None:
        self.clock = FakeClock()
        self.stress = FakeStress()
        self.gpu = a_gpu(temperature_slowdown_c=90)
        self.on_battery = False
        self.told: list[ExaminationProgress] = []
        self.temperature_c: int | None = 50
        self.memory_c: int | None = None
        self.is_silent = self.is_lost = False
        self.others: tuple[Reading, ...] = ()
        self.pids: tuple[int, ...] = ()
        self.examination = Examination(
            self.gpu,
            mode,
            self.stress,
            self.clock,
            Background(ReferenceTable((), "0" * 64), "a system", **background),
            lambda: self.on_battery,
            plan,
        )
        self.task = asyncio.create_task(self.examination.run(self.told.append))

    async def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            await self.clock.advance(0.25)
            if not self.is_silent:
                self.examination.observe([self.reading(), *self.others])
        await self.clock.settle()

    async def until_load(self) -> FakeRun:
        await self.pass_s(8.5)
        assert self.stress.run is not None
        return self.stress.run

    async def report(self) -> HealthReport:
        await self.pass_s(7)
        assert self.task.done()
        return self.task.result()

    def reading(self) -> Reading:
        if self.is_lost:
            return lost(self.gpu.gpu_id, self.clock.now())
        return Reading(
            self.gpu.gpu_id,
            self.clock.now(),
            temperature_c=self.temperature_c,
            temperature_memory_c=self.memory_c,
            power_mw=300_000,
            memory_used_bytes=2 * 1024**3,
            processes=tuple(GpuProcess(pid, None, is_compute=True) for pid in self.pids),
        )


async def test_the_stages_come_in_their_order_and_end_in_a_report() -> None:
    room = Room()
    run = await room.until_load()
    for phase in (StressPhase.HOST_COPY, StressPhase.MEMORY, StressPhase.BANDWIDTH, StressPhase.COMPUTE):
        room.stress.tell(StressProgress(phase, 50, "half of it"))
        await room.pass_s(3)
    run.result.set_result(a_stress_result())
    report = await room.report()
    assert list(dict.fromkeys(progress.stage for progress in room.told)) == list(Stage)
    assert report.appraisal.grade not in {Grade.F, Grade.UNGRADED}
    assert report.stress == a_stress_result()
    assert report.started_at == NOON
    assert report.ended_at - report.started_at == timedelta(seconds=8.5 + 12 + 6)
    assert len(report.report_id) == 16
    assert set(report.samples.phase) >= {"counters", "baseline", "memory", "compute", "cool_down"}
    assert run.ends == []


async def test_the_load_is_told_what_is_free_and_begins_from_a_seed() -> None:
    room = Room()
    await room.until_load()
    plan = room.stress.plan
    assert plan is not None
    assert plan.free_bytes == 22 * 1024**3
    assert plan.seed
    room.task.cancel()


async def test_a_markets_challenge_seeds_the_patterns() -> None:
    challenge = Challenge("00c0ffee" + "0" * 24, "market", NOON)
    room = Room(challenge=challenge)
    run = await room.until_load()
    assert room.stress.plan is not None
    assert room.stress.plan.seed == 0xC0FFEE
    run.result.set_result(a_stress_result())
    assert (await room.report()).challenge == challenge


async def test_progress_grows_and_the_time_left_falls() -> None:
    room = Room()
    run = await room.until_load()
    await room.pass_s(10)
    run.result.set_result(a_stress_result())
    await room.report()
    done = [progress.done_percent for progress in room.told]
    left = [progress.remaining_s for progress in room.told]
    assert done == sorted(done)
    assert done[-1] <= 99
    assert left == sorted(left, reverse=True)
    assert left[0] == round(PLAN.total_s)
    assert room.told[-1].temperatures_c[0] == (0.2, 50)


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"temperature_c": 88}, StressEnd.TOO_HOT),
        ({"is_lost": True}, StressEnd.LOST),
        ({"on_battery": True}, StressEnd.CANCELLED),
    ],
)
async def test_the_load_ends_when_the_card_must_rest(change: dict[str, Any], end: StressEnd) -> None:
    room = Room()
    run = await room.until_load()
    vars(room).update(change)
    await room.pass_s(0.25)
    assert [why for why, _ in run.ends] == [end]
    assert run.is_free
    report = await room.report()
    assert report.stress is not None
    assert report.stress.words == run.ends[0][1]


async def test_a_degree_below_its_limit_it_goes_on() -> None:
    room = Room()
    run = await room.until_load()
    room.temperature_c = 87
    await room.pass_s(5)
    assert run.ends == []
    room.task.cancel()


async def test_hot_memory_ends_the_load_too() -> None:
    room = Room()
    room.examination.gpu = replace(room.gpu, temperature_memory_limit_c=105)
    run = await room.until_load()
    room.memory_c = 103
    await room.pass_s(0.25)
    assert [why for why, _ in run.ends] == [StressEnd.TOO_HOT]
    room.task.cancel()


async def test_a_card_that_reports_nothing_is_not_left_under_load() -> None:
    room = Room()
    run = await room.until_load()
    room.is_silent = True
    await room.pass_s(3.5)
    assert run.ends == []
    await room.pass_s(1)
    assert run.ends[0][0] is StressEnd.UNWATCHED
    assert "4 seconds" in run.ends[0][1]
    room.task.cancel()


async def test_a_card_that_is_hot_before_the_load_is_not_hurt_by_the_check() -> None:
    room = Room()
    room.temperature_c = 95
    await room.pass_s(9)
    assert room.stress.run is not None
    assert room.stress.run.ends[0][0] is StressEnd.TOO_HOT
    room.task.cancel()


async def test_cancelling_takes_the_load_off_at_once() -> None:
    room = Room()
    run = await room.until_load()
    room.task.cancel()
    await room.clock.settle()
    assert room.task.cancelled()
    assert run.is_free


async def test_without_a_load_only_the_counters_speak() -> None:
    room = Room(CheckMode.PASSIVE, CheckPlan(2.0, 2.0))
    report = await room.report()
    assert room.stress.run is None
    assert report.stress is None
    assert report.appraisal.grade is Grade.UNGRADED


async def test_a_process_that_cannot_be_started_is_said() -> None:
    room = Room()
    room.stress.error = StressError("The load cannot be started.")
    await room.pass_s(9)
    with pytest.raises(StressError, match="cannot be started"):
        room.task.result()


async def test_the_drivers_process_list_confirms_the_card() -> None:
    pid = a_stress_result().engine.pid  # type: ignore[union-attr]
    room = Room()
    room.pids = (pid,)
    run = await room.until_load()
    await room.pass_s(2)
    run.result.set_result(a_stress_result())
    (answer,) = [check for check in (await room.report()).checks if check.check_id == "answers.load"]
    assert answer.verdict.value == "pass"


async def test_a_load_on_another_card_is_not_graded() -> None:
    pid = a_stress_result().engine.pid  # type: ignore[union-attr]
    room = Room()
    room.pids = (1,)
    room.others = (Reading("GPU-2", NOON, processes=(GpuProcess(pid, None, is_compute=True),)),)
    run = await room.until_load()
    await room.pass_s(2)
    run.result.set_result(a_stress_result())
    assert (await room.report()).appraisal.grade is Grade.UNGRADED
