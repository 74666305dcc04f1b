"""The line of a terminal in which a health check tells how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argentum_desktop.agent.report_cards import printable
from argentum_desktop.agent.status import CheckupView
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import Stage
from argentum_desktop.system.screen import size

_CLEAR_LINE = "\r\x1b[K"
_BAR = 20


@contextmanager
def progress_line(gpu: Gpu) -> Iterator[Callable[[CheckupView], None]]:
    """On a terminal one line that is written over; elsewhere a line whenever something else begins. Standard error."""
    line = _Line(gpu, is_terminal=sys.stderr.isatty())
    try:
        yield line.show
    finally:
        line.end()


class _Line:
    def __init__(self, gpu: Gpu, *, is_terminal: bool) -> None:
        self._label = gpu.label
        self._is_terminal = is_terminal
        self._stage: Stage | None = None

    def show(self, view: CheckupView) -> None:
        if self._is_terminal:
            sys.stderr.write(_CLEAR_LINE + printable([progress_words(view, self._label)])[: size()[0] - 1])
            sys.stderr.flush()
        elif view.stage is not self._stage:
            self._stage = view.stage
            sys.stderr.write(printable([f"{self._label}: {view.words}, {view.remaining_s} s left"]) + "\n")
            sys.stderr.flush()

    def end(self) -> None:
        if self._is_terminal:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()


def progress_words(view: CheckupView, label: str) -> str:
    """`RTX 3090  ████░░░░  41 %  35 s left  67 °C  Writing patterns: 12 done, no errors`"""
    filled = view.done_percent * _BAR // 100
    bar = "█" * filled + "░" * (_BAR - filled)
    warmth = f"  {view.temperatures_c[-1][1]} °C" if view.temperatures_c else ""
    return f"{label}  {bar}  {view.done_percent} %  {view.remaining_s} s left{warmth}  {view.words}"
