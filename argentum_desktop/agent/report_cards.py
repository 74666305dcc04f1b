"""The cards as text for a terminal and as JSON. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, SourceReport, Vendor
from argentum_desktop.domain.reading import (
    METRIC_BY_NAME,
    PROCESSES,
    THROTTLE_REASONS,
    VALUES,
    XID_EVENTS,
    Absence,
    EnergySource,
    GpuProcess,
    Reading,
)
from argentum_desktop.policy.words import energy

GIB = 1024**3
MIB = 1024**2
WIDTH = 100
_INDENT = 2
_TITLES = 22

NameOf = Callable[[int], str | None]

WHY_ABSENT = {Absence.NOT_SUPPORTED: "not supported", Absence.LOST: "lost", Absence.ERROR: "error"}
VENDOR_WORDS = {
    Vendor.NVIDIA: "NVIDIA",
    Vendor.AMD: "AMD",
    Vendor.INTEL: "Intel",
    Vendor.OTHER: "Other cards",
    Vendor.SIMULATED: "Simulated cards",
}
_STATE_WORDS = {
    GpuState.READY: "ready",
    GpuState.NO_DRIVER: "no driver",
    GpuState.IGNORED: "ignored by its driver",
    GpuState.PASSED_THROUGH: "used by a virtual machine",
    GpuState.LOST: "lost",
}
_KIND_WORDS = {GpuKind.INTEGRATED: "integrated graphics", GpuKind.VIRTUAL: "virtual card"}
_ENERGY_WORDS = {
    EnergySource.COUNTER: "",
    EnergySource.INTEGRATED: " (integrated)",
    EnergySource.MIXED: " (partly integrated)",
}
NO_CARD = "No card was found."
_LOST_WORDS = "lost: the card does not answer"
# The figures of a card that has a single line.
_COLUMNS = ("temperature_c", "power_mw", "utilization_percent", "memory_used_bytes", "clock_sm_mhz", "fan_percent")
# One line each, in this order; what else there is has lines of its own.
_PLAIN = (
    "temperature_c",
    "temperature_hotspot_c",
    "temperature_memory_c",
    "power_mw",
    "energy_mj",
    "utilization_percent",
    "memory_utilization_percent",
    "memory_used_bytes",
    "clock_sm_mhz",
    "clock_memory_mhz",
    "fan_percent",
    "fan_rpm",
)
_ERRORS = tuple(
    name for name in VALUES if name == "pcie_replays" or name.startswith(("ecc_", "retired_pages_", "remapped_rows_"))
)
# What belongs together is not listed one by one where none of it is supported.
_TOGETHER = (
    ("ecc_", "memory error counters"),
    ("retired_pages_", "retired pages"),
    ("remapped_rows_", "remapped rows"),
    ("pcie_generation", "PCIe link"),
    ("pcie_width", "PCIe link"),
    (THROTTLE_REASONS, "what slows it"),
    (XID_EVENTS, "driver's error numbers"),
    (PROCESSES, "processes"),
)


def cards_text(
    reports: Sequence[SourceReport],
    readings: Sequence[Reading],
    *,
    width: int = WIDTH,
    name_of: NameOf = lambda _: None,
) -> str:
    """Each card with what it reports, and each driver's reason where there is none.

    Args:
        name_of: the name of a process; None where it is not known.
    """
    by_id = {reading.gpu_id: reading for reading in readings}
    blocks = [
        [f"{gpu.label}  [{gpu.gpu_id}]", *_aligned(card_rows(gpu, by_id.get(gpu.gpu_id), name_of), width)]
        for report in reports
        for gpu in report.gpus
    ]
    blocks += [textwrap.wrap(note, max(20, width), subsequent_indent="  ") for note in driver_notes(reports)]
    return printable([line for block in blocks for line in (*block, "")][:-1]) or NO_CARD


def cards_table(reports: Sequence[SourceReport], readings: Sequence[Reading]) -> list[str]:
    """One line for each card, for where there is no room for more."""
    by_id = {reading.gpu_id: reading for reading in readings}
    rows = [(gpu, *_cells(gpu, by_id.get(gpu.gpu_id))) for report in reports for gpu in report.gpus]
    if not rows:
        return [NO_CARD]
    labels = max(len(gpu.label) for gpu, _, _ in rows)
    widths = [max((len(cells[column]) for _, cells, _ in rows if cells), default=0) for column in range(len(_COLUMNS))]
    lines = []
    for gpu, cells, words in rows:
        figures = "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=False))
        lines.append(f"{gpu.gpu_id}  {gpu.label:<{labels}}{figures}{'  ' + words if words else ''}")
    return printable(lines).split("\n")


def driver_notes(reports: Sequence[SourceReport]) -> list[str]:
    """What the drivers say of cards that are not there."""
    return [
        printable([f"{VENDOR_WORDS[report.vendor]}: {report.problem} {report.remedy}".rstrip()])
        for report in reports
        if report.problem
    ]


def cards_json(reports: Sequence[SourceReport], readings: Sequence[Reading]) -> Any:
    return msgspec.to_builtins({"reports": reports, "readings": readings})


def card_rows(gpu: Gpu, reading: Reading | None, name_of: NameOf) -> Iterator[tuple[str, str]]:
    """Title and words, in the order in which they are shown."""
    if gpu.kind in _KIND_WORDS:
        yield "kind", _KIND_WORDS[gpu.kind]
    if gpu.state is not GpuState.READY:
        yield "state", _state(gpu)
        return
    if reading is None:
        yield "reading", "none"
        return
    if _is_silent(reading):
        yield "reading", _LOST_WORDS
        yield from _driver_errors(reading)
        return
    yield from _measured(gpu, reading)
    yield from _errors(reading)
    if _is_supported(reading, PROCESSES):
        yield "processes", _processes(reading, name_of)
    folded = _not_supported(reading)
    if folded:
        yield "not supported", ", ".join(folded)


def shown_value(gpu: Gpu, reading: Reading, name: str) -> str:
    """A value with its unit; what is not there says why."""
    value = getattr(reading, name)
    if value is None:
        return WHY_ABSENT[reading.absent.get(name, Absence.NOT_SUPPORTED)]
    if name == "power_mw":
        return f"{_watts(value)} W"
    if name == "energy_mj":
        return energy(value) + _ENERGY_WORDS[reading.energy_source]
    if name == "memory_used_bytes":
        total = f" of {gpu.memory_total_bytes / GIB:.1f}" if gpu.memory_total_bytes else ""
        return f"{value / GIB:.1f}{total} GiB" if value >= GIB or not total else f"{value / MIB:.0f} MiB{total} GiB"
    return f"{value} {METRIC_BY_NAME[name].unit}".rstrip()


def printable(lines: Iterable[str]) -> str:
    """Lines of ours: what a market, a buyer or a driver said in them must neither break them nor steer the terminal."""
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines)


def _measured(gpu: Gpu, reading: Reading) -> Iterator[tuple[str, str]]:
    for name in _PLAIN:
        if _is_supported(reading, name):
            words = shown_value(gpu, reading, name)
            if name == "power_mw" and reading.power_mw is not None and reading.power_limit_mw is not None:
                words += f", limit {_watts(reading.power_limit_mw)} W"
            source = gpu.sources.get(name)
            yield _title(name), f"{words} ({source})" if source and getattr(reading, name) is not None else words
    if _is_supported(reading, THROTTLE_REASONS):
        yield "slowed by", _throttling(reading)
    if _is_supported(reading, "pcie_generation") or _is_supported(reading, "pcie_width"):
        yield "PCIe", _link(gpu, reading)


def _throttling(reading: Reading) -> str:
    if THROTTLE_REASONS in reading.absent:
        return WHY_ABSENT[reading.absent[THROTTLE_REASONS]]
    return "; ".join(reason.words for reason in reading.throttle_reasons) or "nothing"


def _link(gpu: Gpu, reading: Reading) -> str:
    generation, lanes = reading.pcie_generation, reading.pcie_width
    if generation is not None and lanes is not None:
        now = f"gen {generation} x{lanes}"
    else:
        values = (("gen", "pcie_generation"), ("lanes", "pcie_width"))
        now = ", ".join(f"{title} {shown_value(gpu, reading, name)}" for title, name in values)
    if gpu.pcie_generation_max is None or gpu.pcie_width_max is None:
        return now
    return f"{now} (of gen {gpu.pcie_generation_max} x{gpu.pcie_width_max})"


def _errors(reading: Reading) -> Iterator[tuple[str, str]]:
    """What has been counted; that all counters stand at zero is one word."""
    supported = [name for name in _ERRORS if _is_supported(reading, name)]
    told = [name for name in supported if getattr(reading, name) != 0]
    yield from _driver_errors(reading)
    if supported and not told:
        yield "errors", "none counted"
    for number, name in enumerate(told):
        value = getattr(reading, name)
        if value is None:
            words = WHY_ABSENT[reading.absent[name]]
        else:
            words = "yes" if name.endswith(("_pending", "_failed")) else f"{value:,}".replace(",", " ")
        yield ("" if number else "errors"), f"{_title(name)}: {words}"


def _driver_errors(reading: Reading) -> Iterator[tuple[str, str]]:
    if reading.xid_events:
        yield "driver's errors", ", ".join(f"XID {number}" for number in reading.xid_events)


def _processes(reading: Reading, name_of: NameOf) -> str:
    if PROCESSES in reading.absent:
        return WHY_ABSENT[reading.absent[PROCESSES]]
    return ", ".join(_process(process, name_of(process.pid)) for process in reading.processes) or "none"


def _process(process: GpuProcess, name: str | None) -> str:
    memory = "" if process.memory_bytes is None else f", {process.memory_bytes / MIB:.0f} MiB"
    return f"{name or 'process'} {process.pid} ({'computes' if process.is_compute else 'draws'}{memory})"


def _not_supported(reading: Reading) -> list[str]:
    """The names of what the card does not have, each group once and only where all of it is missing."""
    missing = [name for name in VALUES if not _is_supported(reading, name)]
    groups = {name: next((words for start, words in _TOGETHER if name.startswith(start)), "") for name in VALUES}
    whole = {words for words in groups.values() if words} - {groups[name] for name in VALUES if name not in missing}
    shown = [groups[name] if groups[name] in whole else _title(name) for name in missing]
    return list(dict.fromkeys(shown))


def _is_supported(reading: Reading, name: str) -> bool:
    if name in reading.absent:
        return reading.absent[name] is not Absence.NOT_SUPPORTED
    return getattr(reading, name) is not None


def _title(name: str) -> str:
    if name not in METRIC_BY_NAME:
        return name.replace("_", " ")
    title = METRIC_BY_NAME[name].title
    return title if title.startswith("PCIe") else title[0].lower() + title[1:]


def _watts(power_mw: int) -> str:
    return f"{power_mw / 1000:.0f}" if power_mw >= 10_000 else f"{power_mw / 1000:.1f}"


def _state(gpu: Gpu) -> str:
    return f"{gpu.problem or _STATE_WORDS[gpu.state]} {gpu.remedy}".rstrip()


def _is_silent(reading: Reading) -> bool:
    """The card is gone, as against one value of it; that it is, the driver may have told as an error."""
    return reading.is_lost and reading.absent.keys() >= set(VALUES) - {XID_EVENTS}


def _cells(gpu: Gpu, reading: Reading | None) -> tuple[list[str], str]:
    """The figures of one line, and the words behind them."""
    if gpu.state is not GpuState.READY:
        return [], _state(gpu)
    if reading is None:
        return [], "no reading"
    if _is_silent(reading):
        return [], _LOST_WORDS
    cells = ["-" if not _is_supported(reading, name) else shown_value(gpu, reading, name) for name in _COLUMNS]
    return cells, f"slowed: {_throttling(reading)}" if reading.throttle_reasons else ""


def _aligned(rows: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    room = max(20, width - _INDENT - _TITLES - 1)
    for title, words in rows:
        first, *others = textwrap.wrap(words, room) or [""]
        yield f"{' ' * _INDENT}{title:<{_TITLES}} {first}"
        yield from (" " * (_INDENT + _TITLES + 1) + other for other in others)
