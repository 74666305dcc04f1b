"""What a healthy card of each model has and does: the table that ships, and the row of it that fits a card."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.resources import resource

TABLE = "gpu_reference.csv"
MIB = 1024**2

# Healthy cards copy 91 to 94 % of what their datasheet says (RTX 4090: 921 of 1008 GB/s, RTX 5060: 419 of 448, clpeak).
# Where no copy of our own was recorded for a model, the lower end of that is what a healthy one is held against.
DATASHEET_COPY_PERCENT = 91


@dataclass(frozen=True)
class ReferenceCard:
    """One model, as its maker describes it. None where no source says so.

    Attributes:
        bandwidth_mb_s: between chip and memory, millions of bytes a second, as the datasheet says.
        fp32_gflops: as the datasheet says; never a measure of health, since plain code cannot reach it on many chips.
        chip: the code name of the chip, as in GA102.
        pci_ids: vendor and device, of every board of this model, as in 10de:2204.
        measured_bandwidth_mb_s: what this application's own copy reached on healthy cards (the median).
        measured_fp32_gflops: likewise for its arithmetic.
        source: where the figures come from.
    """

    vendor: Vendor
    model: str
    release_year: int | None = None
    memory_mib: int | None = None
    bandwidth_mb_s: int | None = None
    fp32_gflops: int | None = None
    power_mw: int | None = None
    pcie_generation: int | None = None
    pcie_width: int | None = None
    chip: str = ""
    bus_bits: int | None = None
    cores: int | None = None
    compute_capability: str = ""
    pci_ids: tuple[str, ...] = ()
    measured_bandwidth_mb_s: int | None = None
    measured_fp32_gflops: int | None = None
    source: str = ""

    @property
    def expected_copy_mb_s(self) -> int | None:
        """What a healthy one of these copies within its own memory."""
        if self.measured_bandwidth_mb_s is not None:
            return self.measured_bandwidth_mb_s
        return None if self.bandwidth_mb_s is None else self.bandwidth_mb_s * DATASHEET_COPY_PERCENT // 100


@dataclass(frozen=True)
class ReferenceTable:
    """All rows, and the fingerprint of the file they came from."""

    rows: tuple[ReferenceCard, ...]
    sha256: str

    def find(self, gpu: Gpu) -> tuple[ReferenceCard | None, tuple[ReferenceCard, ...]]:
        """The row that fits, and all that could: by device id first, then by name; the memory decides between twins."""
        by_id = self._by_id(gpu)
        candidates = by_id or self._by_name(gpu)
        fitting = tuple(row for row in candidates if may_have_this_memory(row, gpu.memory_total_bytes))
        if len(fitting) > 1:
            name = plain_name(gpu.name)
            fitting = tuple(row for row in fitting if plain_name(row.model) == name) or fitting
        # AMD gives one device id to several models, not all of which are in the table.
        if not fitting and len(by_id) == 1 and gpu.vendor is not Vendor.AMD:
            fitting = by_id
        return (fitting[0] if len(fitting) == 1 else None), candidates

    def _by_id(self, gpu: Gpu) -> tuple[ReferenceCard, ...]:
        wanted = (gpu.pci_id or "").lower()
        return tuple(row for row in self.rows if wanted and wanted in row.pci_ids)

    def _by_name(self, gpu: Gpu) -> tuple[ReferenceCard, ...]:
        if is_portable(gpu.name):
            return ()
        name = plain_name(gpu.name)
        rows = [row for row in self.rows if gpu.vendor in {row.vendor, Vendor.SIMULATED}]
        if _MEMORY.search(name) and (exact := tuple(row for row in rows if plain_name(row.model) == name)):
            return exact
        return tuple(row for row in rows if _without_memory(plain_name(row.model)) == _without_memory(name))


def load_reference(path: Path | None = None) -> ReferenceTable:
    """The table that ships, or another."""
    raw = (path or resource(TABLE)).read_bytes()
    lines = csv.DictReader(raw.decode("utf-8").splitlines())
    return ReferenceTable(tuple(_row(line) for line in lines), hashlib.sha256(raw).hexdigest())


def has_this_memory(row: ReferenceCard, memory_bytes: int | None) -> bool:
    """Whether the memory that a driver reports is this model's: drivers keep a little back, some round up."""
    if row.memory_mib is None or memory_bytes is None:
        return False
    return row.memory_mib * 88 <= memory_bytes * 100 // MIB <= row.memory_mib * 102


def may_have_this_memory(row: ReferenceCard, memory_bytes: int | None) -> bool:
    return row.memory_mib is None or memory_bytes is None or has_this_memory(row, memory_bytes)


_NOISE = re.compile(
    r"\b(nvidia|amd|ati|intel|corporation|geforce|radeon|tesla|quadro|graphics|\(tm\)|\(r\))\b|\(tm\)|\(r\)"
)
_PORTABLE = re.compile(r"\b(laptop|mobile|max-q|notebook|\d{3,4}m)\b", re.IGNORECASE)
_MEMORY = re.compile(r"\b\d+gb\b(/\d+gb\b)?")


def is_portable(name: str) -> bool:
    """A laptop's chip shares its name with a desktop card, at far lower limits."""
    return _PORTABLE.search(name) is not None


def plain_name(name: str) -> str:
    """The name without its vendor's titles and marks, so that drivers and tables mean the same: "rtx 3060"."""
    lowered = _NOISE.sub(" ", name.lower().replace("-", " "))
    return " ".join(re.sub(r"(\d+)\s*(?:gb|gib)\b", r"\1gb", lowered).split())


def _without_memory(name: str) -> str:
    return " ".join(_MEMORY.sub(" ", name).split())


def _row(line: Mapping[str, str]) -> ReferenceCard:
    def number(column: str) -> int | None:
        text = line.get(column) or ""
        return int(text) if text else None

    return ReferenceCard(
        vendor=Vendor(line["vendor"].lower()),
        model=line["model"],
        release_year=number("release_year"),
        memory_mib=number("memory_mib"),
        bandwidth_mb_s=number("bandwidth_mb_s"),
        fp32_gflops=number("fp32_gflops"),
        power_mw=number("power_mw"),
        pcie_generation=number("pcie_generation"),
        pcie_width=number("pcie_width"),
        chip=line.get("chip") or "",
        bus_bits=number("bus_bits"),
        cores=number("cores"),
        compute_capability=line.get("compute_capability") or "",
        pci_ids=tuple((line.get("pci_ids") or "").lower().split()),
        measured_bandwidth_mb_s=number("measured_bandwidth_mb_s"),
        measured_fp32_gflops=number("measured_fp32_gflops"),
        source=line.get("source") or "",
    )
