"""A terminal painted over again and again, without a library: the few words that every terminal knows."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from argentum_desktop.errors import ArgentumError
from argentum_desktop.system.terminal import write

# ECMA-48 and xterm: another screen, no cursor, no lines that run over; then all of it as it was.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_STDOUT_HANDLE, _SPEAKS_ECMA_48 = -11, 0x0004


def is_terminal() -> bool:
    """Whether somebody sees what we print at once."""
    return sys.stdout.isatty()


def size() -> tuple[int, int]:
    """Columns and lines, which change when the owner pulls at the window."""
    columns, lines = shutil.get_terminal_size((100, 30))
    return columns, lines


class Screen:
    """The other screen of a terminal, for as long as the context lasts."""

    def __enter__(self) -> Self:
        if os.name == "nt":
            _speak_ecma_48()
        write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(BrokenPipeError, ArgentumError):
            write(_LEAVE)

    def paint(self, lines: Sequence[str]) -> None:
        """Show these lines in place of the ones before, in a single write: nothing is blank in between."""
        _, rows = size()
        shown = list(lines[:rows])
        if len(lines) > rows:
            shown[-1] = f"… {len(lines) - rows + 1} more lines; make the window taller"
        body = "\r\n".join(line + _REST_OF_LINE for line in shown)
        write(f"{_HOME}{body}{_REST_OF_SCREEN}")


def _speak_ecma_48() -> None:
    """Windows' own console must be asked for it."""
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    handle, mode = kernel.GetStdHandle(_STDOUT_HANDLE), ctypes.c_uint32()
    if kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        kernel.SetConsoleMode(handle, mode.value | _SPEAKS_ECMA_48)
