"""Windows' own libraries for the signals, opened from the folder that only Windows writes to."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argentum_desktop.system.activity.signal import SignalUnknownError


def _open(name: str) -> Any:
    """As `CDLL`: 64-bit Windows has one calling convention only."""
    return ctypes.CDLL(str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", name)))


class WindowsCalls:
    """Functions by name, each with its types.

    Args:
        open_library: opens one; raises `OSError` where this Windows lacks it.
    """

    def __init__(self, open_library: Callable[[str], Any] = _open) -> None:
        self._open = open_library
        self._opened: dict[str, Any] = {}

    def function(self, library: str, name: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
        """None where this Windows lacks it."""
        if library not in self._opened:
            try:
                self._opened[library] = self._open(library)
            except OSError:
                self._opened[library] = None
        found: Callable[..., Any] | None = getattr(self._opened[library], name, None)
        if found is not None:
            found.restype, found.argtypes = result, arguments  # type: ignore[attr-defined]  # a ctypes function
        return found

    def needed(self, library: str, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        """Raises `SignalUnknownError` where this Windows lacks it."""
        found = self.function(library, name, result, *arguments)
        if found is None:
            raise SignalUnknownError(f"This Windows lacks {name}.")
        return found
