"""How much is tested, in which pieces, and what turns out not to be the card's memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.health.stress.sizing import (
    GIB,
    MIB,
    MOST_BUFFERS,
    PIECE_BYTES,
    buffer_sizes,
    spilled,
    target_bytes,
)


def test_a_share_is_left_to_the_others() -> None:
    assert target_bytes(24 * GIB, None, 24 * GIB) == 24 * GIB * 94 // 100 // PIECE_BYTES * PIECE_BYTES
    assert target_bytes(4 * GIB, None, 4 * GIB) == 4 * GIB - 512 * MIB


def test_the_smaller_of_what_is_told_counts() -> None:
    assert target_bytes(20 * GIB, 8 * GIB, 24 * GIB) == target_bytes(8 * GIB, 20 * GIB, 24 * GIB)
    assert target_bytes(20 * GIB, 8 * GIB, 24 * GIB) == 8 * GIB - 512 * MIB


def test_nobody_who_knows_nothing_takes_much() -> None:
    assert target_bytes(None, None, 24 * GIB) < 12 * GIB
    assert target_bytes(None, None, 0) == 0
    assert target_bytes(None, None, 0, 4 * MIB) == 4 * MIB
    assert target_bytes(100 * MIB, None, 24 * GIB) == 0
    assert target_bytes(100 * MIB, None, 24 * GIB, 4 * MIB) == 0


@given(st.integers(0, 200 * GIB), st.sampled_from([128 * MIB, 2**31 - 1, 4 * GIB, 300_000, 1000]))
def test_buffers_are_equal_fit_and_cover(target: int, largest: int) -> None:
    sizes = buffer_sizes(target, largest)
    assert len(sizes) <= MOST_BUFFERS
    assert len({*sizes}) <= 1
    assert sum(sizes) <= target
    if sizes:
        assert 0 < sizes[0] <= min(largest, GIB)
        assert sizes[0] % PIECE_BYTES == 0
        if len(sizes) < MOST_BUFFERS:
            assert target - sum(sizes) < (len(sizes) + 1) * PIECE_BYTES


def test_even_a_small_target_has_several_buffers() -> None:
    assert buffer_sizes(4 * MIB, GIB) == (MIB,) * 4
    assert len(buffer_sizes(8 * GIB, 2**31 - 1)) == 16


@pytest.mark.parametrize(
    ("speeds_gb_s", "host_gb_s", "expected"),
    [
        ([900] * 20, 25, ()),
        ([900] * 19 + [22], 25, (19,)),
        ([900] * 8 + [30] * 12, 25, tuple(range(8, 20))),  # most of it
        ([30] * 20, 25, tuple(range(20))),  # all of it
        ([900, 880, 700, 450, 500], 25, ()),  # uneven, but far from any bus
        ([900, 300, 900, 900], 25, ()),  # slow, and still four times the bus there and back
        ([900] * 4 + [200], None, (4,)),
        ([48, 46, 47, 48], 12, ()),  # the slowest cards of all
        ([], 25, ()),
    ],
)
def test_what_is_as_slow_as_the_bus_is_not_the_cards_own(
    speeds_gb_s: list[float], host_gb_s: float | None, expected: tuple[int, ...]
) -> None:
    speeds = [speed * 1e9 for speed in speeds_gb_s]
    assert spilled(speeds, host_gb_s * 1e9 if host_gb_s else None) == expected
