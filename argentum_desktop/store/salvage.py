"""What can still be read of a damaged history, page by page.

SQLite reads a table from its root, and stops at the first page that is broken. All rows of worth here are in leaf pages
of ordinary tables, and each says itself what it is and whether it is whole (`store/chunks.py`). So every page of the
file and of its journal is looked at for itself: https://www.sqlite.org/fileformat2.html describes both. Rows that were
moved or deleted can be met a second time; of two, the one of more readings is the later one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO, Self

from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Chunk, DamagedChunkError, Level, unpack

PAGE_BYTES = 4096
_FILE_HEADER_BYTES = 100
_LEAF = 0x0D
_LARGEST_ROW_BYTES = 64 * PAGE_BYTES
_WAL_HEADER_BYTES, _WAL_FRAME_BYTES = 32, 24
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Value = int | bytes | str | None
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Salvaged:
    """What was found.

    Attributes:
        cards: how many cards have something in it.
        first_s: the oldest instant of which something is there, and `last_s` the newest; None when there is nothing.
        broken_pages: pages of which nothing could be made.
    """

    cards: int
    first_s: int | None
    last_s: int | None
    broken_pages: int


def salvage(damaged: Path, fresh: Connection) -> Salvaged:
    """Copy what can be read of the file `damaged`, which nobody may have open, into the empty database `fresh`."""
    with _Pages(damaged) as pages:
        return _Salvage(pages, fresh).run()


class _Pages:
    """The newest state of each page: of the file, or of its journal where that has a later one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._later: dict[int, bytes] = {}
        journal = path.with_name(f"{path.name}-wal")
        if journal.exists():
            with journal.open("rb") as file:
                self._later = dict(_journal_pages(file))
        self.count = max(-(-path.stat().st_size // PAGE_BYTES), *self._later, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, number: int) -> bytes:
        """The page of this number, from 1; short or empty where the file ends."""
        if number in self._later:
            return self._later[number]
        self._file.seek((number - 1) * PAGE_BYTES)
        return self._file.read(PAGE_BYTES)


def _journal_pages(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Pages in the order in which they were written; frames of an earlier round carry other salts."""
    header = file.read(_WAL_HEADER_BYTES)
    if len(header) < _WAL_HEADER_BYTES or int.from_bytes(header[:4], "big") not in _WAL_MAGIC:
        return
    while True:
        frame, page = file.read(_WAL_FRAME_BYTES), file.read(PAGE_BYTES)
        if len(page) < PAGE_BYTES or frame[8:16] != header[16:24]:
            return
        yield int.from_bytes(frame[:4], "big"), page


class _Salvage:
    """One run over all pages."""

    def __init__(self, pages: _Pages, fresh: Connection) -> None:
        self._pages = pages
        self._fresh = fresh
        self._cards: set[int] = set()
        self._first_s: int | None = None
        self._last_s: int | None = None

    def run(self) -> Salvaged:
        broken = 0
        for number in range(1, self._pages.count + 1):
            page = self._pages.read(number)
            head = _FILE_HEADER_BYTES if number == 1 else 0
            if len(page) == PAGE_BYTES and page[head] == _LEAF:
                try:
                    for row in _rows(page, head, self._pages):
                        self._take(row)
                except (struct.error, IndexError, ValueError):
                    broken += 1
            elif len(page) < PAGE_BYTES or page[head] not in {0, 2, 5, 10}:
                broken += 1
        if not rows.finish_salvage(self._fresh, self._cards):
            return Salvaged(0, None, None, broken)
        return Salvaged(len(self._cards), self._first_s, self._last_s, broken)

    def _take(self, row: Row) -> None:
        """Put a row where it belongs, by its shape; whatever is of no known shape is left."""
        match row:
            case (None, bytes() as blob):
                self._take_chunk(blob)
            case (("card" | "metric") as kind, int() as number, str() as name):
                rows.put_name(self._fresh, str(kind), number, name)
            case (int() as at_us, int() as card, "xid", int() as place, int() as number):
                rows.add_xid(self._fresh, card, at_us, place, number)

    def _take_chunk(self, blob: bytes) -> None:
        try:
            chunk = unpack(blob, rows.COUNTS)  # its checksum is over all of it
        except DamagedChunkError:
            return
        if not chunk.slots:
            return
        rows.put_salvaged(self._fresh, chunk, blob)
        for kind, numbers in chunk.meanings.items():
            for name, number in numbers.items():
                rows.put_name(self._fresh, kind, number, name)
        self._count(chunk)

    def _count(self, chunk: Chunk) -> None:
        if chunk.level is Level.DAYS:
            return  # each day is in a chunk of hours too, and more exactly
        step_s = chunk.level.step_s
        first_s, last_s = chunk.start_s + chunk.slots[0] * step_s, chunk.start_s + (chunk.slots[-1] + 1) * step_s
        self._cards.add(chunk.card)
        self._first_s = first_s if self._first_s is None else min(self._first_s, first_s)
        self._last_s = last_s if self._last_s is None else max(self._last_s, last_s)


# -- rows of a leaf page ----------------------------------------------------------------------------------------------


def _rows(page: bytes, head: int, pages: _Pages) -> Iterator[Row]:
    (cells,) = struct.unpack_from(">H", page, head + 3)
    for index in range(cells):
        (at,) = struct.unpack_from(">H", page, head + 8 + 2 * index)
        size, at = _varint(page, at)
        _, at = _varint(page, at)  # the rowid; a chunk knows its own key
        if not 0 < size <= _LARGEST_ROW_BYTES:
            raise ValueError("a row of an impossible length")
        row = _record(_payload(page, at, size, pages))
        if row is not None:
            yield row


def _payload(page: bytes, at: int, size: int, pages: _Pages) -> bytes:
    """The bytes of a row, with those that had no room in its page."""
    most = PAGE_BYTES - 35
    if size <= most:
        return page[at : at + size]
    least = (PAGE_BYTES - 12) * 32 // 255 - 23
    here = least + (size - least) % (PAGE_BYTES - 4)
    here = here if here <= most else least
    payload = page[at : at + here]
    (following,) = struct.unpack_from(">I", page, at + here)
    while len(payload) < size:
        further = pages.read(following) if following else b""
        if len(further) < PAGE_BYTES:
            break
        payload += further[4 : 4 + size - len(payload)]
        (following,) = struct.unpack_from(">I", further)
    return payload


def _record(payload: bytes) -> Row | None:
    """The values of a row; None when it is none of ours."""
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        length = _INTEGER_BYTES.get(kind, max(0, (kind - 12) // 2))
        data = payload[at : at + length]
        at += length
        if len(data) < length or kind in {7, 10, 11}:
            return None
        values.append(_value(kind, data))
    return tuple(values)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind in {8, 9}:
        return kind - 8
    if kind < 12:
        return int.from_bytes(data, "big", signed=True)
    return data.decode("utf-8", "replace") if kind % 2 else data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """SQLite's own: seven bits in each of up to eight bytes, all eight in a ninth."""
    value = 0
    for index in range(9):
        byte = data[at + index]
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("no number")
