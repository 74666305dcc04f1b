"""Values in a blob come back as they were; a blob that was changed is refused."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.store.chunks import Chunk, DamagedChunkError, Level, pack, unpack

NUMBERS = st.one_of(
    st.none(), st.integers(0, 100), st.integers(-(2**15), 2**15), st.integers(-(2**63), 2**63 - 1), st.integers()
)
START_S = 1_772_366_400


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    slots = sorted(draw(st.sets(st.integers(0, 59), min_size=1)))
    column = st.lists(NUMBERS, min_size=len(slots), max_size=len(slots))
    columns = draw(st.dictionaries(st.integers(0, 2**16 - 1), column, max_size=5))
    return Chunk(Level.SECONDS, draw(st.integers(0, 2**16 - 1)), START_S, slots, columns)


@given(chunks())
def test_what_is_packed_is_unpacked_the_same(chunk: Chunk) -> None:
    found = unpack(pack(chunk))
    assert (found.level, found.card, found.start_s) == (chunk.level, chunk.card, chunk.start_s)
    assert list(found.slots) == list(chunk.slots)
    known = {code: column for code, column in chunk.columns.items() if any(value is not None for value in column)}
    assert {code: list(column) for code, column in found.columns.items()} == known
    for code, column in known.items():
        assert {key: list(values) for key, values in unpack(pack(chunk), {code}).columns.items()} == {code: column}


@given(chunks(), st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_noticed(chunk: Chunk, place: int, change: int) -> None:
    blob = bytearray(pack(chunk))
    blob[place % len(blob)] ^= change
    try:
        found = unpack(bytes(blob))
    except DamagedChunkError:
        return
    # What deflate does not look at (the spare bits after its end) changes nothing.
    whole = unpack(pack(chunk))
    assert (found.slots, found.columns) == (whole.slots, whole.columns)


@pytest.mark.parametrize("level", Level)
def test_the_last_slot_of_each_level_has_room(level: Level) -> None:
    last = level.span_s // level.step_s - 1
    assert list(unpack(pack(Chunk(level, 1, START_S, (0, last), {8: [1, 2]}))).slots) == [0, last]


@pytest.mark.parametrize(
    "blob",
    [b"", b"x", zlib.compress(b""), zlib.compress(b"\x02" * 40), zlib.compress(b"\x01\x09" + b"\xff" * 40)],
    ids=["nothing", "no zlib", "empty", "unknown version", "nonsense"],
)
def test_what_is_no_chunk_is_refused(blob: bytes) -> None:
    with pytest.raises(DamagedChunkError):
        unpack(blob)


def test_a_blob_that_grows_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(DamagedChunkError, match="does not end"):
        unpack(zlib.compress(b"\x01" * 50_000_000))


def test_a_quiet_metric_costs_a_few_bytes_and_a_noisy_one_about_two_each() -> None:
    chance = random.Random(1)
    slots = range(60)
    quiet = pack(Chunk(Level.SECONDS, 1, START_S, slots, {8 * n: [2**40] * 60 for n in range(1, 20)}))
    noisy = pack(Chunk(Level.SECONDS, 1, START_S, slots, {8: [200_000 + chance.randint(-9000, 9000) for _ in slots]}))
    assert len(quiet) < 120
    assert len(noisy) < 180
    counter = [10**15 + 200_000 * second + chance.randint(-9000, 9000) for second in slots]
    assert len(pack(Chunk(Level.SECONDS, 1, START_S, slots, {8: counter}))) < 190
