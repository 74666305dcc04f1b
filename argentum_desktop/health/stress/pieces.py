"""What is known of a load until now, put together from the worker's lines. Pure."""

from __future__ import annotations

from argentum_desktop.domain.stress import (
    ComputeTest,
    CopyRates,
    MemoryTest,
    StressEnd,
    StressEngine,
    StressResult,
)
from argentum_desktop.health.stress.wire import Ended, Line, Measured, Opened, Progress


class NonsenseError(Exception):
    """The worker said what no sound worker says."""


class Pieces:
    """Takes the lines in their order. A reason for the end is kept from the first who gives one."""

    def __init__(self) -> None:
        self.end: StressEnd | None = None
        self.words = ""
        self._engine: StressEngine | None = None
        self._memory: MemoryTest | None = None
        self._compute: ComputeTest | None = None
        self._copy: CopyRates | None = None

    @property
    def is_open(self) -> bool:
        """Whether the worker has opened the card."""
        return self._engine is not None

    def take(self, line: Line) -> None:
        """Take note of it.

        Raises:
            NonsenseError: it cannot be true.
        """
        match line:
            case Opened(engine):
                if self._engine is not None:
                    raise NonsenseError
                self._engine = engine
            case Measured():
                self._take_figures(line)
            case Ended(end, words):
                if end is StressEnd.COMPLETED and not self.is_open:
                    raise NonsenseError
                self.decide(end, words)
            case Progress(_, done_percent, _):
                if not 0 <= done_percent <= 100:
                    raise NonsenseError

    def decide(self, end: StressEnd, words: str) -> None:
        """It ends for this reason, if for none before."""
        if self.end is None:
            self.end, self.words = end, words

    def result(self) -> StressResult:
        """All of it.

        Only a load that ended by itself knows that it has found everything; whoever ended it keeps what there is.
        """
        end = self.end or StressEnd.CRASHED
        return StressResult(end, self.words, self._engine, self._memory, self._compute, self._copy)

    def _take_figures(self, line: Measured) -> None:
        if not self.is_open or _is_nonsense(line):
            raise NonsenseError
        self._memory = line.memory or self._memory
        self._compute = line.compute or self._compute
        self._copy = line.copy or self._copy


def _is_nonsense(line: Measured) -> bool:
    """Whether a figure cannot be: less than nothing, or more memory tested than was asked for."""
    figures: list[int | None] = []
    memory, compute, copy = line.memory, line.compute, line.copy
    if memory is not None:
        figures += [memory.total_bytes, memory.target_bytes, memory.tested_bytes, memory.spilled_bytes]
        figures += [memory.passes, memory.moved_bytes, memory.errors, memory.bad_bits, memory.errors_again]
        figures += [memory.first_bad_address, memory.last_bad_address]
        if memory.tested_bytes > memory.target_bytes:
            return True
    if compute is not None:
        figures += [compute.dispatches, compute.mismatches, compute.fp32_mflops]
    if copy is not None:
        figures += [copy.device_mb_s, copy.host_to_card_mb_s, copy.card_to_host_mb_s]
    return any(figure is not None and not 0 <= figure < 2**63 for figure in figures)
