"""What every load must do: the real worker over Mesa's software Vulkan, and the one for simulated cards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import msgspec
import pytest

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.domain.stress import AdapterType, StressEnd, StressPhase, StressResult
from argentum_desktop.errors import StressError
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.health.stress.choosing import StressFor
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun
from argentum_desktop.health.stress.simulated import SimulatedStress
from argentum_desktop.health.stress.vulkan.probe import vulkan_devices
from argentum_desktop.health.stress.watched import WatchedStress, stress_command

PLAN = StressPlan(
    host_copy_s=0.05, memory_s=0.3, bandwidth_s=0.1, compute_s=0.2, ramp_s=0.1, largest_bytes=4 * 2**20, seed=0xC0FFEE
)
SOFTWARE = Gpu("software", "llvmpipe", Vendor.OTHER, memory_total_bytes=2**31)
# Long enough that only ending it ends it.
LONG = replace(PLAN, memory_s=60.0)


class SimulatedSensor:
    """The simulated cards' source, in this process."""

    def __init__(self) -> None:
        self.source = SimulatedSource(1)
        self.loads: list[tuple[str, int, int]] = []

    @property
    def gpu(self) -> Gpu:
        return self.source.discover().gpus[0]

    async def set_load(self, gpu_id: str, percent: int, memory_used_bytes: int) -> None:
        self.source.set_load(gpu_id, percent, memory_used_bytes)
        self.loads.append((gpu_id, percent, memory_used_bytes))


@dataclass
class Stand:
    """A load and a card for it."""

    stress: StressFor
    gpu: Gpu
    sensor: SimulatedSensor
    told: list[StressProgress] = field(default_factory=list)

    async def start(self, plan: StressPlan = PLAN) -> StressRun:
        return await self.stress.start(self.gpu, plan, self.told.append)

    async def start_long(self) -> StressRun:
        """Under way in the memory test, with something measured."""
        run = await self.start(LONG)
        async with asyncio.timeout(30):
            while sum(told.phase is StressPhase.MEMORY for told in self.told) < 2:
                await asyncio.sleep(0.01)
        return run


def has_software_card() -> bool:
    try:
        return any(device.adapter_type is AdapterType.CPU for device in vulkan_devices())
    except StressError:
        return False


@pytest.fixture(params=["simulated", "worker"])
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    clock, sensor = SystemClock(), SimulatedSensor()
    if request.param == "worker" and not await asyncio.to_thread(has_software_card):
        pytest.skip("there is no software Vulkan here: install mesa-vulkan-drivers")
    gpu = SOFTWARE if request.param == "worker" else sensor.gpu
    real = WatchedStress(stress_command(), clock, allow_software=True)
    yield Stand(StressFor(real, SimulatedStress(clock, sensor.set_load)), gpu, sensor)
    assert all(percent == 0 for _, percent, _ in sensor.loads[-1:])


async def test_a_whole_load(stand: Stand) -> None:
    result = await (await stand.start()).wait()
    assert (result.end, result.words) == (StressEnd.COMPLETED, "")
    assert result.engine is not None
    is_simulated = stand.gpu.is_simulated
    assert result.engine.adapter_type is (AdapterType.SIMULATED if is_simulated else AdapterType.CPU)
    assert result.engine.name == ("simulated" if is_simulated else "wgpu")
    _check_figures(result)
    assert msgspec.json.decode(msgspec.json.encode(result), type=StressResult) == result
    phases = list(dict.fromkeys(told.phase for told in stand.told))
    assert phases == list(StressPhase)
    assert [told.phase for told in stand.told] == sorted((told.phase for told in stand.told), key=phases.index)
    assert all(0 <= told.done_percent <= 100 for told in stand.told)
    for one, next_one in pairwise(stand.told):
        assert one.phase is not next_one.phase or one.done_percent <= next_one.done_percent


def _check_figures(result: StressResult) -> None:
    memory, compute, copy = result.memory, result.compute, result.copy
    assert memory is not None
    assert memory.target_bytes == memory.tested_bytes == 4 * 2**20
    assert (memory.errors, memory.spilled_bytes, memory.first_bad_address, memory.bad_bits) == (0, 0, None, 0)
    assert memory.passes >= 1
    assert memory.moved_bytes >= memory.passes * 2 * memory.tested_bytes
    assert memory.seed == "00c0ffee"
    assert compute is not None
    assert compute.dispatches >= 1
    assert compute.mismatches == 0
    assert compute.rounding in {"fused", "separate"}
    assert copy is not None
    assert copy.device_mb_s
    assert copy.host_to_card_mb_s
    assert copy.card_to_host_mb_s


async def test_ended_in_the_middle(stand: Stand) -> None:
    run = await stand.start_long()
    began_s = time.monotonic()
    run.end(StressEnd.TOO_HOT, "At 88 °C.")
    run.end(StressEnd.CANCELLED, "too late")
    result = await run.wait()
    assert time.monotonic() - began_s < 1.0
    assert (result.end, result.words) == (StressEnd.TOO_HOT, "At 88 °C.")
    assert result.engine is not None
    assert result.memory is not None
    assert result.memory.tested_bytes <= result.memory.target_bytes
    assert result.compute is None
    run.end(StressEnd.LOST)
    assert await run.wait() == result


async def test_whoever_stops_waiting_ends_the_load_and_the_card_is_free(stand: Stand) -> None:
    run = await stand.start_long()
    with pytest.raises(StressError, match="under a load already"):
        await stand.start()
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0)
    began_s = time.monotonic()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - began_s < 1.0
    again = await stand.start(LONG)
    again.end(StressEnd.CANCELLED, "Enough.")
    result = await again.wait()
    assert (result.end, result.words, result.memory) == (StressEnd.CANCELLED, "Enough.", None)
