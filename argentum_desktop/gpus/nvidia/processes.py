"""Who uses an NVIDIA card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argentum_desktop.domain.reading import Absence, GpuProcess
from argentum_desktop.gpus.nvidia.codes import NOT_SUPPORTED, absence_for

_LISTS = (
    ("nvmlDeviceGetGraphicsRunningProcesses", False),
    ("nvmlDeviceGetComputeRunningProcesses", True),
)
_NONSENSE_BYTES = 2**50


def processes(nvml: Any, card: Any) -> tuple[tuple[GpuProcess, ...]]:
    """Who computes and who draws on it, each process once; who does both computes.

    Raises:
        NVMLError: neither is told, or one of them cannot be read now.
    """
    found: dict[int, GpuProcess] = {}
    told = 0
    for function, is_compute in _LISTS:
        try:
            entries = _running(nvml, card, function)
        except nvml.NVMLError as error:
            if absence_for(error.value) is not Absence.NOT_SUPPORTED:
                raise
            continue
        told += 1
        found.update((entry.pid, GpuProcess(entry.pid, _memory(entry), is_compute)) for entry in entries)
    if not told:
        raise nvml.NVMLError(NOT_SUPPORTED)
    return (tuple(found[pid] for pid in sorted(found)),)


def _running(nvml: Any, card: Any, function: str) -> Iterable[Any]:
    try:
        return getattr(nvml, f"{function}_v3")(card)  # type: ignore[no-any-return]
    except nvml.NVMLError as error:
        if absence_for(error.value) is not Absence.NOT_SUPPORTED:
            raise
    return getattr(nvml, f"{function}_v2")(card)  # type: ignore[no-any-return]


def _memory(entry: Any) -> int | None:
    """What it holds; pynvml says None where the driver says "not available", as Windows always does."""
    used: int | None = entry.usedGpuMemory
    return used if used is not None and used < _NONSENSE_BYTES else None
