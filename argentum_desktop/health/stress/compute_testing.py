"""Arithmetic on the whole card, every result compared with the known one on the card itself, bit by bit."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from argentum_desktop.domain.stress import ComputeTest, StressPhase
from argentum_desktop.health.stress.engine import Engine
from argentum_desktop.health.stress.goldens import (
    FLOPS_OF_ROUND,
    FMA_STARTS,
    INTEGER_START,
    fma_golden,
    fused,
    integer_golden,
    separate,
)
from argentum_desktop.health.stress.pacing import Pace, Ramp
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Measured
from argentum_desktop.health.stress.work import Buffer, Dispatch, Outcome

GROUP = 256
FULL_GROUPS = 8192
"""Enough for every place of the largest card to be taken several times over: that is what heats it."""

MOST_ROUNDS = 1 << 16
FRACTIONS_EACH = 4
"""Of so many portions one is of whole numbers: the units for fractions take most of the power."""

INTEGER_SLOT, FUSED_SLOT, SEPARATE_SLOT = 0, 1, 2


@dataclass
class _Counted:
    """What came back until now, in invocations."""

    dispatches: int = 0
    integers_wrong: int = 0
    fractions: int = 0
    not_fused: int = 0
    not_separate: int = 0
    flops: float = 0.0
    seconds: float = 0.0


class ComputeTesting:
    """One run of it."""

    def __init__(self, engine: Engine, teller: Teller, span_s: float, ramp_s: float) -> None:
        self._engine = engine
        self._teller = teller
        self._span_s = span_s
        self._began_s = teller.now_s()
        self._ramp = Ramp(self._began_s, ramp_s)
        self._counted = _Counted()
        self._golden_integer = integer_golden()
        self._goldens_fma = fma_golden(fused), fma_golden(separate)
        self._paces = Pace(64, FULL_GROUPS * MOST_ROUNDS), Pace(64, FULL_GROUPS * MOST_ROUNDS)

    def run(self) -> ComputeTest:
        """For the span; both kinds at least once."""
        integers = self._starts(_integer_starts())
        fractions = self._starts(_fma_starts())
        turn = 0
        while turn < 2 or self._teller.now_s() - self._began_s < self._span_s:
            outcome = self._integers(integers) if turn % FRACTIONS_EACH == 0 else self._fractions(fractions)
            turn += 1
            self._tell()
            rest_s = self._ramp.rest_s(self._teller.now_s(), outcome.waited_s)
            if rest_s > 0:
                self._teller.rest(rest_s, self._tell)
        self._engine.free(integers, fractions)
        return self.result()

    def result(self) -> ComputeTest:
        """What is known until now.

        A card may round `fma` in either way, but always in the same: the way that fits most of its results is its own.
        Where neither fits even half of them it has none.
        """
        counted = self._counted
        wrong, rounding = min((counted.not_separate, "separate"), (counted.not_fused, "fused"))
        if wrong * 2 > counted.fractions or not counted.fractions:
            rounding = "neither" if counted.fractions else ""
        speed = round(counted.flops / counted.seconds / 1e6) if counted.seconds > 0 else None
        return ComputeTest(counted.dispatches, counted.integers_wrong + wrong, rounding, speed)

    def _starts(self, content: bytes) -> Buffer:
        buffer = self._engine.buffer(len(content))
        self._engine.write(buffer, content)
        return buffer

    def _integers(self, starts: Buffer) -> Outcome:
        pace = self._paces[0]
        groups, rounds = _split(pace.units)
        kernel = self._engine.kernel("integer", "main")
        outcome = self._engine.run([Dispatch(kernel, starts, (rounds, self._golden_integer), groups)])
        pace.took(groups * rounds, outcome.waited_s)
        self._counted.dispatches += 1
        self._counted.integers_wrong += _count(outcome, INTEGER_SLOT)
        return outcome

    def _fractions(self, starts: Buffer) -> Outcome:
        pace = self._paces[1]
        groups, rounds = _split(pace.units)
        kernel = self._engine.kernel("fma", "main")
        outcome = self._engine.run([Dispatch(kernel, starts, (rounds, *self._goldens_fma), groups)])
        pace.took(groups * rounds, outcome.waited_s)
        counted = self._counted
        counted.dispatches += 1
        counted.fractions += groups * GROUP
        counted.not_fused += _count(outcome, FUSED_SLOT)
        counted.not_separate += _count(outcome, SEPARATE_SLOT)
        if self._ramp.is_over(self._teller.now_s() - outcome.waited_s):
            counted.flops += groups * GROUP * rounds * FLOPS_OF_ROUND
            counted.seconds += outcome.seconds
        return outcome

    def _tell(self) -> None:
        elapsed_s = self._teller.now_s() - self._began_s
        percent = int(100 * elapsed_s / self._span_s) if self._span_s > 0 else 0
        result = self.result()
        found = f"{result.mismatches} wrong results" if result.mismatches else "every bit as it should be"
        speed = f"{result.fp32_mflops / 1e6:.1f} TFLOPS, " if result.fp32_mflops else ""
        self._teller.progress(
            StressPhase.COMPUTE, min(99, percent), speed + found, lambda: Measured(compute=self.result())
        )


def _split(units: int) -> tuple[int, int]:
    """As many workgroups as fill the card, then rounds for each."""
    groups = min(units, FULL_GROUPS)
    return groups, max(1, units // groups)


def _count(outcome: Outcome, slot: int) -> int:
    return outcome.found[slot].count if slot in outcome.found else 0


def _integer_starts() -> bytes:
    return struct.pack("<4I", *INTEGER_START) * GROUP


def _fma_starts() -> bytes:
    return b"".join(struct.pack("<4f", *starts) * GROUP for starts in FMA_STARTS)
