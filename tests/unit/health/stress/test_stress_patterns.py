"""What is written into the card's memory."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.health.stress.patterns import KINDS, WORD_BITS, Pattern, PatternKind, mixed, pattern_number

addresses = st.integers(min_value=0, max_value=(1 << 36) - 1)
seeds = st.integers(min_value=0, max_value=WORD_BITS)
UNIQUE = [PatternKind.ADDRESS, PatternKind.HASH]


@given(addresses, st.integers(min_value=0, max_value=35), seeds, st.sampled_from(UNIQUE))
def test_two_places_that_differ_in_one_address_line_never_hold_the_same(
    address: int, line: int, seed: int, kind: PatternKind
) -> None:
    pattern = Pattern(kind, seed)
    here, there = pattern.quad(address), pattern.quad(address ^ 1 << line)
    assert here != there


@given(addresses, seeds, st.sampled_from(UNIQUE))
def test_the_words_of_a_quad_differ(address: int, seed: int, kind: PatternKind) -> None:
    assert len({*Pattern(kind, seed).quad(address)}) == 4


@given(addresses, seeds)
def test_walking_is_a_single_one_that_moves_on_with_every_word(address: int, seed: int) -> None:
    words = Pattern(PatternKind.WALKING, seed).quad(address)
    places = [word.bit_length() - 1 for word in words]
    assert all(word == 1 << place for word, place in zip(words, places, strict=True))
    assert all((after - before) % 32 == 1 for before, after in pairwise(places))


def test_checker_turns_round_with_every_word() -> None:
    assert Pattern(PatternKind.CHECKER, 1).quad(5) == (0x5555_5555, 0xAAAA_AAAA, 0x5555_5555, 0xAAAA_AAAA)
    assert Pattern(PatternKind.CHECKER, 2).quad(5) == (0xAAAA_AAAA, 0x5555_5555, 0xAAAA_AAAA, 0x5555_5555)


def test_beyond_sixteen_gibibytes_nothing_repeats() -> None:
    """The low 32 bits of a word's address are used up there."""
    far = 1 << 30  # in quads
    for index in (0, 1):
        pattern = pattern_number(index, 7)
        seen = {pattern.quad(place + page * far) for page in range(128) for place in (0, 1, 12_345)}
        assert len(seen) == 3 * 128


def test_a_set_has_every_kind_and_no_pattern_comes_twice() -> None:
    assert {*KINDS} == {*PatternKind}
    seen = {pattern_number(index, 7).seed for index in range(1000)}
    assert len(seen) == 1000


@given(seeds, seeds)
def test_mixing_loses_nothing(one: int, other: int) -> None:
    assert (mixed(one) == mixed(other)) == (one == other)
