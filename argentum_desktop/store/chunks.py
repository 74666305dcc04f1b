"""Many values in one blob: a column for each metric, each kept in the fewest bytes that hold it, then deflated.

A chunk says itself what it is (level, card, begin), and zlib's checksum is over all of it: a chunk that can be read is
right, wherever it was found. Metrics go by numbers, so that a new one needs no new table.

The body, little-endian: version, level, card, begin, a bit for each slot that is present, the number of columns, the
columns, and then, in chunks of days, what the numbers mean. A column: its code, its kind, where some slots lack it a
mask of its own, and its values: one for all, or all, or their differences, or the differences of these.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate
from operator import sub

VERSION = 1
HIGHEST_NUMBER = 8000
_LARGEST_BODY_BYTES = 2**20

_HEADER = struct.Struct("<BBHqQH")
_COLUMN = struct.Struct("<HB")
_WIDE = struct.Struct("<q")
_MASK = struct.Struct("<Q")
_LENGTH = struct.Struct("<I")

# A column's kind: the width in the lowest two bits, how often differences were taken in the next two, then flags.
_CONSTANT, _MASKED, _TEXT = 0x10, 0x20, 0x40
_TYPES = "bhiq"
_LIMITS = (2**7, 2**15, 2**31, 2**63)

Column = Sequence[int | None]


class Level(IntEnum):
    """How fine the values of a chunk are."""

    SECONDS = 1
    MINUTES = 2
    HOURS = 3
    DAYS = 4

    @property
    def table(self) -> str:
        return self.name.lower()

    @property
    def step_s(self) -> int:
        """What one slot stands for."""
        return _STEPS_S[self]

    @property
    def span_s(self) -> int:
        """What the whole chunk stands for."""
        return _STEPS_S[self] * _SLOTS[self]


_STEPS_S = {Level.SECONDS: 1, Level.MINUTES: 60, Level.HOURS: 3600, Level.DAYS: 86_400}
_SLOTS = {Level.SECONDS: 60, Level.MINUTES: 60, Level.HOURS: 24, Level.DAYS: 64}


class DamagedChunkError(ValueError):
    """A blob that is not what was once written."""


@dataclass(frozen=True)
class Chunk:
    """The values of one card over one span.

    Attributes:
        start_s: when it begins, in seconds since 1970 UTC; a multiple of the level's span.
        slots: which of the level's steps are there, in order.
        columns: by code, a value or None for each of `slots`.
        meanings: what the numbers stand for; only chunks of days carry it.
    """

    level: Level
    card: int
    start_s: int
    slots: Sequence[int]
    columns: Mapping[int, Column]
    meanings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def pack(chunk: Chunk) -> bytes:
    """The chunk as a blob."""
    kept = {code: column for code, column in chunk.columns.items() if any(value is not None for value in column)}
    mask = _mask(chunk.slots)
    parts = [_HEADER.pack(VERSION, chunk.level, chunk.card, chunk.start_s, mask, len(kept))]
    for code, column in kept.items():
        parts += _packed_column(code, column, chunk.slots)
    if chunk.meanings:
        parts.append(json.dumps(chunk.meanings, separators=(",", ":")).encode())
    return zlib.compress(b"".join(parts), 6)


def unpack(blob: bytes, only: Collection[int] | None = None) -> Chunk:
    """The chunk in a blob, with all of its columns or `only` those of these codes.

    Raises:
        DamagedChunkError: it was not written by `pack`, or not since then.
    """
    try:
        stream = zlib.decompressobj()
        body = stream.decompress(blob, _LARGEST_BODY_BYTES)
        if not stream.eof:
            raise DamagedChunkError("it does not end")
        return _unpacked(body, only)
    except (zlib.error, struct.error, ValueError, TypeError, IndexError) as error:
        raise DamagedChunkError(f"a chunk of the history cannot be read ({error})") from error


def _unpacked(body: bytes, only: Collection[int] | None) -> Chunk:
    version, level, card, start_s, mask, count = _HEADER.unpack_from(body)
    if version != VERSION:
        raise DamagedChunkError(f"unknown version {version}")
    slots, at = _slots(mask), _HEADER.size
    columns: dict[int, Column] = {}
    for _ in range(count):
        code, kind = _COLUMN.unpack_from(body, at)
        at += _COLUMN.size
        own = slots
        if kind & _MASKED:
            own = _slots(*_MASK.unpack_from(body, at))
            at += _MASK.size
        end = at + _size(body, at, kind, len(own))
        if only is None or code in only:
            values = _values(body[at:end], kind, len(own))
            columns[code] = values if own is slots else _spread(values, own, slots)
        at = end
    meanings = json.loads(body[at:]) if at < len(body) else {}
    return Chunk(Level(level), card, start_s, slots, columns, meanings)


# -- columns ----------------------------------------------------------------------------------------------------------


def _packed_column(code: int, column: Column, slots: Sequence[int]) -> list[bytes]:
    if None not in column:
        kind, data = _packed_values([value for value in column if value is not None])
        return [_COLUMN.pack(code, kind), data]
    own = [slot for slot, value in zip(slots, column, strict=True) if value is not None]
    kind, data = _packed_values([value for value in column if value is not None])
    return [_COLUMN.pack(code, kind | _MASKED), _MASK.pack(_mask(own)), data]


def _packed_values(values: Sequence[int]) -> tuple[int, bytes]:
    """Whichever of the values, their differences and the differences of these fits into the narrowest numbers."""
    low, high = min(values), max(values)
    if not -_LIMITS[3] <= low <= high < _LIMITS[3]:
        text = " ".join(map(str, values)).encode()
        return _TEXT, _LENGTH.pack(len(text)) + text
    if low == high:
        return _CONSTANT, _WIDE.pack(low)
    order, width, rest, bases = 0, _width(values), values, b""
    for next_order in (1, 2):
        if width == 0 or len(rest) < 2:
            break
        finer = list(map(sub, rest[1:], rest))
        if not -_LIMITS[3] <= min(finer) <= max(finer) < _LIMITS[3]:
            break
        finer_width = _width(finer)
        if finer_width > width or (finer_width == width and next_order > 1):
            break
        bases += _WIDE.pack(rest[0])
        order, width, rest = next_order, finer_width, finer
    numbers = array(_TYPES[width], rest)
    if sys.byteorder == "big":
        numbers.byteswap()
    return order << 2 | width, bases + numbers.tobytes()


def _width(values: Sequence[int]) -> int:
    most = max(*values, -1 - min(values))
    return next(width for width, limit in enumerate(_LIMITS) if most < limit)


def _size(body: bytes, at: int, kind: int, count: int) -> int:
    if kind & _CONSTANT:
        return _WIDE.size
    if kind & _TEXT:
        return int(_LENGTH.unpack_from(body, at)[0]) + _LENGTH.size
    order = kind >> 2 & 3
    return order * _WIDE.size + (count - order << (kind & 3))


def _values(data: bytes, kind: int, count: int) -> list[int]:
    if kind & _CONSTANT:
        return [_WIDE.unpack(data)[0]] * count
    if kind & _TEXT:
        return [int(word) for word in data[_LENGTH.size :].split()]
    order = kind >> 2 & 3
    numbers = array(_TYPES[kind & 3])
    numbers.frombytes(data[order * _WIDE.size :])
    if sys.byteorder == "big":
        numbers.byteswap()
    values = numbers.tolist()
    for base in reversed(range(order)):
        values = list(accumulate(values, initial=_WIDE.unpack_from(data, base * _WIDE.size)[0]))
    if len(values) != count:
        raise DamagedChunkError("a column of the wrong length")
    return values


def _spread(values: Sequence[int], own: Sequence[int], slots: Sequence[int]) -> Column:
    known = dict(zip(own, values, strict=True))
    return [known.get(slot) for slot in slots]


def _mask(slots: Sequence[int]) -> int:
    mask = 0
    for slot in slots:
        mask |= 1 << slot
    return mask


@lru_cache(maxsize=256)
def _slots(mask: int) -> tuple[int, ...]:
    return tuple(slot for slot in range(64) if mask >> slot & 1)
