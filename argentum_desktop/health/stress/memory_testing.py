"""The pattern test of the card's memory: moving inversions over all of it.

    fill p │ check p, write ~p upwards │ check ~p, write p downwards │ check p, write the next pattern upwards │ …

Whatever a word does to another one is seen when the other is read, whichever of the two is written first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from argentum_desktop.domain.stress import AdapterType, MemoryTest, StressPhase
from argentum_desktop.health.stress.engine import Engine
from argentum_desktop.health.stress.pacing import Pace, Ramp
from argentum_desktop.health.stress.patterns import KINDS, QUAD_BYTES, WORD_BITS, Pattern, pattern_number
from argentum_desktop.health.stress.protocol import StressPlan
from argentum_desktop.health.stress.sizing import GIB, LEAST_TIMED_BYTES, MIB, PIECE_BYTES, buffer_sizes, spilled
from argentum_desktop.health.stress.stopped import NoRoomError
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Measured
from argentum_desktop.health.stress.work import MOST_DISPATCHES, Buffer, Dispatch, Outcome, Slot

FILL, INVERT, EXCHANGE, VERIFY = "fill", "invert", "exchange", "verify"
_MOVES = {FILL: 1, INVERT: 2, EXCHANGE: 2, VERIFY: 1}

TOLD_EVERY = 32  # buffers, while they are asked for
FIRST_PIECES = 4
MOST_PIECES = 64 * GIB // PIECE_BYTES
LOOKED_AGAIN = 3
"""How often a buffer that looks too slow is timed again before it is believed: a screen may have needed the card."""


@dataclass
class _Part:
    """One buffer's share of the tested memory.

    Attributes:
        base: address of its first quad.
        checked_bytes: how much of it was read back at least once.
        seconds: the fastest time for reading and writing all of it; 0 before it was taken.
    """

    buffer: Buffer
    slot: int
    base: int
    checked_bytes: int = 0
    seconds: float = 0.0
    is_spilled: bool = False
    errors: int = 0
    first_bad: int | None = None
    last_bad: int | None = None
    bad_bits: int = 0

    @property
    def size_bytes(self) -> int:
        return self.buffer.size_bytes

    @property
    def pieces(self) -> int:
        return self.size_bytes // PIECE_BYTES

    def note(self, slot: Slot) -> None:
        """What kernels counted in this buffer."""
        begin = self.base * QUAD_BYTES
        first, last = begin + slot.first * 4, begin + slot.last * 4
        self.errors += slot.count
        self.first_bad = first if self.first_bad is None else min(first, self.first_bad)
        self.last_bad = last if self.last_bad is None else max(last, self.last_bad)
        self.bad_bits |= slot.bits


class MemoryTesting:
    """One run of it.

    Args:
        total_bytes: what the card has.
        target_bytes: how much to test.
        host_bytes_per_s: the faster direction of the copy between computer and card, if it was measured.
    """

    def __init__(
        self,
        engine: Engine,
        teller: Teller,
        plan: StressPlan,
        *,
        total_bytes: int,
        target_bytes: int,
        host_bytes_per_s: float | None = None,
    ) -> None:
        self._engine = engine
        self._teller = teller
        self._plan = plan
        self._total_bytes = total_bytes
        self._target_bytes = target_bytes
        self._host_bytes_per_s = host_bytes_per_s
        self._began_s = teller.now_s()
        self._ramp = Ramp(self._began_s, plan.ramp_s)
        self._pace = Pace(FIRST_PIECES, MOST_PIECES)
        self._is_proven = engine.adapter_type is not AdapterType.DISCRETE
        self._parts: list[_Part] = []
        self._held = pattern_number(0, plan.seed)
        self._flip = 0
        self._index = 0
        self._passes = 0
        self._moved_bytes = 0
        self._errors_before: _Errors | None = None
        self._is_paused = plan.pause_s <= 0

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """What was tested, for measuring its speed afterwards."""
        return tuple(part.buffer for part in self._parts if not part.is_spilled)

    def run(self) -> MemoryTest:
        """All of it: once, and once more when something was wrong."""
        self._take_memory()
        if self._parts:
            self._test(lambda: self._is_over)
            if self._errors.count:
                self._again()
        return self.result()

    def free(self) -> None:
        self._engine.free(*(part.buffer for part in self._parts))
        self._parts = []

    def result(self) -> MemoryTest:
        """What is known until now."""
        errors = self._errors_before or self._errors
        own = [part for part in self._parts if not part.is_spilled]
        return MemoryTest(
            total_bytes=self._total_bytes,
            target_bytes=self._target_bytes,
            tested_bytes=sum(part.checked_bytes for part in own) if self._is_proven else 0,
            spilled_bytes=sum(part.size_bytes for part in self._parts if part.is_spilled),
            passes=self._passes,
            moved_bytes=self._moved_bytes,
            errors=errors.count,
            first_bad_address=errors.first,
            last_bad_address=errors.last,
            bad_bits=errors.bits,
            errors_again=self._errors.count if self._errors_before else None,
            seed=f"{self._plan.seed & WORD_BITS:08x}",
        )

    @property
    def _errors(self) -> _Errors:
        """Of what is the card's own."""
        return _Errors.of([part for part in self._parts if not part.is_spilled])

    @property
    def _is_over(self) -> bool:
        return self._elapsed_s >= self._plan.memory_s

    @property
    def _elapsed_s(self) -> float:
        return self._teller.now_s() - self._began_s

    def _take_memory(self) -> None:
        base = 0
        for size in buffer_sizes(self._target_bytes, self._engine.largest_buffer_bytes):
            try:
                buffer = self._engine.buffer(size)
            except NoRoomError:
                # Less is free than was said: leave the rest alone, and some of what we have to the others too.
                if self._parts:
                    self._engine.free(self._parts.pop().buffer)
                return
            quads = size // QUAD_BYTES
            if base >> 32 != (base + quads - 1) >> 32:
                base = (base >> 32) + 1 << 32  # the low 32 bits of its addresses never wrap within a buffer
            self._parts.append(_Part(buffer, len(self._parts), base))
            base += quads
            if len(self._parts) % TOLD_EVERY == 0:
                self._tell()

    def _test(self, is_over: Callable[[], bool]) -> None:
        """Pattern after pattern, at least one set, until it is over or something is wrong."""
        self._index, self._flip = 0, 0
        self._held = pattern_number(0, self._plan.seed)
        self._sweep(FILL, self._parts)
        while True:
            self._sweep(INVERT, self._parts)
            self._flip ^= WORD_BITS
            self._sweep(INVERT, self._parts, downwards=True)
            self._flip ^= WORD_BITS
            over = is_over() and self._index + 1 >= len(KINDS)
            if not self._is_proven and (over or self._errors.count or self._ramp.is_over(self._teller.now_s())):
                self._prove()
            self._passes += 1
            self._index += 1
            if over or self._errors.count or not self._parts:
                break
            self._pause()
            self._sweep(EXCHANGE, self._parts)
        self._sweep(VERIFY, self._parts)

    def _again(self) -> None:
        """The one repetition, with the same patterns: as many as were needed, while there is time, at least a set."""
        self._errors_before, needed = self._errors, self._index
        for part in self._parts:
            part.errors, part.first_bad, part.last_bad, part.bad_bits = 0, None, None, 0
        passes = self._passes
        self._test(lambda: self._index + 1 >= needed or self._is_over)
        self._passes = passes

    def _pause(self) -> None:
        """The one rest in the middle: memory must keep what it holds, and the card lowers its clocks meanwhile."""
        if self._is_paused or self._elapsed_s < self._plan.memory_s / 2:
            return
        self._is_paused = True
        self._teller.rest(self._plan.pause_s, lambda: self._tell("resting, the memory keeps what was written"))

    def _prove(self) -> None:
        """Time every buffer alone: what is as slow as the computer's memory is not the card's."""
        for downwards in (False, True):
            for part in self._parts:
                self._time(part, downwards=downwards)
            self._flip ^= WORD_BITS
        slow = self._slow()
        for _ in range(LOOKED_AGAIN):
            for part in slow:
                self._time(part, downwards=False)
                self._flip ^= WORD_BITS
                self._time(part, downwards=True)
                self._flip ^= WORD_BITS
            slow = self._slow()
        for part in slow:
            part.is_spilled = True
        self._is_proven = True

    def _slow(self) -> list[_Part]:
        speeds = [2 * part.size_bytes / max(part.seconds, 1e-9) for part in self._parts]
        is_small = self._parts[0].size_bytes < LEAST_TIMED_BYTES
        return [self._parts[place] for place in spilled(speeds, None if is_small else self._host_bytes_per_s)]

    def _time(self, part: _Part, *, downwards: bool) -> None:
        seconds = self._sweep(INVERT, [part], downwards=downwards)
        part.seconds = min(seconds, part.seconds or seconds)

    def _sweep(self, step: str, parts: Sequence[_Part], *, downwards: bool = False) -> float:
        """One step over these parts; returns the seconds that the card took."""
        after = pattern_number(self._index, self._plan.seed) if step == EXCHANGE else self._held
        portions: list[list[tuple[_Part, int]]] = []
        seconds = 0.0
        for outcome in self._engine.stream(self._portions(step, parts, after, portions, downwards=downwards)):
            portion = portions.pop(0)
            self._account(step, portion, outcome)
            seconds += outcome.waited_s
            self._tell()
            rest_s = self._ramp.rest_s(self._teller.now_s(), outcome.waited_s)
            if rest_s > 0:
                self._teller.rest(rest_s, self._tell)
        self._held = after
        return seconds

    def _portions(
        self, step: str, parts: Sequence[_Part], after: Pattern, told: list[list[tuple[_Part, int]]], *, downwards: bool
    ) -> Iterator[list[Dispatch]]:
        """The work of a sweep in portions that the pace allows; what each one is, is added to `told`."""
        work: list[Dispatch] = []
        what: list[tuple[_Part, int]] = []
        room = self._pace.units
        for part in reversed(parts) if downwards else parts:
            done = 0
            while done < part.pieces:
                count = min(room, part.pieces - done)
                first = part.pieces - done - count if downwards else done
                work.append(self._dispatch(step, part, after, (first, count), downwards=downwards))
                what.append((part, count))
                done += count
                room -= count
                if room == 0 or len(work) == MOST_DISPATCHES:
                    told.append(what)
                    yield work
                    work, what, room = [], [], self._pace.units
        if work:
            told.append(what)
            yield work

    def _dispatch(self, step: str, part: _Part, after: Pattern, span: tuple[int, int], *, downwards: bool) -> Dispatch:
        first, count = span
        page = part.base >> 32
        kinds = {}
        if step != FILL:
            kinds["expected_kind"] = int(self._held.kind)
        if step in {FILL, EXCHANGE}:
            kinds["written_kind"] = int(after.kind)
        task = (
            first * PIECE_BYTES // QUAD_BYTES,
            part.base & WORD_BITS,
            part.slot,
            count if downwards else 0,
            self._held.key(page),
            after.key(page),
            self._flip,
            0,
            *self._held.masks(page),
            *after.masks(page),
        )
        return Dispatch(self._engine.kernel("memory", step, **kinds), part.buffer, task, count)

    def _account(self, step: str, portion: Sequence[tuple[_Part, int]], outcome: Outcome) -> None:
        pieces = sum(count for _, count in portion)
        self._moved_bytes += pieces * PIECE_BYTES * _MOVES[step]
        self._pace.took(pieces, outcome.waited_s)
        for part, count in portion:
            if step != FILL:
                part.checked_bytes = min(part.size_bytes, part.checked_bytes + count * PIECE_BYTES)
        for part in self._parts:
            if part.slot in outcome.found:
                part.note(outcome.found[part.slot])

    def _tell(self, doing: str = "") -> None:
        percent = int(100 * self._elapsed_s / self._plan.memory_s) if self._plan.memory_s > 0 else 0
        words = doing or self._words()
        self._teller.progress(StressPhase.MEMORY, min(99, percent), words, lambda: Measured(memory=self.result()))

    def _words(self) -> str:
        """As in "pattern 12, 21.4 of 22.6 GB, no errors"."""
        errors = self._errors_before or self._errors
        checked = sum(part.checked_bytes for part in self._parts)
        found = f"{errors.count} errors" if errors.count > 1 else "1 error" if errors.count else "no errors"
        again = "once more to be sure, " if self._errors_before else ""
        return f"{again}pattern {self._index + 1}, {_amount(checked)} of {_amount(self._target_bytes)}, {found}"


@dataclass(frozen=True)
class _Errors:
    """What was wrong in all parts together."""

    count: int
    first: int | None
    last: int | None
    bits: int

    @classmethod
    def of(cls, parts: Sequence[_Part]) -> _Errors:
        bits = 0
        for part in parts:
            bits |= part.bad_bits
        return cls(
            sum(part.errors for part in parts),
            min((part.first_bad for part in parts if part.first_bad is not None), default=None),
            max((part.last_bad for part in parts if part.last_bad is not None), default=None),
            bits,
        )


def _amount(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1_000_000_000 else f"{size_bytes // MIB} MiB"
