"""What the performance counters say about each adapter: memory in use, load, processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argentum_desktop.domain.reading import PROCESSES, Absence, GpuProcess
from argentum_desktop.gpus.windows.instances import load_by_card, memory_by_card, processes_by_card
from argentum_desktop.gpus.windows.pdh import CounterQuery

_MEMORY, _ENGINES, _PROCESS_MEMORY = "memory", "engines", "process memory"
# Since Windows 10 version 1709, for drivers of the display model 2.0 and newer. English paths work in every language.
COUNTERS = {
    _MEMORY: r"\GPU Adapter Memory(*)\Dedicated Usage",
    _ENGINES: r"\GPU Engine(*)\Utilization Percentage",
    _PROCESS_MEMORY: r"\GPU Process Memory(*)\Dedicated Usage",
}
COUNTER_SOURCES = {
    "memory_used_bytes": "Windows, GPU Adapter Memory",
    "utilization_percent": "Windows, GPU Engine",
    PROCESSES: "Windows, GPU Process Memory",
}


@dataclass(frozen=True)
class Usage:
    """One sample, by adapter; or why there is none."""

    memory: Mapping[int, int] | Absence
    load: Mapping[int, int] | Absence
    processes: Mapping[int, tuple[GpuProcess, ...]] | Absence

    def of(self, luid: int) -> tuple[dict[str, Any], dict[str, Absence]]:
        """The values of one adapter, and why others are not there.

        Windows lists a process under an engine from when it first uses it. An adapter whose memory is counted and that
        stands under no engine therefore rests; one that is in no list at all is not counted.
        """
        values: dict[str, Any] = {}
        absent: dict[str, Absence] = {}
        if isinstance(self.memory, Absence):
            absent["memory_used_bytes"] = self.memory
        elif luid in self.memory:
            values["memory_used_bytes"] = self.memory[luid]
        is_counted = "memory_used_bytes" in values
        if isinstance(self.load, Absence):
            absent["utilization_percent"] = self.load
        elif luid in self.load or is_counted:
            values["utilization_percent"] = self.load.get(luid, 0)
        if isinstance(self.processes, Absence):
            absent[PROCESSES] = self.processes
        elif luid in self.processes or is_counted:
            values[PROCESSES] = self.processes.get(luid, ())
        return values, absent


FAILED = Usage(Absence.ERROR, Absence.ERROR, Absence.ERROR)


def sample(query: CounterQuery) -> Usage:
    """Collect once, and add up what all three counters have."""
    query.collect()
    memory, engines, holders = query.rows(_MEMORY), query.rows(_ENGINES), query.rows(_PROCESS_MEMORY)
    processes: Mapping[int, tuple[GpuProcess, ...]] | Absence
    if isinstance(holders, Absence):
        processes = holders
    elif isinstance(engines, Absence):  # nobody could say which of them compute
        processes = engines
    else:
        processes = processes_by_card(holders, engines)
    return Usage(
        memory=memory if isinstance(memory, Absence) else memory_by_card(memory),
        load=engines if isinstance(engines, Absence) else load_by_card(engines),
        processes=processes,
    )
