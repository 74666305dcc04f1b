"""Windows' performance counters: one query, collected once for all of its counters."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from argentum_desktop.domain.reading import Absence
from argentum_desktop.gpus.windows.libraries import Libraries
from argentum_desktop.gpus.windows.structures import CounterItem

_MORE_DATA = 0x8000_07D2
_NO_INSTANCES = frozenset({0x8000_07D1, 0x8000_07D5})  # PDH_CSTATUS_NO_INSTANCE, PDH_NO_DATA
_VALID = frozenset({0, 1})  # PDH_CSTATUS_VALID_DATA, PDH_CSTATUS_NEW_DATA
_AS_DOUBLE = 0x200
_FIRST_BUFFER_BYTES, _LARGEST_BUFFER_BYTES = 65_536, 16 * 2**20
_ROUNDS = 8

Rows = list[tuple[str, float]]


class CounterQuery:
    """Counters with wildcards: their instances come and go, and each collection finds those there are. `close` it."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries
        self._query = ctypes.c_void_p()
        self._counters: dict[str, ctypes.c_void_p] = {}
        self._is_collected = False
        self._buffer = ctypes.create_string_buffer(_FIRST_BUFFER_BYTES)

    def open(self, paths: Mapping[str, str]) -> None:
        """Add the counters by their English paths; those that this Windows lacks are left out."""
        begin = self._function("PdhOpenQueryW", ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p))
        add = self._function(
            "PdhAddEnglishCounterW",
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_void_p),
        )
        if begin is None or add is None or begin(None, 0, ctypes.byref(self._query)) != 0:
            return
        for name, path in paths.items():
            counter = ctypes.c_void_p()
            if add(self._query, f"{path}\0".encode("utf-16-le"), 0, ctypes.byref(counter)) == 0:
                self._counters[name] = counter

    def collect(self) -> None:
        """Take one sample of every counter. A rate has a value from the second one on."""
        collect = self._function("PdhCollectQueryData", ctypes.c_void_p)
        self._is_collected = False
        if collect is not None and self._counters:
            status = collect(self._query) & 0xFFFF_FFFF
            self._is_collected = status == 0 or status in _NO_INSTANCES

    def rows(self, name: str) -> Rows | Absence:
        """Every instance of this counter and its value, or why there is none."""
        counter = self._counters.get(name)
        read = self._function(
            "PdhGetFormattedCounterArrayW",
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_void_p,
        )
        if counter is None or read is None:
            return Absence.NOT_SUPPORTED
        if not self._is_collected:
            return Absence.ERROR
        for _ in range(_ROUNDS):  # instances may be added between two calls
            size, count = ctypes.c_uint32(len(self._buffer)), ctypes.c_uint32()
            status = read(counter, _AS_DOUBLE, ctypes.byref(size), ctypes.byref(count), self._buffer) & 0xFFFF_FFFF
            if status == 0:
                return self._unpack(count.value)
            if status in _NO_INSTANCES:
                return []
            if status != _MORE_DATA or not self._grow(size.value):
                break
        return Absence.ERROR

    def close(self) -> None:
        finish = self._function("PdhCloseQuery", ctypes.c_void_p)
        if finish is not None and self._query:
            finish(self._query)
        self._query = ctypes.c_void_p()
        self._counters, self._is_collected = {}, False

    def _function(self, name: str, *arguments: Any) -> Any:
        return self._libraries.function("pdh.dll", name, ctypes.c_uint32, *arguments)

    def _grow(self, wanted: int) -> bool:
        """Make room; the size that Windows asks for is not always enough, hence at least twice as much."""
        larger = max(wanted, 2 * len(self._buffer))
        if larger > _LARGEST_BUFFER_BYTES:
            return False
        self._buffer = ctypes.create_string_buffer(larger)
        return True

    def _unpack(self, count: int) -> Rows:
        """The valid items. Their names lie behind them in the same buffer, and nothing outside of it is read."""
        count = min(count, len(self._buffer) // ctypes.sizeof(CounterItem))
        items = (CounterItem * count).from_buffer(self._buffer)
        raw, start = self._buffer.raw, ctypes.addressof(self._buffer)
        rows: Rows = []
        for item in items:
            offset = (item.name or 0) - start
            if item.status in _VALID and 0 <= offset < len(raw):
                rows.append((_text_at(raw, offset), item.double))
        return rows


def _text_at(raw: bytes, offset: int) -> str:
    end = raw.find(b"\0\0", offset)
    while end != -1 and (end - offset) % 2:  # the halves of two letters
        end = raw.find(b"\0\0", end + 1)
    return raw[offset : end if end != -1 else offset].decode("utf-16-le", "replace")
