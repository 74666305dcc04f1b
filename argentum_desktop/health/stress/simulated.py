"""Loads for simulated cards: played on the clock, labelled as what they are, felt by the card's sensor."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from argentum_desktop import __version__
from argentum_desktop.clock import Clock
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.stress import (
    AdapterType,
    ComputeTest,
    CopyRates,
    MemoryTest,
    StressEnd,
    StressEngine,
    StressPhase,
    StressResult,
)
from argentum_desktop.errors import BadInputError, StressError
from argentum_desktop.gpus.simulated.builds import NAMED, Build
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun
from argentum_desktop.health.stress.watched_run import CANCELLED

SetLoad = Callable[[str, int, int], Awaitable[None]]

ENGINE = "simulated"
_STEP_S = 0.5
_FIRST_SHARE = 0.25
# What a healthy card reaches of what its memory, its chip and its slot could do.
_COPY_PERCENT, _ARITHMETIC_PERCENT, _SLOT_PERCENT = 92, 90, 80
_LEFT_BYTES, _LEFT_PERCENT = 512 * 2**20, 6
# A pattern writes, reads, writes the opposite and reads again.
_MOVES_A_PASS = 4
# Millions of bytes a second of one lane, after its coding; PCI-SIG, from the first generation to the sixth.
_LANE_MB_S = (0, 250, 500, 985, 1969, 3938, 7563)


class SimulatedStress:
    """Puts loads on simulated cards. A `StressTest`.

    Args:
        set_load: tells the card's sensor how busy it is (percent) and how much memory is used.
    """

    def __init__(self, clock: Clock, set_load: SetLoad) -> None:
        self._clock = clock
        self._set_load = set_load
        self._loaded: set[str] = set()

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        if not gpu.is_simulated:
            raise StressError(f"{gpu.label} is a real card, and this load is a simulated one.")
        if gpu.gpu_id in self._loaded:
            raise StressError(f"{gpu.label} is under a load already.", "Wait until it ends, or cancel it.")
        self._loaded.add(gpu.gpu_id)
        try:
            await self._set_load(gpu.gpu_id, 0, 0)
        except BaseException as error:
            self._loaded.discard(gpu.gpu_id)
            if isinstance(error, BadInputError):
                raise StressError(error.message, error.remedy) from error
            raise
        return _SimulatedRun(gpu, plan, tell, self._clock, self._set_load, self._loaded)


class _SimulatedRun:
    """One load that is being played."""

    def __init__(
        self,
        gpu: Gpu,
        plan: StressPlan,
        tell: Callable[[StressProgress], None],
        clock: Clock,
        set_load: SetLoad,
        loaded: set[str],
    ) -> None:
        self._gpu, self._plan, self._tell = gpu, plan, tell
        self._clock = clock
        self._set_load = set_load
        self._figures = Figures(gpu, plan)
        self._loaded = loaded
        self._end: StressEnd | None = None
        self._words = ""
        self._result = StressResult(StressEnd.COMPLETED, engine=_engine(gpu))
        self._playing = asyncio.create_task(self._play())
        self._ending = asyncio.create_task(self._take_off())

    async def wait(self) -> StressResult:
        try:
            await asyncio.shield(self._ending)
        except asyncio.CancelledError:
            self.end(StressEnd.CANCELLED, CANCELLED)
            await asyncio.wait({self._ending})
            raise
        return replace(self._result, end=self._end or StressEnd.COMPLETED, words=self._words)

    def end(self, why: StressEnd, words: str = "") -> None:
        if self._end is None and not self._playing.done():
            self._end, self._words = why, words
            self._playing.cancel()

    async def _take_off(self) -> None:
        """Wait until the play is over, however it ends, and take the load off the card."""
        try:
            await asyncio.wait({self._playing})
            await self._set_load(self._gpu.gpu_id, 0, 0)
        finally:
            self._loaded.discard(self._gpu.gpu_id)
        if not self._playing.cancelled():
            self._playing.result()  # a fault of ours must not pass for a finished load

    async def _play(self) -> None:
        plan, figures = self._plan, self._figures
        await self._phase(StressPhase.STARTING, 0.0, 0, 0)
        await self._phase(StressPhase.HOST_COPY, plan.host_copy_s, 30, 2**28)
        rates = figures.host_copy()
        self._result = replace(self._result, copy=rates)
        await self._phase(StressPhase.MEMORY, plan.memory_s + plan.pause_s, 95, figures.tested_bytes, self._tested)
        await self._phase(StressPhase.BANDWIDTH, plan.bandwidth_s, 90, figures.tested_bytes)
        self._result = replace(self._result, copy=replace(rates, device_mb_s=figures.copy_mb_s))
        await self._phase(StressPhase.COMPUTE, plan.compute_s, 100, 2**28, self._computed)
        self._result = replace(self._result, compute=figures.compute(plan.compute_s, is_whole=True))

    async def _phase(
        self,
        phase: StressPhase,
        length_s: float,
        percent: int,
        memory_bytes: int,
        note: Callable[[float], str] = lambda _: "",
    ) -> None:
        """One phase, in steps of half a second."""
        began_s = self._clock.elapsed_s()
        told = -1
        while True:
            passed_s = min(self._clock.elapsed_s() - began_s, length_s)
            load = round(percent * self._share(phase, passed_s))
            if load != told:
                await self._set_load(self._gpu.gpu_id, load, memory_bytes)
                told = load
            words = note(passed_s)
            self._tell(StressProgress(phase, round(passed_s * 100 / length_s) if length_s else 100, words))
            if passed_s >= length_s:
                return
            await self._clock.sleep(min(_STEP_S, length_s - passed_s))

    def _share(self, phase: StressPhase, passed_s: float) -> float:
        """Of the whole load: memory and compute grow to it, and the memory test rests once in its middle."""
        if phase not in {StressPhase.MEMORY, StressPhase.COMPUTE}:
            return 1.0
        if phase is StressPhase.MEMORY and 0 < passed_s - self._plan.memory_s / 2 < self._plan.pause_s:
            return 0.0
        if passed_s >= self._plan.ramp_s:
            return 1.0
        return _FIRST_SHARE + (1 - _FIRST_SHARE) * passed_s / self._plan.ramp_s

    def _tested(self, passed_s: float) -> str:
        half_s = self._plan.memory_s / 2
        memory = self._figures.memory(min(passed_s, half_s) + max(0.0, passed_s - half_s - self._plan.pause_s))
        self._result = replace(self._result, memory=memory)
        return f"pattern {memory.passes}, {memory.tested_bytes / 1e9:.1f} GB, no errors (simulated)"

    def _computed(self, passed_s: float) -> str:
        self._result = replace(self._result, compute=self._figures.compute(passed_s, is_whole=False))
        return "arithmetic, every result right (simulated)"


class Figures:
    """What such a card would have measured, from what it is made of."""

    def __init__(self, gpu: Gpu, plan: StressPlan) -> None:
        self._gpu = gpu
        self._build = _build_of(gpu)
        self._seed = plan.seed
        self.total_bytes = gpu.memory_total_bytes or self._build.memory_bytes
        free_bytes = self.total_bytes if plan.free_bytes is None else plan.free_bytes
        left_bytes = max(_LEFT_BYTES, self.total_bytes * _LEFT_PERCENT // 100)
        self.tested_bytes = max(0, free_bytes - left_bytes)
        if plan.largest_bytes is not None:
            self.tested_bytes = min(self.tested_bytes, plan.largest_bytes)

    @property
    def copy_mb_s(self) -> int:
        """Two transfers in each clock, as many bits wide as the bus."""
        return self._build.memory_clock_mhz * 2 * self._build.bus_bits // 8 * _COPY_PERCENT // 100

    def host_copy(self) -> CopyRates:
        """Through the slot; what sits in the processor has none and shares its memory."""
        generation, width = self._gpu.pcie_generation_max, self._gpu.pcie_width_max
        if not generation or not width:
            return CopyRates(host_to_card_mb_s=self.copy_mb_s // 2, card_to_host_mb_s=self.copy_mb_s // 2)
        rate = _LANE_MB_S[min(generation, len(_LANE_MB_S) - 1)] * width * _SLOT_PERCENT // 100
        return CopyRates(host_to_card_mb_s=rate, card_to_host_mb_s=rate)

    def memory(self, passed_s: float) -> MemoryTest:
        moved_bytes = int(passed_s * self.copy_mb_s * 1_000_000)
        passes = moved_bytes // (_MOVES_A_PASS * self.tested_bytes) if self.tested_bytes else 0
        return MemoryTest(
            total_bytes=self.total_bytes,
            target_bytes=self.tested_bytes,
            tested_bytes=self.tested_bytes if passes else 0,
            spilled_bytes=0,
            passes=passes,
            moved_bytes=moved_bytes,
            errors=0,
            seed=f"{self._seed:08x}",
        )

    def compute(self, passed_s: float, *, is_whole: bool) -> ComputeTest:
        build = self._build
        rate = 2 * build.cores * build.clock_boost_mhz * _ARITHMETIC_PERCENT // 100
        return ComputeTest(int(passed_s * 20), 0, "fused", rate if is_whole else None)


def _build_of(gpu: Gpu) -> Build:
    """What it is made of; of a scenario's own card, what comes nearest."""
    named = [build for build in NAMED.values() if build.name == gpu.name]
    wanted_bytes = gpu.memory_total_bytes or 0
    return min(named or NAMED.values(), key=lambda build: abs(build.memory_bytes - wanted_bytes))


def _engine(gpu: Gpu) -> StressEngine:
    return StressEngine(
        name=ENGINE,
        version=__version__,
        backend=ENGINE,
        adapter_name=gpu.name,
        adapter_type=AdapterType.SIMULATED,
        shaders_sha256=hashlib.sha256(b"").hexdigest(),
    )
