"""How busy the processor and the disks are with the owner's work: what the jobs here use of them is taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from argentum_desktop.system.activity.signal import SignalUnknownError

CGROUPS = Path("/sys/fs/cgroup")
_MICRO = 1_000_000


@dataclass(frozen=True)
class JobsUse:
    """What the containers of jobs have used so far."""

    cpu_s: float = 0.0
    disk_bytes: int = 0


class JobGroups:
    """The control groups of containers, found once for each by its id."""

    def __init__(self, root: Path = CGROUPS) -> None:
        self._root = root
        self._found: dict[str, Path] = {}

    def use(self, container_ids: Sequence[str]) -> JobsUse:
        """The sum over these; a container without a group of its own counts nothing."""
        self._found = {key: path for key, path in self._found.items() if key in container_ids and path.is_dir()}
        cpu_us, disk_bytes = 0, 0
        for container_id in container_ids:
            group = self._group(container_id)
            if group is not None:
                cpu_us += _words(group / "cpu.stat").get("usage_usec", 0)
                disk_bytes += _disk_bytes(group / "io.stat")
        return JobsUse(cpu_us / _MICRO, disk_bytes)

    def _group(self, container_id: str) -> Path | None:
        if container_id and container_id not in self._found:
            # `libpod-ID.scope`, `docker-ID.scope` or the bare id, deeper or less deep as the engine was started.
            match = next((path for path in self._root.rglob(f"*{container_id}*") if path.is_dir()), None)
            if match is not None:
                self._found[container_id] = match
        return self._found.get(container_id)


def _words(file: Path) -> dict[str, int]:
    try:
        pairs = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}


def _disk_bytes(file: Path) -> int:
    """`8:0 rbytes=1 wbytes=2 rios=3 …`, a line for each disk."""
    try:
        words = file.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0
    return sum(int(value) for name, _, value in (word.partition("=") for word in words) if name in {"rbytes", "wbytes"})


class ProcessorLoad:
    """The share of all processors that was busy between two looks."""

    def __init__(self) -> None:
        self._before: tuple[float, float, float] | None = None

    def percent(self, jobs: JobsUse) -> float:
        """Raises `SignalUnknownError` at the first look."""
        times = psutil.cpu_times()
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        # What runs niced counts: it may be the owner's rendering. Waiting for a disk is rest.
        rest = times.idle + getattr(times, "iowait", 0.0)
        before, self._before = self._before, (total, rest, jobs.cpu_s)
        if before is None or total <= before[0]:
            raise SignalUnknownError("The processor's load is known after a few seconds.")
        passed = total - before[0]
        busy = passed - (rest - before[1]) - max(0.0, jobs.cpu_s - before[2])
        return round(min(100.0, max(0.0, 100 * busy / passed)), 1)


@dataclass(frozen=True)
class _DiskLook:
    at_s: float
    busy_ms: Mapping[str, int]
    bytes_moved: int
    jobs_bytes: int


class DiskLoad:
    """The share of time for which the busiest disk was at work between two looks."""

    def __init__(self) -> None:
        self._before: _DiskLook | None = None

    def percent(self, jobs: JobsUse, elapsed_s: float) -> float:
        """Raises `SignalUnknownError` at the first look, or where no disk tells."""
        counters = psutil.disk_io_counters(perdisk=True)
        if not counters:
            raise SignalUnknownError("The system keeps no account of its disks' work.")
        # Windows does not say for how long a disk was at work, but how long it read and wrote; side by side they
        # may come to more.
        busy = {
            name: int(getattr(disk, "busy_time", disk.read_time + disk.write_time)) for name, disk in counters.items()
        }
        moved = sum(disk.read_bytes + disk.write_bytes for disk in counters.values())
        before, self._before = self._before, _DiskLook(elapsed_s, busy, moved, jobs.disk_bytes)
        if before is None or elapsed_s <= before.at_s:
            raise SignalUnknownError("The disks' load is known after a few seconds.")
        grown = [ms - before.busy_ms[name] for name, ms in busy.items() if name in before.busy_ms]
        busiest = 100 * max(grown, default=0) / ((elapsed_s - before.at_s) * 1000)
        return round(min(100.0, max(0.0, busiest)) * _owners_share(before, self._before), 1)


def _owners_share(before: _DiskLook, after: _DiskLook) -> float:
    """The part of the bytes moved that no job moved; the time a disk was at work is shared by it."""
    moved = after.bytes_moved - before.bytes_moved
    jobs = after.jobs_bytes - before.jobs_bytes
    return 1.0 if moved <= 0 else min(1.0, max(0.0, 1 - jobs / moved))
