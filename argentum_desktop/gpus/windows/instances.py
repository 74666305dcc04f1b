"""What the names of the performance counters' instances say, and the sums over them.

Windows counts each process on each engine of each adapter by itself:
`pid_4711_luid_0x00000000_0x0000C0DE_phys_0_eng_3_engtype_Compute_0`. Several physical adapters under one name are cards
linked into one.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from argentum_desktop.domain.reading import GpuProcess

_NAME = re.compile(
    r"(?:pid_(?P<pid>\d{1,10})_)?luid_0x(?P<high>[0-9a-f]{1,8})_0x(?P<low>[0-9a-f]{1,8})_phys_(?P<phys>\d{1,4})"
    r"(?:_eng_(?P<engine>\d{1,6})_engtype_(?P<kind>.*))?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_COMPUTE_KINDS = ("compute", "cuda")
_NAMES_KEPT = 4096  # the same few hundred come each second
FULL_LOAD_PERCENT = 100


@dataclass(frozen=True)
class Instance:
    """One instance's name, taken apart.

    Attributes:
        luid: of the adapter.
        engine: the physical adapter's and the engine's number, None where the counter is not one of engines.
    """

    luid: int
    pid: int | None
    engine: tuple[int, int] | None
    is_compute: bool


@lru_cache(_NAMES_KEPT)
def parse_instance(name: str) -> Instance | None:
    """The parts of the name, or None for one that is not of this shape."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    pid, engine = match["pid"], match["engine"]
    return Instance(
        luid=int(match["high"], 16) << 32 | int(match["low"], 16),
        pid=int(pid) if pid else None,
        engine=(int(match["phys"]), int(engine)) if engine else None,
        is_compute=(match["kind"] or "").lower().startswith(_COMPUTE_KINDS),
    )


def memory_by_card(rows: Iterable[tuple[str, float]]) -> dict[int, int]:
    """Bytes in use, from `GPU Adapter Memory`."""
    total: defaultdict[int, int] = defaultdict(int)
    for instance, value in _sound(rows):
        total[instance.luid] += round(value)
    return dict(total)


def load_by_card(rows: Iterable[tuple[str, float]]) -> dict[int, int]:
    """Percent, from `GPU Engine`: that of the busiest engine, as Task Manager counts it.

    An engine's load is the sum over its processes; rounding in the counters can bring it above 100.
    """
    engines: defaultdict[int, defaultdict[tuple[int, int], float]] = defaultdict(lambda: defaultdict(float))
    for instance, value in _sound(rows):
        if instance.engine is not None:
            engines[instance.luid][instance.engine] += value
    return {luid: min(round(max(loads.values())), FULL_LOAD_PERCENT) for luid, loads in engines.items()}


def processes_by_card(
    memory: Iterable[tuple[str, float]], engines: Iterable[tuple[str, float]]
) -> Mapping[int, tuple[GpuProcess, ...]]:
    """Who holds memory or keeps an engine busy, from `GPU Process Memory` and `GPU Engine`.

    Windows does not say what a process came for: it computes when an engine made for that works for it.
    """
    bytes_of: defaultdict[tuple[int, int], int] = defaultdict(int)
    for instance, value in _sound(memory):
        if instance.pid is not None and value > 0:
            bytes_of[instance.luid, instance.pid] += round(value)
    computing: dict[tuple[int, int], bool] = {}
    for instance, value in _sound(engines):
        if instance.pid is not None and value > 0:
            key = instance.luid, instance.pid
            computing[key] = computing.get(key, False) or instance.is_compute
    found: defaultdict[int, list[GpuProcess]] = defaultdict(list)
    for luid, pid in sorted({*bytes_of, *computing}):
        found[luid].append(GpuProcess(pid, bytes_of.get((luid, pid)), computing.get((luid, pid), False)))
    return {luid: tuple(processes) for luid, processes in found.items()}


def _sound(rows: Iterable[tuple[str, float]]) -> Iterable[tuple[Instance, float]]:
    for name, value in rows:
        instance = parse_instance(name)
        if instance is not None and math.isfinite(value) and value >= 0:
            yield instance, value
