"""Opening Windows' libraries, and the few shapes in which all of them answer."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

LONGEST_TEXT = 96
Answer = TypeVar("Answer")

_RELEASE = 2  # IUnknown: QueryInterface, AddRef, Release


class Libraries:
    """Windows' own libraries, by name, and their functions.

    They are opened as `CDLL`: 64-bit Windows has one calling convention only.

    Args:
        folder: where they are, instead of the folder that only Windows writes to. Never looked for elsewhere, for
            whoever may put a file into a folder of programs must not decide what the sensor runs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
        self._opened: dict[str, ctypes.CDLL | None] = {}

    def function(self, library: str, name: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
        """A function with its types, or None where this Windows lacks it."""
        if library not in self._opened:
            try:
                self._opened[library] = ctypes.CDLL(str(self._folder / library))
            except OSError:
                self._opened[library] = None
        found: Callable[..., Any] | None = getattr(self._opened[library], name, None)
        if found is not None:
            found.restype, found.argtypes = result, arguments  # type: ignore[attr-defined]  # a ctypes function
        return found


class ComObject:
    """An object of Windows' component model: a pointer to a table of functions. Released at the end of its `with`."""

    def __init__(self, address: int) -> None:
        self._address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def method(self, slot: int, result: Any, *arguments: Any) -> Callable[..., Any]:
        """The function in this place of the table, counted from the interface's first ancestor."""
        table = ctypes.cast(self._address, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
        prototype = ctypes.CFUNCTYPE(result, ctypes.c_void_p, *arguments)
        return partial(prototype(table[slot] or 0), self._address)

    def release(self) -> None:
        if self._address:
            self.method(_RELEASE, ctypes.c_uint32)()
            self._address = 0


def plain_text(raw: bytes) -> str:
    """UTF-16 up to its end mark, as one printable line: what a driver says is shown to the owner."""
    letters = raw[: len(raw) // 2 * 2].decode("utf-16-le", "replace").split("\0", 1)[0]
    return "".join(letter for letter in letters if letter.isprintable()).strip()[:LONGEST_TEXT]


def guarded(default: Answer, call: Callable[[], Answer]) -> Answer:
    """The call's answer, or `default` after a fault inside Windows' library.

    Python reports such a fault as an `OSError` there, and a table of functions that is not there as a `ValueError`.
    """
    try:
        return call()
    except (OSError, ValueError):
        return default
