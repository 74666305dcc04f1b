"""What is written into the card's memory, and where: the numbers behind `memory.wgsl`. Pure.

A quad is four words of 32 bits. Its address counts quads over the whole tested memory; the low 32 bits of it go into
the kernel, what is above goes into the keys, so that no two places above 64 GiB share their patterns either.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

WORD_BITS = 0xFFFF_FFFF
WORDS_OF_QUAD = 4
QUAD_BYTES = 16


class PatternKind(IntEnum):
    """The kernel's own numbers."""

    ADDRESS = 0
    """Every word is its own address: shows which place answers for which."""
    HASH = 1
    """Random to look at: every bit beside every other, differently with every seed."""
    WALKING = 2
    """A single one in 32 bits, a place further with every word: shows lines that touch."""
    CHECKER = 3
    """Ones and zeros in turn, across and along: the most charge beside the least."""


# One set; the hash returns with another seed each time.
KINDS = (
    PatternKind.ADDRESS,
    PatternKind.HASH,
    PatternKind.WALKING,
    PatternKind.HASH,
    PatternKind.CHECKER,
    PatternKind.HASH,
)


@dataclass(frozen=True)
class Pattern:
    """What is expected of every quad.

    Attributes:
        seed: 32 bits, different for every pattern of a run.
    """

    kind: PatternKind
    seed: int

    def key(self, page: int) -> int:
        """For quads whose address is `page` above its low 32 bits."""
        if self.kind in {PatternKind.WALKING, PatternKind.CHECKER}:
            return self.seed
        return mixed(self.seed ^ mixed(page + 1))

    def masks(self, page: int) -> tuple[int, int, int, int]:
        """What makes the four words of a quad differ; never two the same."""
        if self.kind is PatternKind.CHECKER:
            return (0, WORD_BITS, 0, WORD_BITS) if self.seed & 1 else (WORD_BITS, 0, WORD_BITS, 0)
        low = mixed(self.key(page) ^ 0x5BD1_E995)
        return low, low ^ 0x6A09_E667, low ^ 0xBB67_AE85, low ^ 0x3C6E_F372

    def quad(self, address: int) -> tuple[int, int, int, int]:
        """What the kernel writes at this address: the same in Python, for the tests."""
        page, low = address >> 32, address & WORD_BITS
        key, masks = self.key(page), self.masks(page)
        if self.kind is PatternKind.ADDRESS:
            turned = ((low << 2 | low >> 30) & WORD_BITS) ^ key
            words = [turned ^ word for word in range(WORDS_OF_QUAD)]
        elif self.kind is PatternKind.HASH:
            words = [mixed(low ^ key) ^ mask for mask in masks]
        elif self.kind is PatternKind.WALKING:
            words = [1 << ((low * 4 + key + word) & 31) for word in range(WORDS_OF_QUAD)]
        else:
            words = [0x5555_5555 ^ mask for mask in masks]
        first, second, third, fourth = words
        return first, second, third, fourth


def pattern_number(index: int, seed: int) -> Pattern:
    """The pattern at this place of a run that was begun with this seed."""
    return Pattern(KINDS[index % len(KINDS)], mixed((seed + index * 0x9E37_79B9) & WORD_BITS))


def mixed(value: int) -> int:
    """Every bit of the result depends on every bit of the value, and no two values have the same result.

    Two multiplications with constants of low bias: Chris Wellons, "Prospecting for Hash Functions", 2018, as improved
    by TheIronBorn (21f0aaad, d35a2d97).
    """
    value &= WORD_BITS
    value = ((value ^ value >> 16) * 0x21F0_AAAD) & WORD_BITS
    value = ((value ^ value >> 15) * 0xD35A_2D97) & WORD_BITS
    return value ^ value >> 15
