"""What `integer.wgsl` and `fma.wgsl` must compute, to the last bit. Pure, and without any library for numbers."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

WORD_BITS = 0xFFFF_FFFF

INTEGER_ROUND = 512
FMA_FOLDS, FMA_STEPS = 16, 16
FMA_C = -1.8125
LANES = 4
CHAINS = 4
FLOPS_OF_ROUND = FMA_FOLDS * FMA_STEPS * CHAINS * LANES * 2
"""Of one invocation: a multiplication and an addition each step."""

INTEGER_START = (0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344)
FMA_STARTS = tuple(tuple((17 * chain + 5 * lane + 3) / 64.0 - 0.5 for lane in range(LANES)) for chain in range(CHAINS))

Step = Callable[[float, float, float], float]


def integer_golden(start: Sequence[int] = INTEGER_START) -> int:
    """One round of the kernel for whole numbers."""
    x = list(start)
    for _ in range(INTEGER_ROUND):
        x = [(value * 1664525 + 1013904223) & WORD_BITS for value in x]
        x = [value ^ value >> 13 for value in x]
        x = [(value << 7 | value >> 25) & WORD_BITS for value in x]
        x = [(x[lane] + x[(lane + 1) % LANES]) & WORD_BITS for lane in range(LANES)]
    return x[0] ^ x[1] ^ x[2] ^ x[3]


def fma_golden(step: Step) -> int:
    """One round of the kernel for fractions, with the one or the other way of rounding."""
    chains = [list(starts) for starts in FMA_STARTS]
    sums = [0] * LANES
    for _ in range(FMA_FOLDS):
        for chain in chains:
            for lane, value in enumerate(chain):
                x = value
                for _ in range(FMA_STEPS):
                    x = step(x, x, FMA_C)
                chain[lane] = x
        for chain in chains:
            sums = [_folded(total, value) for total, value in zip(sums, chain, strict=True)]
    return sums[0] ^ _turned(sums[1], 8) ^ _turned(sums[2], 16) ^ _turned(sums[3], 24)


def fused(a: float, b: float, c: float) -> float:
    """a * b + c of three numbers of 32 bits, rounded once to 32 bits.

    The product of two such numbers is exact in 64 bits. The sum need not be: it is rounded to odd, which keeps the
    knowledge of what was cut off, and two bits more than the result has are then enough for the second rounding to be
    the right one (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
    """
    product = a * b
    total = product + c
    back = total - product
    lost = (product - (total - back)) + (c - back)  # Knuth's sum of two: what the addition cut off, exactly
    if lost and not _is_odd(total):
        total = math.nextafter(total, math.inf if lost > 0 else -math.inf)
    return single(total)


def separate(a: float, b: float, c: float) -> float:
    """The same, rounded after the product and again after the sum.

    Both are right through 64 bits: the product is exact there, and a sum that was rounded to 53 bits rounds to 24 as
    the exact one would (Figueroa, "When is double rounding innocuous?", 1995: 53 is at least twice 24 and two more).
    """
    return single(single(a * b) + c)


def single(value: float) -> float:
    """The nearest number of 32 bits."""
    (result,) = _SINGLE.unpack(_SINGLE.pack(value))
    return float(result)


_SINGLE = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_LONG = struct.Struct("<q")
_WORD = struct.Struct("<I")


def _is_odd(value: float) -> bool:
    (bits,) = _LONG.unpack(_DOUBLE.pack(value))
    return bool(bits & 1)


def _folded(total: int, value: float) -> int:
    (bits,) = _WORD.unpack(_SINGLE.pack(value))
    mixed = ((total ^ bits) * 0x9E37_79B1) & WORD_BITS
    return int(mixed ^ mixed >> 15)


def _turned(word: int, places: int) -> int:
    return (word << places | word >> (32 - places)) & WORD_BITS
