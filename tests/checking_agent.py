"""The agent with checks of seconds: `checking_agent.py HOME FAULT`.

FAULT is `sound`, or `stuck-bit`: then every load on a card, which is simulated, finds twelve wrong words in its memory.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from argentum_desktop import logs
from argentum_desktop.app.core import Core
from argentum_desktop.app.health_parts import CheckOptions
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.domain.stress import StressEnd, StressResult
from argentum_desktop.health.examination import CheckPlan
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun, StressTest
from argentum_desktop.paths import Home
from argentum_desktop.settings import file as settings_file

SHORT = StressPlan(host_copy_s=0.2, memory_s=1.0, bandwidth_s=0.3, compute_s=0.8, ramp_s=0.2)
LONG = replace(SHORT, memory_s=60.0)
PLANS = {
    CheckMode.QUICK: CheckPlan(0.5, 0.5, SHORT, 0.5),
    CheckMode.FULL: CheckPlan(0.5, 0.5, LONG, 0.5),
    CheckMode.PASSIVE: CheckPlan(0.5, 0.5),
}


class StuckBits:
    """Loads that find twelve wrong words."""

    def __init__(self, inner: StressTest) -> None:
        self._inner = inner

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        return _StuckBit(await self._inner.start(gpu, plan, tell))


class _StuckBit:
    def __init__(self, run: StressRun) -> None:
        self._run = run

    async def wait(self) -> StressResult:
        result = await self._run.wait()
        if result.memory is None:
            return result
        wrong = replace(result.memory, errors=12, errors_again=12, first_bad_address=4096, bad_bits=4)
        return replace(result, memory=wrong)

    def end(self, why: StressEnd, words: str = "") -> None:
        self._run.end(why, words)


async def main(home: Home, fault: str) -> None:
    options = CheckOptions(PLANS, StuckBits) if fault == "stuck-bit" else CheckOptions(PLANS)
    core = Core(home, settings_file.load(home.settings_file), checks=options)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await core.open()
    await over.wait()
    await core.close()


if __name__ == "__main__":
    logs.configure(Path(sys.argv[1]) / "logs", "agent")
    asyncio.run(main(Home(Path(sys.argv[1])), sys.argv[2]))
