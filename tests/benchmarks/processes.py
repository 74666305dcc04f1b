"""What one application's processes cost, read from /proc."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

FAREWELL_S = 20.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

# Which part of the application a process is, by a word of its command line; what fits none is the application itself.
PARTS = (
    ("argentum_desktop.gpus.sensor", "sensor"),
    ("argentum_desktop.market_server", "embedded market"),
    ("system service", "podman service"),
)
APPLICATION = "application"


@dataclass(frozen=True)
class Cost:
    """One part at one moment.

    Attributes:
        cpu_ms: processor time so far, with that of its children that have ended and been buried.
        window_ms: of this the thread that serves the window; 0 for other processes.
    """

    cpu_ms: float
    pss_mib: float
    window_ms: float = 0.0


def costs(root_pid: int) -> dict[str, Cost]:
    """Every living process below and including `root_pid`, by part; several of one part are added up."""
    root = psutil.Process(root_pid)
    found: dict[str, Cost] = {}
    for process in (root, *root.children(recursive=True)):
        try:
            part = part_of(process)
            cost = Cost(cpu_ms(process.pid), _pss_mib(process.pid), _main_thread_ms(process.pid))
        except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            continue
        before = found.get(part, Cost(0.0, 0.0))
        window_ms = cost.window_ms if part == APPLICATION else 0.0
        found[part] = Cost(before.cpu_ms + cost.cpu_ms, before.pss_mib + cost.pss_mib, before.window_ms + window_ms)
    return found


def part_of(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    return next((part for word, part in PARTS if word in line), APPLICATION)


def cpu_ms(pid: int) -> float:
    """User and system time of all its threads and of its buried children."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * 1000 / TICKS_PER_S


def _main_thread_ms(pid: int) -> float:
    """In nanoseconds in the kernel's books: a window at rest uses less than one tick of the other clock."""
    path = Path(f"/proc/{pid}/task/{pid}/schedstat")
    return int(path.read_text("ascii").split()[0]) / 1e6 if path.exists() else 0.0


def _pss_mib(pid: int) -> float:
    """Memory with each shared page counted by its share, so that processes may be added up."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise FileNotFoundError(pid)


@contextlib.contextmanager
def ended_with_block(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is asked to go when the block ends, and killed when it stays."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
