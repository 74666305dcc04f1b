"""How a load on a card is begun, followed and ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.domain.stress import StressEnd, StressPhase, StressResult


@dataclass(frozen=True)
class StressPlan:
    """How long each part takes and how much it may use.

    Attributes:
        memory_s: for patterns; as many as fit, at least one of each kind.
        pause_s: one rest in the middle of the memory test, which makes the card change its clocks; 0 for none.
        ramp_s: the load grows from a quarter to the whole in this time, at the start of memory and of compute.
        free_bytes: of the card's memory, as the driver says; None where it does not. The test takes less than that.
        largest_bytes: never test more than this, for tests; None for as much as there is.
        seed: of the patterns, 32 bits; a market's challenge gives it, else it is random.
    """

    host_copy_s: float
    memory_s: float
    bandwidth_s: float
    compute_s: float
    pause_s: float = 0.0
    ramp_s: float = 3.0
    free_bytes: int | None = None
    largest_bytes: int | None = None
    seed: int = 0

    @property
    def total_s(self) -> float:
        return self.host_copy_s + self.memory_s + self.bandwidth_s + self.compute_s


PLANS = {
    CheckMode.QUICK: StressPlan(host_copy_s=3.0, memory_s=20.0, bandwidth_s=4.0, compute_s=17.0),
    CheckMode.FULL: StressPlan(host_copy_s=5.0, memory_s=300.0, bandwidth_s=10.0, compute_s=210.0, pause_s=15.0),
}


@dataclass(frozen=True)
class StressProgress:
    """Told at least once a second.

    Attributes:
        done_percent: of this phase.
        words: what is being done now, as in "pattern 12, 21.4 of 22.6 GB, no errors".
    """

    phase: StressPhase
    done_percent: int
    words: str = ""


class StressRun(Protocol):
    """A load that is under way."""

    async def wait(self) -> StressResult:
        """Until it ended by itself or was ended. Cancelling this ends the load too, within a second."""
        ...

    def end(self, why: StressEnd, words: str = "") -> None:
        """Take the load off the card at once; `wait` then returns what was measured until now. May be called twice."""
        ...


class StressTest(Protocol):
    """Somebody who can put a load on a card. No load raises anything but what `start` says: it ends with a reason."""

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        """Begin. `tell` is called on this loop.

        Raises:
            StressError: the process cannot be started at all.
        """
        ...
