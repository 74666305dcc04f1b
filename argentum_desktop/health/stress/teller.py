"""What the worker says while it works: often enough to be heard, seldom enough not to be in the way."""

from __future__ import annotations

import time
from collections.abc import Callable

from argentum_desktop.domain.stress import ComputeTest, CopyRates, MemoryTest, StressPhase
from argentum_desktop.health.stress.wire import Line, Measured, Progress

EVERY_S = 0.4
BREATH_S = 0.25


class Teller:
    """Says lines.

    Args:
        say: sends one line.
        now_s: seconds that pass.
        sleep: rests so many seconds.
    """

    def __init__(
        self,
        say: Callable[[Line], None],
        now_s: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._say = say
        self.now_s = now_s
        self._sleep = sleep
        self._last_s = float("-inf")
        self._phase: StressPhase | None = None

    def say(self, line: Line) -> None:
        self._say(line)

    def progress(
        self, phase: StressPhase, done_percent: int, words: str, so_far: Callable[[], Measured] | None = None
    ) -> None:
        """Tell how far it is and what was found until now, when it is time to or a phase begins.

        Args:
            so_far: asked only when something is told.
        """
        now_s = self.now_s()
        if phase is self._phase and now_s - self._last_s < EVERY_S:
            return
        self._phase, self._last_s = phase, now_s
        if so_far is not None:
            self._say(so_far())
        self._say(Progress(phase, max(0, min(100, done_percent)), words))

    def measured(
        self, memory: MemoryTest | None = None, compute: ComputeTest | None = None, copy: CopyRates | None = None
    ) -> None:
        """Tell what is known for good."""
        self._say(Measured(memory, compute, copy))

    def rest(self, seconds: float, heard: Callable[[], None]) -> None:
        """Leave the card alone so long; `heard` is called meanwhile."""
        end_s = self.now_s() + seconds
        while (left_s := end_s - self.now_s()) > 0:
            self._sleep(min(left_s, BREATH_S))
            heard()
