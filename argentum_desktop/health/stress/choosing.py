"""The load that fits the card."""

from __future__ import annotations

from collections.abc import Callable

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun, StressTest


class StressFor:
    """Real loads for real cards, simulated ones for simulated cards, and never the other way round. A `StressTest`."""

    def __init__(self, real: StressTest, simulated: StressTest) -> None:
        self._real = real
        self._simulated = simulated

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        test = self._simulated if gpu.is_simulated else self._real
        return await test.start(gpu, plan, tell)
