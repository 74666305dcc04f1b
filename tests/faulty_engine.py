"""An engine whose card is broken in one certain way. Everything is computed for real, on a real device of the system;
what breaks it are kernels of its own that run between those of the product: within them they would race."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from argentum_desktop.domain.stress import AdapterType
from argentum_desktop.health.stress.engine import Engine
from argentum_desktop.health.stress.matching import Match
from argentum_desktop.health.stress.patterns import PatternKind
from argentum_desktop.health.stress.sizing import PIECE_BYTES
from argentum_desktop.health.stress.stopped import NoRoomError
from argentum_desktop.health.stress.work import Buffer, Dispatch, Prepared, Ticket
from argentum_desktop.resources import resource

PLANT = """
struct Task { word: u32, kept: u32, added: u32, flipped: u32, source: u32, mask: u32 }
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@group(0) @binding(2) var<uniform> task: Task;
@group(0) @binding(3) var<storage, read_write> other: array<u32>;

@compute @workgroup_size(1) fn change() {
    memory[task.word] = ((memory[task.word] & task.kept) | task.added) ^ task.flipped;
}
@compute @workgroup_size(1) fn couple() {
    memory[task.word] = (memory[task.word] & ~task.mask) | (memory[task.source] & task.mask);
}
@compute @workgroup_size(1) fn carry_over() {
    other[task.word] = memory[task.source];
}
"""
ALL = 0xFFFF_FFFF
WRITING = {"fill", "invert", "exchange"}
PIECE_WORDS = PIECE_BYTES // 4


@dataclass(frozen=True)
class Fault:
    """Sound.

    Attributes:
        slot: which buffer of the memory test, likewise `other_slot`.
        word: of this buffer, likewise `other_word` of the other.
    """

    slot: int = 0
    word: int = 0
    bit: int = 0

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        """What else happens on the card after this kernel has written."""
        return []


@dataclass(frozen=True)
class StuckBit(Fault):
    """A bit that keeps one value."""

    is_one: bool = True

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        if dispatch.task[2] != self.slot:
            return []
        mask = 1 << self.bit
        task = (self.word, ALL ^ mask, mask if self.is_one else 0, 0)
        return [Dispatch(engine.planting("change"), dispatch.memory, task, 1)]


@dataclass(frozen=True)
class CoupledBit(Fault):
    """A bit that takes the value of the same bit of another word of its buffer."""

    source: int = 1

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        if dispatch.task[2] != self.slot:
            return []
        task = (self.word, 0, 0, 0, self.source, 1 << self.bit)
        return [Dispatch(engine.planting("couple"), dispatch.memory, task, 1)]


@dataclass(frozen=True)
class AliasedLine(Fault):
    """What is written to `word` of `slot` lands at `other_word` of `other_slot` too."""

    other_slot: int = 1
    other_word: int = 0

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        begin, end = dispatch.task[0] * 4, dispatch.task[0] * 4 + dispatch.groups * PIECE_WORDS
        target = engine.memory_of.get(self.other_slot)
        if dispatch.task[2] != self.slot or not begin <= self.word < end or target is None:
            return []
        if target is dispatch.memory:
            task = (self.other_word, 0, 0, 0, self.word, ALL)
            return [Dispatch(engine.planting("couple"), dispatch.memory, task, 1)]
        task = (self.other_word, 0, 0, 0, self.word)
        return [Dispatch(engine.planting("carry_over"), dispatch.memory, task, 1, target)]


@dataclass(frozen=True)
class FlippedOnce(Fault):
    """A bit that turns round a single time: after this many kernels over its buffer."""

    when: int = 0

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        if dispatch.task[2] != self.slot:
            return []
        engine.writes += 1
        if engine.writes != self.when + 1:
            return []
        return [Dispatch(engine.planting("change"), dispatch.memory, (self.word, ALL, 0, 1 << self.bit), 1)]


@dataclass(frozen=True)
class Slow(Fault):
    """A buffer that answers many times more slowly than the others, as over a bus."""

    times: int = 30

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        if dispatch.task[2] != self.slot:
            return []
        # The same reads again, with nothing changed: `verify` of what this kernel has just written.
        groups = dispatch.groups * PIECE_BYTES // 4096
        work = Dispatch(engine.kernel("copy", "one"), dispatch.memory, (dispatch.task[0],), groups, engine.scratch)
        return [work] * self.times


@dataclass(frozen=True)
class AllWrong(Fault):
    """Memory that never holds what was written: something else stands there after every write."""

    def after(self, engine: FaultyEngine, dispatch: Dispatch) -> list[Dispatch]:
        task = (dispatch.task[0], 0x0123_4567, *dispatch.task[2:5], 0xBAD0_BAD0, *dispatch.task[6:])
        fill = engine.kernel("memory", "fill", written_kind=int(PatternKind.HASH))
        return [replace(dispatch, kernel=fill, task=task)]


@dataclass(frozen=True)
class WrongSum(Fault):
    """One place of the card computes wrong now and then. `shader` says in which arithmetic."""

    shader: str = "fma"


@dataclass(frozen=True)
class Hangs(Fault):
    """The card does not come back from this portion of work."""

    when: int = 20


@dataclass(frozen=True)
class Lost(Fault):
    """The driver loses the card during this portion of work."""

    when: int = 20


class Full(Fault):
    """Other programs hold all of the card's memory."""


class FaultyEngine(Engine):
    """Computes on this device, with this fault.

    Args:
        is_discrete: pretend that the device has memory of its own.
    """

    def __init__(self, adapter: Any, match: Match, fault: Fault, *, is_discrete: bool = False) -> None:
        super().__init__(adapter, replace(match, adapter_type=AdapterType.DISCRETE) if is_discrete else match)
        self.fault = fault
        self.writes = 0
        self.memory_of: dict[int, Buffer] = {}
        self._portions = 0
        self._scratch: Buffer | None = None

    @property
    def scratch(self) -> Buffer:
        if self._scratch is None:
            self._scratch = self.buffer(8 << 20)
        return self._scratch

    def planting(self, entry: str) -> Any:
        return self.compiled_once(PLANT, entry)

    def compiled_once(self, source: str, entry: str) -> Any:
        key = (source, entry, ())
        if key not in self._kernels:
            self._kernels[key] = self.compiled(source, entry)
        return self._kernels[key]

    def forget(self, fault: Fault) -> None:
        """From now on this fault."""
        self.fault, self.writes, self.memory_of = fault, 0, {}

    def prepare(self, work: Sequence[Dispatch]) -> Prepared:
        return super().prepare(list(self._with_fault(work)))

    def buffer(self, size_bytes: int) -> Buffer:
        if isinstance(self.fault, Full):
            raise NoRoomError
        return super().buffer(size_bytes)

    def submit(self, prepared: Prepared) -> Ticket:
        self._portions += 1
        if isinstance(self.fault, Lost) and self._portions == self.fault.when:
            self._device.destroy()
        ticket = super().submit(prepared)
        if isinstance(self.fault, Hangs) and self._portions == self.fault.when:
            time.sleep(3600)
        return ticket

    def _with_fault(self, work: Sequence[Dispatch]) -> Iterator[Dispatch]:
        for dispatch in work:
            if dispatch.kernel.name in WRITING:
                self.memory_of[dispatch.task[2]] = dispatch.memory
                yield dispatch
                yield from self.fault.after(self, dispatch)
            elif dispatch.kernel.name == "main" and isinstance(self.fault, WrongSum):
                yield replace(dispatch, kernel=self._miscomputing(dispatch))
            else:
                yield dispatch

    def _miscomputing(self, dispatch: Dispatch) -> Any:
        """The same kernel on a card with one bad place."""
        is_fma = len(dispatch.task) == 3
        assert isinstance(self.fault, WrongSum)
        if is_fma != (self.fault.shader == "fma"):
            return dispatch.kernel
        source = resource("shaders", f"{self.fault.shader}.wgsl").read_text("utf-8")
        if is_fma:
            sound, ill = (
                "d = fma(d, d, c);",
                ("d = fma(d, d, c); if local == 77u && fold == 3u { d.y = bitcast<f32>(bitcast<u32>(d.y) ^ 1u); }"),
            )
        else:
            sound, ill = "x = x + x.yzwx;", "x = x + x.yzwx; if local == 77u && step == 100u { x.z ^= 64u; }"
        assert sound in source
        return self.compiled_once(source.replace(sound, ill), "main")


def random_fault(random: Random, sizes: Sequence[int]) -> Fault:
    """Any kind, any place, any bit."""
    slot = random.randrange(len(sizes))
    word, bit = random.randrange(sizes[slot] // 4), random.randrange(32)
    match random.randrange(5):
        case 0:
            return StuckBit(slot, word, bit, is_one=True)
        case 1:
            return StuckBit(slot, word, bit, is_one=False)
        case 2:
            source = (word + 1 + random.randrange(sizes[slot] // 4 - 1)) % (sizes[slot] // 4)
            return CoupledBit(slot, word, bit, source)
        case 3:
            other = random.randrange(len(sizes))
            other_word = random.randrange(sizes[other] // 4)
            if (other, other_word) == (slot, word):
                other_word = (other_word + 1) % (sizes[other] // 4)
            return AliasedLine(slot, word, bit, other, other_word)
        case _:
            return FlippedOnce(slot, word, bit, random.randrange(6))
