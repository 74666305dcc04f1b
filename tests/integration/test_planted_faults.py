"""Every planted fault is found, and nothing is found on a sound card: two hundred of each, on the software device."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from faulty_engine import (
    AliasedLine,
    AllWrong,
    CoupledBit,
    Fault,
    FaultyEngine,
    FlippedOnce,
    StuckBit,
    WrongSum,
    random_fault,
)
from software_card import opened

from argentum_desktop.domain.stress import ComputeTest, MemoryTest
from argentum_desktop.health.stress.compute_testing import ComputeTesting
from argentum_desktop.health.stress.memory_testing import MemoryTesting
from argentum_desktop.health.stress.protocol import StressPlan
from argentum_desktop.health.stress.sizing import MIB, buffer_sizes
from argentum_desktop.health.stress.teller import Teller
from argentum_desktop.health.stress.wire import Line

RUNS = 200
PATIENCE_S = 2.0


@pytest.fixture(scope="module")
def engine() -> FaultyEngine:
    """Opened once: it is the runs that count."""
    made = opened(partial(FaultyEngine, fault=Fault()))
    assert isinstance(made, FaultyEngine)
    return made


def memory_run(
    engine: FaultyEngine, fault: Fault, *, size: int = MIB, seed: int = 1, memory_s: float = 0.0
) -> MemoryTest:
    """One memory test; one that finds something ends by itself."""
    engine.forget(fault)
    plan = StressPlan(0, memory_s, 0, 0, ramp_s=0.0, seed=seed)
    testing = MemoryTesting(engine, Teller(_nobody), plan, total_bytes=size, target_bytes=size)
    try:
        return testing.run()
    finally:
        testing.free()


def compute_run(engine: FaultyEngine, fault: Fault, span_s: float = 0.3) -> ComputeTest:
    engine.forget(fault)
    return ComputeTesting(engine, Teller(_nobody), span_s, ramp_s=0.0).run()


def _is_where_it_was_planted(found: MemoryTest, fault: Fault, buffer_bytes: int) -> bool:
    """Whether the very word is named, and where a single bit is bad, that bit and no other."""
    slot, word = fault.slot, fault.word
    if isinstance(fault, AliasedLine):
        slot, word = fault.other_slot, fault.other_word
    place = slot * buffer_bytes + word * 4
    is_named = found.first_bad_address == found.last_bad_address == place
    return is_named and (isinstance(fault, AliasedLine) or found.bad_bits == 1 << fault.bit)


def _nobody(_line: Line) -> None:
    """Nobody listens."""


def test_a_stuck_bit_is_named_to_the_bit(engine: FaultyEngine) -> None:
    found = memory_run(engine, StuckBit(slot=2, word=12_345, bit=7), size=4 * MIB)
    place = 2 * MIB + 12_345 * 4
    assert found.errors > 0
    assert (found.first_bad_address, found.last_bad_address, found.bad_bits) == (place, place, 1 << 7)
    assert found.errors_again


def test_coupled_bits(engine: FaultyEngine) -> None:
    found = memory_run(engine, CoupledBit(slot=0, word=100, bit=30, source=200_000), memory_s=PATIENCE_S)
    assert found.errors
    assert found.first_bad_address == found.last_bad_address == 400
    assert found.bad_bits == 1 << 30


def test_an_aliased_line_between_buffers(engine: FaultyEngine) -> None:
    found = memory_run(engine, AliasedLine(slot=0, word=70_000, other_slot=2, other_word=70_000), size=4 * MIB)
    assert found.errors
    assert found.first_bad_address == 2 * MIB + 280_000


def test_a_bit_that_fails_once_is_seen_and_not_seen_again(engine: FaultyEngine) -> None:
    found = memory_run(engine, FlippedOnce(slot=0, word=5, bit=31, when=3))
    assert found.errors == 1
    assert found.errors_again == 0
    assert found.bad_bits == 1 << 31


def test_memory_that_is_wrong_everywhere_is_counted_and_ends(engine: FaultyEngine) -> None:
    found = memory_run(engine, AllWrong(), size=2 * MIB)
    assert found.errors >= 2 * MIB // 4
    assert found.bad_bits == 0xFFFF_FFFF
    assert (found.first_bad_address, found.last_bad_address) == (0, 2 * MIB - 4)


@pytest.mark.parametrize("shader", ["fma", "integer"])
def test_wrong_arithmetic(engine: FaultyEngine, shader: str) -> None:
    sound, ill = compute_run(engine, Fault()), compute_run(engine, WrongSum(shader=shader))
    assert sound.mismatches == 0
    assert sound.rounding in {"fused", "separate"}
    assert sound.fp32_mflops
    assert ill.mismatches > 0
    assert ill.rounding == sound.rounding, "one bad place does not change how the card rounds"


def test_two_hundred_random_faults_are_all_found(engine: FaultyEngine) -> None:
    random = Random(20_261_123)
    missed = []
    for run in range(RUNS):
        size = random.choice((1, 1, 2, 4)) * MIB
        sizes = buffer_sizes(size, engine.largest_buffer_bytes)
        fault = random_fault(random, sizes)
        found = memory_run(engine, fault, size=size, seed=random.getrandbits(32), memory_s=PATIENCE_S)
        if not found.errors or not _is_where_it_was_planted(found, fault, size // len(sizes)):
            missed.append((run, size, fault, found))
    assert not missed


def test_two_hundred_sound_runs_raise_no_alarm(engine: FaultyEngine) -> None:
    random = Random(1)
    for run in range(RUNS):
        size = random.choice((1, 1, 2, 4)) * MIB
        found = memory_run(engine, Fault(), size=size, seed=random.getrandbits(32))
        assert (found.errors, found.tested_bytes, found.spilled_bytes) == (0, size, 0), (run, found)
