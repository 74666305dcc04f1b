"""The load on a simulated card: played on the clock, felt by its sensor, with the figures of what it is made of."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from clocks import FakeClock
from samples import GPU

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.stress import StressEnd, StressPhase, StressResult
from argentum_desktop.errors import BadInputError, StressError
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.gpus.simulated.builds import NAMED
from argentum_desktop.gpus.simulated.plan import CardPlan, Scenario
from argentum_desktop.health.stress.choosing import StressFor
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress
from argentum_desktop.health.stress.simulated import Figures, SimulatedStress

GIB = 2**30
PLAN = StressPlan(host_copy_s=3.0, memory_s=20.0, bandwidth_s=4.0, compute_s=17.0, seed=1)


class Bench:
    """A simulated card, its load, and the clock both go by."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.source = SimulatedSource(1)
        self.gpu = self.source.discover().gpus[0]
        self.loads: list[tuple[float, int, int]] = []
        self.told: list[StressProgress] = []
        self.stress = SimulatedStress(self.clock, self.set_load)

    async def set_load(self, gpu_id: str, percent: int, memory_used_bytes: int) -> None:
        self.source.set_load(gpu_id, percent, memory_used_bytes)
        self.loads.append((self.clock.elapsed_s() - 1000, percent, memory_used_bytes))

    def temperature_c(self) -> int:
        reading = self.source.read(self.clock.now())[0]
        assert reading.temperature_c is not None
        return reading.temperature_c

    async def play(self, plan: StressPlan = PLAN) -> StressResult:
        run = await self.stress.start(self.gpu, plan, self.told.append)
        await self.clock.advance(plan.total_s + plan.pause_s + 0.1)
        async with asyncio.timeout(1):
            return await run.wait()


async def test_it_takes_as_long_as_the_plan_says() -> None:
    bench = Bench()
    run = await bench.stress.start(bench.gpu, PLAN, bench.told.append)
    waiting = asyncio.create_task(run.wait())
    await bench.clock.advance(PLAN.total_s - 0.1)
    assert not waiting.done()
    await bench.clock.advance(0.2)
    assert (await waiting).end is StressEnd.COMPLETED
    assert bench.loads[-1][1:] == (0, 0)


async def test_the_card_gets_warm_and_is_told_at_least_once_a_second() -> None:
    bench = Bench()
    cold_c = bench.temperature_c()
    run = await bench.stress.start(bench.gpu, PLAN, bench.told.append)
    for _ in range(round(PLAN.total_s)):
        before = len(bench.told)
        await bench.clock.advance(1)
        assert len(bench.told) > before
        warm_c = bench.temperature_c()
    assert warm_c > cold_c + 20
    await bench.clock.advance(1)
    await run.wait()


async def test_the_load_grows_and_rests_as_the_plan_says() -> None:
    bench = Bench()
    await bench.play(replace(PLAN, pause_s=5.0))
    memory = [(at_s - 3, percent) for at_s, percent, used in bench.loads if 3 <= at_s < 28 and used > GIB]
    assert memory[0][1] == pytest.approx(95 / 4, abs=1)
    growing = [percent for at_s, percent in memory if at_s <= PLAN.ramp_s]
    assert growing == sorted(growing)
    assert growing[-1] == 95
    assert [at_s for at_s, percent in memory if percent == 0] == [10.5]
    assert (15.0, 95) in memory


async def test_the_figures_are_those_of_a_sound_card_of_its_making() -> None:
    bench = Bench()
    result = await bench.play()
    assert result.memory is not None
    assert result.memory.coverage_percent >= 85
    assert result.memory.tested_bytes <= 24 * GIB - 512 * 2**20
    assert result.memory.errors == 0
    # Without spilling, no more is moved than its memory could have.
    assert result.memory.moved_bytes <= 936_096 * 10**6 * PLAN.memory_s
    assert result.copy is not None
    assert result.copy.device_mb_s == 936_096 * 92 // 100  # 9751 MHz, twice a clock, 384 bits
    assert result.copy.host_to_card_mb_s == 25_203  # PCIe 4.0 x16 at 80 %
    assert result.compute is not None
    assert result.compute.fp32_mflops == 2 * 10_496 * 1860 * 90 // 100
    assert {told.phase for told in bench.told} == set(StressPhase)


@pytest.mark.parametrize("name", NAMED)
def test_every_card_there_is_has_figures(name: str) -> None:
    source = SimulatedSource(0, scenario=Scenario((CardPlan(replace(NAMED[name], name="My own")),)))
    figures = Figures(source.discover().gpus[0], PLAN)
    assert 50_000 < figures.copy_mb_s < 1_000_000
    assert figures.host_copy().host_to_card_mb_s
    assert figures.memory(20).passes > 10


async def test_no_more_than_is_free_and_asked_for() -> None:
    bench = Bench()
    assert Figures(bench.gpu, replace(PLAN, free_bytes=10 * GIB)).tested_bytes < 10 * GIB - 512 * 2**20
    assert Figures(bench.gpu, replace(PLAN, largest_bytes=4096)).tested_bytes == 4096
    nothing = Figures(bench.gpu, replace(PLAN, free_bytes=GIB // 4))
    assert nothing.tested_bytes == 0
    assert nothing.memory(20).coverage_percent == 0


async def test_what_was_not_finished_is_not_told() -> None:
    bench = Bench()
    run = await bench.stress.start(bench.gpu, PLAN, bench.told.append)
    await bench.clock.advance(2)
    run.end(StressEnd.LOST, "Gone.")
    result = await run.wait()
    assert (result.end, result.words) == (StressEnd.LOST, "Gone.")
    assert (result.memory, result.copy, result.compute) == (None, None, None)
    assert bench.loads[-1][1:] == (0, 0)


async def test_a_sensor_that_does_not_know_the_card_is_a_sentence() -> None:
    async def unknown(gpu_id: str, percent: int, memory_used_bytes: int) -> None:
        raise BadInputError(f"There is no simulated card {gpu_id}.")

    bench = Bench()
    stress = SimulatedStress(bench.clock, unknown)
    for _ in range(2):
        with pytest.raises(StressError, match="no simulated card SIM-0"):
            await stress.start(bench.gpu, PLAN, bench.told.append)


async def test_a_real_card_never_gets_a_simulated_load() -> None:
    bench = Bench()
    with pytest.raises(StressError, match="is a real card"):
        await bench.stress.start(GPU, PLAN, bench.told.append)


@pytest.mark.parametrize("is_simulated", [True, False])
async def test_the_load_is_chosen_by_the_card(is_simulated: bool) -> None:
    class Named:
        async def start(self, gpu: Gpu, plan: StressPlan, tell: object) -> Any:
            started.append((self, gpu))

    real, simulated = Named(), Named()
    started: list[tuple[object, Gpu]] = []
    gpu = Bench().gpu if is_simulated else GPU
    await StressFor(real, simulated).start(gpu, PLAN, lambda _: None)
    assert started == [(simulated if is_simulated else real, gpu)]
