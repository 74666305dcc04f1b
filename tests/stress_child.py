"""The stress worker as a process, and what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.stress import ComputeTest, CopyRates, MemoryTest, StressPhase
from argentum_desktop.health.stress.protocol import StressPlan
from argentum_desktop.health.stress.wire import Begin, Ended, Line, Measured, Opened, Progress, Wanted

ROOT = Path(__file__).resolve().parents[1]
WORKER = (sys.executable, "-m", "argentum_desktop.health.stress.worker")
MIB = 1 << 20


def faulty(fault: str) -> tuple[str, ...]:
    """The worker on a card with this fault."""
    return sys.executable, str(ROOT / "tests" / "faulty_worker.py"), fault


def small_plan(
    *,
    host_copy_s: float = 0.0,
    memory_s: float = 0.0,
    bandwidth_s: float = 0.0,
    compute_s: float = 0.0,
    largest_bytes: int = 4 * MIB,
    pause_s: float = 0.0,
    ramp_s: float = 0.0,
) -> StressPlan:
    """Only the parts that are given a time."""
    return StressPlan(
        host_copy_s=host_copy_s,
        memory_s=memory_s,
        bandwidth_s=bandwidth_s,
        compute_s=compute_s,
        pause_s=pause_s,
        ramp_s=ramp_s,
        largest_bytes=largest_bytes,
        seed=7,
    )


@dataclass
class Child:
    """A running worker.

    Attributes:
        lines: with the second after the start at which each came.
    """

    process: subprocess.Popen[bytes]
    began_s: float
    lines: list[tuple[float, Line]] = field(default_factory=list)

    @property
    def elapsed_s(self) -> float:
        return SystemClock().elapsed_s() - self.began_s

    def next(self) -> Line | None:
        """The next line, None when there is none any more."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            return None
        line = msgspec.json.decode(text, type=Line)
        self.lines.append((self.elapsed_s, line))
        return line

    def until(self, phase: StressPhase, words: str = "") -> Progress:
        """Wait for progress in this phase."""
        while line := self.next():
            if isinstance(line, Progress) and line.phase is phase and words in line.words:
                return line
        raise AssertionError(f"it ended before {phase}: {self.lines[-1:]}")

    def to_the_end(self) -> Ended | None:
        """Read all; the last line if it said goodbye."""
        while line := self.next():
            if isinstance(line, Ended):
                return line
        return None

    @property
    def is_open(self) -> bool:
        return any(isinstance(line, Opened) for _, line in self.lines)

    @property
    def memory(self) -> MemoryTest | None:
        return next(
            (line.memory for _, line in reversed(self.lines) if isinstance(line, Measured) and line.memory), None
        )

    @property
    def compute(self) -> ComputeTest | None:
        found = (line.compute for _, line in reversed(self.lines) if isinstance(line, Measured) and line.compute)
        return next(found, None)

    @property
    def copy(self) -> CopyRates | None:
        return next((line.copy for _, line in reversed(self.lines) if isinstance(line, Measured) and line.copy), None)

    @property
    def longest_silence_s(self) -> float:
        """Between two lines, once the device was open."""
        times = [at_s for at_s, line in self.lines if not (isinstance(line, Progress) and line.phase == "starting")]
        return max((after - before for before, after in pairwise(times)), default=0.0)


@contextmanager
def started(
    plan: StressPlan, command: Sequence[str] = WORKER, wanted: Wanted | None = None, total_bytes: int = 0
) -> Iterator[Child]:
    """The process, told to begin."""
    begin = Begin(plan, wanted or Wanted(allow_software=True), total_bytes)
    began_s = SystemClock().elapsed_s()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(begin) + b"\n")
        process.stdin.flush()
        try:
            yield Child(process, began_s)
        finally:
            process.kill()
