"""A job in one line: on a terminal a line that moves, elsewhere one line a change."""

from __future__ import annotations

import shutil
from typing import TextIO

from argentum_desktop.marketplace.wire import JobPhase, JobStatus

_BAR_CELLS = 24


def job_line(status: JobStatus) -> str:
    """What a job is, does and costs. Words from outside are cut and cannot steer a terminal."""
    parts = [status.job_id, status.phase.value]
    if status.phase is JobPhase.RUNNING and status.progress_percent is not None:
        parts.append(f"{status.progress_percent} %")
    if status.cost is not None and status.cost.micros:
        parts.append(str(status.cost))
    if status.exit_code not in {None, 0}:
        parts.append(f"exit code {status.exit_code}")
    parts.append(_plain(status.spec.title))
    if status.reason:
        parts.append(_plain(status.reason))
    return "  ".join(parts)


class ProgressLine:
    """Shows a job as it goes on."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._moves = stream.isatty()
        self._last = ""

    def show(self, status: JobStatus) -> None:
        line = _progress(status)
        if self._quiet or line == self._last:
            return
        if self._moves:
            line = line[: shutil.get_terminal_size().columns - 1]
            self._stream.write(f"\r{line.ljust(len(self._last))}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()
        self._last = line

    def close(self) -> None:
        """Leave the line as it is, and go to the next."""
        if self._moves and self._last:
            self._stream.write("\n")
            self._stream.flush()


def _progress(status: JobStatus) -> str:
    if status.phase is JobPhase.QUEUED and status.reason:
        return f"{status.phase.value}: {_plain(status.reason)}"
    if status.progress_percent is None or status.phase is not JobPhase.RUNNING:
        return status.phase.value
    full = status.progress_percent * _BAR_CELLS // 100
    return f"{status.phase.value} [{'#' * full}{'.' * (_BAR_CELLS - full)}] {status.progress_percent} %"


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:300]
