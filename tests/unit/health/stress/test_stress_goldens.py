"""Arithmetic of 32 bits without a library, held against exact fractions."""

from __future__ import annotations

import struct
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from argentum_desktop.health.stress.goldens import (
    FMA_C,
    FMA_STARTS,
    fma_golden,
    fused,
    integer_golden,
    separate,
    single,
)


def nearest(value: Fraction) -> float:
    """The nearest number of 32 bits, ties to even, by whole numbers alone."""
    if value == 0:
        return 0.0
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    step = Fraction(2) ** (exponent - 23)
    steps, rest = divmod(size, step)
    if rest * 2 > step or (rest * 2 == step and steps % 2):
        steps += 1
    return float(steps * step) * (1 if value > 0 else -1)


def of_bits(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


# Exponents from 2^-40 to 2^40: neither too small nor too large for anything in between.
numbers = st.builds(
    lambda sign, exponent, mantissa: of_bits(sign << 31 | (127 + exponent) << 23 | mantissa),
    st.integers(0, 1),
    st.integers(-40, 40),
    st.integers(0, (1 << 23) - 1),
)


@given(numbers, numbers, numbers)
@example(1.0 + 2.0**-23, 1.0 + 2.0**-23, 2.0**-40)
@example(1.0 + 2.0**-12, 1.0 + 2.0**-12, -(2.0**-39))
@example(of_bits(0x3FFF_FFFF), of_bits(0x3FFF_FFFF), FMA_C)
def test_fused_rounds_once(a: float, b: float, c: float) -> None:
    assert fused(a, b, c) == nearest(Fraction(a) * Fraction(b) + Fraction(c))


@given(numbers, numbers, numbers)
def test_separate_rounds_twice(a: float, b: float, c: float) -> None:
    product = nearest(Fraction(a) * Fraction(b))
    assert separate(a, b, c) == nearest(Fraction(product) + Fraction(c))


def test_where_a_sum_of_64_bits_would_round_wrongly() -> None:
    """A tie of 24 bits that what was cut off at 53 bits decides."""
    a, b, c = 1.0 + 2.0**-23, 2.0**-24, of_bits(0x3F80_0001)  # c + 2^-24 is a tie, a * b lies above it by 2^-47
    assert fused(a, b, c) == nearest(Fraction(a) * Fraction(b) + Fraction(c))
    tiny = (2.0**-24, 1.0, of_bits(0x3F80_0000))
    assert fused(*tiny) == 1.0
    beyond = (of_bits(0x3F80_0001), 2.0**-40, 2.0**20 + 0.0625)
    assert fused(*beyond) == nearest(Fraction(beyond[0]) * Fraction(beyond[1]) + Fraction(beyond[2]))


def test_the_two_ways_of_rounding_are_told_apart() -> None:
    assert fma_golden(fused) != fma_golden(separate)


def test_a_wrong_bit_anywhere_on_the_way_changes_the_result() -> None:
    golden = fma_golden(separate)
    for at in (0, 1000, 4095):
        count = 0

        def ill(a: float, b: float, c: float, at: int = at) -> float:
            nonlocal count
            value = separate(a, b, c)
            if count == at:
                (bits,) = struct.unpack("<I", struct.pack("<f", value))
                value = of_bits(bits ^ 1)
            count += 1
            return value

        assert fma_golden(ill) != golden


def test_the_sequence_stays_where_every_card_agrees() -> None:
    """Never beyond 2, and never so small that a card could take it for zero."""
    for start in [value for chain in FMA_STARTS for value in chain]:
        x = single(start)
        assert x == start, "a start must be exact in 32 bits"
        seen = set()
        for _ in range(256):
            x = fused(x, x, FMA_C)
            seen.add(x)
            assert 2.0**-60 < abs(x) <= 2.0
        assert len(seen) == 256, "it runs in a circle"


def test_the_whole_numbers_are_what_they_were() -> None:
    """A reader may recompute them: they are part of what a report means."""
    assert integer_golden() == 0x7038_1C7A
    assert integer_golden((1, 2, 3, 4)) != integer_golden()
