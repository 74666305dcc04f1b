"""The kernels on the software device, held against the same in Python."""

from __future__ import annotations

import struct

import pytest
from software_card import opened

from argentum_desktop.domain.stress import CopyRates, StressEnd
from argentum_desktop.health.stress.copy_rates import SHAPES, Bandwidth, HostCopy, faster_direction
from argentum_desktop.health.stress.engine import Engine, shaders_sha256
from argentum_desktop.health.stress.memory_testing import MemoryTesting
from argentum_desktop.health.stress.patterns import PatternKind, pattern_number
from argentum_desktop.health.stress.protocol import StressPlan
from argentum_desktop.health.stress.sizing import MIB, PIECE_BYTES
from argentum_desktop.health.stress.stopped import NoRoomError, StoppedError
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Line
from argentum_desktop.health.stress.work import Buffer, Dispatch, Outcome

WORD = 0xFFFF_FFFF
BASES = (0, 65_536, (1 << 32) + 4096, (3 << 32) + (1 << 31))
"""Addresses of the first quad; the last ones lie beyond 64 GiB."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return opened()


@pytest.fixture
def memory(engine: Engine) -> Buffer:
    return engine.buffer(2 * PIECE_BYTES)


def content(engine: Engine, buffer: Buffer) -> tuple[int, ...]:
    raw = bytes(engine._device.queue.read_buffer(buffer.handle))
    return struct.unpack(f"<{len(raw) // 4}I", raw)


def task(base: int, index: int, flips: tuple[int, int] = (0, 0), downwards_from: int = 0) -> tuple[int, ...]:
    """For one pattern, expected and written alike."""
    pattern, page = pattern_number(index, 7), base >> 32
    masks = pattern.masks(page)
    key = pattern.key(page)
    return 0, base & WORD, 3, downwards_from, key, key, *flips, *masks, *masks


def done(engine: Engine, memory: Buffer, entry: str, index: int, task: tuple[int, ...]) -> Outcome:
    kind = int(pattern_number(index, 7).kind)
    kinds = {"written_kind": kind} if entry == "fill" else {"expected_kind": kind}
    if entry == "exchange":
        kinds["written_kind"] = kind
    return engine.run(
        [Dispatch(engine.kernel("memory", entry, **kinds), memory, task, memory.size_bytes // PIECE_BYTES)]
    )


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("index", range(6))
def test_what_is_written_is_the_pattern_of_the_address(engine: Engine, memory: Buffer, index: int, base: int) -> None:
    done(engine, memory, "fill", index, task(base, index))
    words = content(engine, memory)
    pattern = pattern_number(index, 7)
    for quad in (0, 1, 2, 255, 256, 511, 512, 16_383, 16_384, 32_767):
        assert words[quad * 4 : quad * 4 + 4] == pattern.quad(base + quad), (pattern.kind, quad)


@pytest.mark.parametrize("downwards_from", [0, 2])
@pytest.mark.parametrize("entry", ["invert", "exchange", "verify"])
def test_every_single_word_is_checked(engine: Engine, memory: Buffer, entry: str, downwards_from: int) -> None:
    """Wrong words at all the seams: each is found, counted once, and named."""
    index = 1
    for word in (0, 1, 2, 3, 1023, 1024, 65_535, 65_536, 131_070, 131_071):
        done(engine, memory, "fill", index, task(0, index))
        right = content(engine, memory)[word]
        engine.write(memory, struct.pack("<I", right ^ 0x8001), word * 4)
        found = done(engine, memory, entry, index, task(0, index, downwards_from=downwards_from)).found
        assert {place: (slot.count, slot.first, slot.last, slot.bits) for place, slot in found.items()} == {
            3: (1, word, word, 0x8001)
        }
        after = content(engine, memory)[word]
        assert after == {"invert": right ^ WORD, "exchange": right, "verify": right ^ 0x8001}[entry]


def test_a_buffer_that_took_anothers_place_is_the_one_that_is_worked_on(engine: Engine) -> None:
    """Buffers that nobody gives back go with their last name, and Python gives their numbers to the next."""
    for _ in range(50):
        memory = engine.buffer(PIECE_BYTES)
        done(engine, memory, "fill", 1, task(0, 1))
        right = content(engine, memory)[0]
        engine.write(memory, struct.pack("<I", right ^ 1))
        assert done(engine, memory, "verify", 1, task(0, 1)).found, "another buffer was looked at"
        del memory


def test_several_wrong_words_of_one_quad_are_all_counted(engine: Engine, memory: Buffer) -> None:
    done(engine, memory, "fill", 1, task(0, 1))
    words = content(engine, memory)
    for word, bits in ((8, 1), (10, 2), (11, 4), (70_001, 8)):
        engine.write(memory, struct.pack("<I", words[word] ^ bits), word * 4)
    slot = done(engine, memory, "verify", 1, task(0, 1)).found[3]
    assert (slot.count, slot.first, slot.last, slot.bits) == (4, 8, 70_001, 15)
    assert not done(engine, memory, "fill", 1, task(0, 1)).found, "counting begins anew with every portion"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_copy_copies(engine: Engine, memory: Buffer, shape: str) -> None:
    done(engine, memory, "fill", 1, task(0, 1))
    other = engine.buffer(memory.size_bytes)
    groups = memory.size_bytes // SHAPES[shape]
    engine.run([Dispatch(engine.kernel("copy", shape), memory, (0,), groups, other)])
    assert content(engine, other) == content(engine, memory)


def test_the_kinds_are_the_kernels_own() -> None:
    source = shaders_sha256()
    assert len(source) == 64
    assert [kind.value for kind in PatternKind] == [0, 1, 2, 3]


def test_rates_are_measured_in_all_directions(engine: Engine) -> None:
    said: list[Line] = []
    rates = HostCopy(engine, Teller(said.append), 0.1, 4 * MIB).run()
    rates = Bandwidth(engine, Teller(said.append), 0.2, 8 * MIB, rates).run()
    assert said
    assert min(rates.device_mb_s or 0, rates.host_to_card_mb_s or 0, rates.card_to_host_mb_s or 0) > 0
    assert faster_direction(rates) == 1e6 * max(rates.host_to_card_mb_s or 0, rates.card_to_host_mb_s or 0)
    assert faster_direction(CopyRates()) is None


class NarrowEngine(Engine):
    """A card on which somebody else takes the memory meanwhile."""

    room = 5

    def buffer(self, size_bytes: int) -> Buffer:
        if size_bytes == MIB:
            if not self.room:
                raise NoRoomError
            self.room -= 1
        return super().buffer(size_bytes)


def test_where_less_is_free_than_was_said_less_is_tested_and_said() -> None:
    engine = opened(NarrowEngine)
    plan = StressPlan(0, 0.0, 0, 0, ramp_s=0.0, seed=1)
    found = MemoryTesting(engine, Teller(_nobody), plan, total_bytes=8 * MIB, target_bytes=8 * MIB).run()
    assert (found.target_bytes, found.tested_bytes, found.coverage_percent) == (8 * MIB, 4 * MIB, 50)
    assert found.errors == 0


def test_a_card_without_any_room_is_not_tested_and_not_failed() -> None:
    engine = opened(NarrowEngine)
    assert isinstance(engine, NarrowEngine)
    engine.room = 0
    plan = StressPlan(0, 0.0, 0, 0, ramp_s=0.0, seed=1)
    found = MemoryTesting(engine, Teller(_nobody), plan, total_bytes=8 * MIB, target_bytes=8 * MIB).run()
    assert (found.tested_bytes, found.passes, found.errors) == (0, 0, 0)


def test_what_the_driver_refuses_becomes_one_sentence(engine: Engine) -> None:
    with pytest.raises(StoppedError, match="Memory cannot be asked for") as refused:
        engine.buffer(1 << 40)
    assert refused.value.end is StressEnd.CRASHED
    with pytest.raises(StoppedError, match="cannot build our programs"):
        engine.compiled("this is no shader", "main")


def _nobody(_line: Line) -> None:
    """Nobody listens."""
