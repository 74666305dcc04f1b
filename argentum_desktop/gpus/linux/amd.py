"""AMD's cards under Linux's driver amdgpu.

The files: Documentation/gpu/amdgpu/thermal.rst, driver-misc.rst and ras.rst of Linux (drivers/gpu/drm/amd/pm/
amdgpu_pm.c, amdgpu/amdgpu_ras.c). Which processes use a card stands in /proc/*/fdinfo, which an ordinary account may
read for its own processes only, and for none in a container of another user: an incomplete list would be a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.domain.reading import THROTTLE_REASONS, Absence
from argentum_desktop.gpus.discovery import PciCard
from argentum_desktop.gpus.linux.device import Device, Link
from argentum_desktop.gpus.linux.files import (
    PAGE_BYTES,
    number_or_none,
    read_bytes,
    text_or_none,
    whole_number,
    why,
)
from argentum_desktop.gpus.linux.gauges import (
    Gauge,
    Panel,
    hertz,
    known_millidegrees,
    microwatts,
    microwatts_limit,
)
from argentum_desktop.gpus.linux.gpu_metrics import GpuMetrics, decode
from argentum_desktop.gpus.linux.hwmon import Hwmon
from argentum_desktop.gpus.linux.pci import PciBus
from argentum_desktop.gpus.linux.power import PowerCap
from argentum_desktop.gpus.linux.source import SysfsSource, driver_version

DRIVERS = frozenset({"amdgpu"})
# One line for each bad page: a card is to be replaced long before this is full.
_BAD_PAGES_BYTES = 1_000_000
# The names under which hwmon's sensors stand, and those of old kernels, which give them no label.
_TEMPERATURES = (
    ("temperature_c", "edge", "temp1"),
    ("temperature_hotspot_c", "junction", "temp2"),
    ("temperature_memory_c", "mem", "temp3"),
)


def amd_source(root: Path) -> SysfsSource:
    return SysfsSource(root, Vendor.AMD, DRIVERS, AmdCard)


class AmdCard:
    """One card that amdgpu has."""

    def __init__(self, root: Path, pci: PciCard, device: Device, bus: PciBus) -> None:
        folder = device.folder
        self._table_file = folder / "gpu_metrics"
        self._table = self._read_table()
        hwmon = Hwmon.of(folder, "amdgpu")
        self.power_cap = _power_cap(hwmon)
        self._is_integrated = self._is_apu(hwmon)
        link = None if self._is_integrated else Link(folder)
        ways = [*_hwmon_ways(hwmon), *_device_ways(folder), *(link.gauges() if link else ())]
        self._panel = Panel(ways)
        self._told = self._metrics_of_table()
        self.gpu = self._describe(root, pci, folder, hwmon, link, bus)

    def read_into(self, values: dict[str, Any], absent: dict[str, Absence], now: datetime) -> None:
        self._panel.read_into(values, absent, now)
        table = self._read_table()
        if isinstance(table, Absence):
            absent.update({metric: table for metric in self._told if metric not in values and metric not in absent})
            return
        before = self._table if isinstance(self._table, GpuMetrics) else None
        self._table = table
        found: dict[str, Any] = {metric: table.values.get(name) for metric, name in _FROM_TABLE.items()}
        found |= {"energy_mj": table.energy_mj, THROTTLE_REASONS: table.throttle_reasons(before)}
        for metric, value in found.items():
            if value is not None and metric not in absent:
                values.setdefault(metric, value)

    def _read_table(self) -> GpuMetrics | Absence:
        try:
            return decode(read_bytes(self._table_file, PAGE_BYTES))
        except OSError as error:
            return why(error)
        except ValueError:
            return Absence.ERROR

    def _is_apu(self, hwmon: Hwmon | None) -> bool:
        """Whether it is the graphics of a processor: only there amdgpu shows the voltage "vddnb" (amdgpu_pm.c)."""
        if isinstance(self._table, GpuMetrics) and self._table.is_integrated:
            return True
        return hwmon is not None and hwmon.labelled("in", "vddnb") is not None

    def _describe(
        self, root: Path, pci: PciCard, folder: Path, hwmon: Hwmon | None, link: Link | None, bus: PciBus
    ) -> Gpu:
        unique_id = (text_or_none(folder / "unique_id") or "").lower().removeprefix("0x")
        has_number = len(unique_id) == 16 and len(set(unique_id)) > 1 and set(unique_id) <= set("0123456789abcdef")
        return Gpu(
            gpu_id=f"GPU-{unique_id}" if has_number else pci.gpu_id,
            name=_product_name(folder) or bus.name(pci),
            vendor=Vendor.AMD,
            kind=GpuKind.INTEGRATED if self._is_integrated else GpuKind.DISCRETE,
            memory_total_bytes=number_or_none(folder / "mem_info_vram_total", 1, 2**50),
            pci_address=pci.address,
            pci_id=pci.pci_id,
            pci_subsystem=pci.subsystem,
            driver=pci.driver,
            driver_version=driver_version(root, "amdgpu"),
            vbios_version=text_or_none(folder / "vbios_version"),
            serial=text_or_none(folder / "serial_number"),
            power_limit_mw=hwmon.milliwatts_or_none("power1_cap") if hwmon else None,
            power_limit_default_mw=hwmon.milliwatts_or_none("power1_cap_default") if hwmon else None,
            temperature_slowdown_c=hwmon.degrees_or_none("temp1_crit") if hwmon else None,
            temperature_shutdown_c=hwmon.degrees_or_none("temp1_emergency") if hwmon else None,
            temperature_memory_limit_c=hwmon.degrees_or_none("temp3_crit") if hwmon else None,
            pcie_generation_max=link.generation_max if link else None,
            pcie_width_max=link.width_max if link else None,
            sources=self._sources(),
        )

    def _sources(self) -> dict[str, str]:
        if not isinstance(self._table, GpuMetrics):
            return self._panel.sources
        version = "amdgpu gpu_metrics v{}.{}".format(*self._table.version)
        return {**dict.fromkeys(self._told, version), **self._panel.sources}

    def _metrics_of_table(self) -> tuple[str, ...]:
        """What the table gives, as long as no file of its own does."""
        table = self._table
        if not isinstance(table, GpuMetrics):
            return (THROTTLE_REASONS,) if table is Absence.ERROR else ()
        told = [metric for metric, name in _FROM_TABLE.items() if name in table.values]
        told += ["energy_mj"] if table.energy_mj is not None else []
        told += [THROTTLE_REASONS] if table.throttle_reasons(table) is not None else []
        return tuple(told)


# What the table gives where no file of its own does.
_FROM_TABLE = {
    "temperature_hotspot_c": "hotspot_c",
    "temperature_memory_c": "memory_c",
    "utilization_percent": "load_percent",
    "memory_utilization_percent": "memory_load_percent",
    "pcie_replays": "replays",
}


def _power_cap(hwmon: Hwmon | None) -> PowerCap | None:
    """Graphics of a processor have no such file, or one that says nothing."""
    cap = None if hwmon is None else PowerCap(hwmon, "power1_cap")
    return cap if cap is not None and cap.limit_mw() is not None else None


def _product_name(folder: Path) -> str | None:
    """From the board's own memory, which only servers' cards have."""
    name = text_or_none(folder / "product_name")
    return name if name is None or name.upper().startswith("AMD") else f"AMD {name}"


def _hwmon_ways(hwmon: Hwmon | None) -> list[Gauge]:
    if hwmon is None:
        return []
    ways = []
    for metric, label, unlabelled in _TEMPERATURES:
        sensor = hwmon.labelled("temp", label) or (unlabelled if not hwmon.label(unlabelled) else None)
        if sensor:
            file = hwmon.file(f"{sensor}_input")
            ways.append(Gauge(metric, file, known_millidegrees, f"amdgpu hwmon {label}"))
    junction = hwmon.labelled("temp", "junction")
    if junction:  # servers' cards measure no edge
        file = hwmon.file(f"{junction}_input")
        ways.append(Gauge("temperature_c", file, known_millidegrees, "amdgpu hwmon junction"))
    for name in ("power1_average", "power1_input"):
        label = f" ({hwmon.label('power1')})" if hwmon.label("power1") else ""
        ways.append(Gauge("power_mw", hwmon.file(name), microwatts, f"amdgpu hwmon {name}{label}"))
    pwm_full = number_or_none(hwmon.file("pwm1_max"), 1, 65_535) or 255
    return [
        *ways,
        Gauge("power_limit_mw", hwmon.file("power1_cap"), microwatts_limit, "amdgpu hwmon power1_cap", is_slow=True),
        Gauge("clock_sm_mhz", hwmon.file("freq1_input"), hertz, "amdgpu hwmon sclk"),
        Gauge("clock_memory_mhz", hwmon.file("freq2_input"), hertz, "amdgpu hwmon mclk"),
        Gauge("fan_rpm", hwmon.file("fan1_input")),
        Gauge("fan_percent", hwmon.file("pwm1"), lambda content: round(whole_number(content) * 100 / pwm_full)),
    ]


def _device_ways(folder: Path) -> list[Gauge]:
    ras = folder / "ras"
    pages = ras / "gpu_vram_bad_pages"
    return [
        Gauge("utilization_percent", folder / "gpu_busy_percent"),
        Gauge("memory_utilization_percent", folder / "mem_busy_percent"),
        Gauge("memory_used_bytes", folder / "mem_info_vram_used"),
        Gauge("clock_sm_mhz", folder / "pp_dpm_sclk", chosen_level_mhz, "amdgpu pp_dpm_sclk"),
        Gauge("clock_memory_mhz", folder / "pp_dpm_mclk", chosen_level_mhz, "amdgpu pp_dpm_mclk"),
        Gauge("pcie_replays", folder / "pcie_replay_count", is_slow=True),
        # These count since the driver was loaded (DOC: AMDGPU RAS sysfs Error Count Interface).
        Gauge("ecc_corrected_volatile", ras / "umc_err_count", _count_of(b"ce"), "amdgpu ras umc", is_slow=True),
        Gauge("ecc_uncorrected_volatile", ras / "umc_err_count", _count_of(b"ue"), "amdgpu ras umc", is_slow=True),
        Gauge("retired_pages_dbe", pages, lambda c: len(_page_flags(c)), "amdgpu ras", True, _BAD_PAGES_BYTES),
        Gauge(
            "retired_pages_pending", pages, lambda c: int(b"P" in _page_flags(c)), "amdgpu ras", True, _BAD_PAGES_BYTES
        ),
    ]


def chosen_level_mhz(content: bytes) -> int:
    """The level with the star, in lines as in "1: 1500Mhz *".

    Raises:
        ValueError: there is none.
    """
    for line in content.splitlines():
        if line.rstrip().endswith(b"*"):
            level = line.rstrip(b" *").partition(b":")[2].strip().lower()
            return whole_number(level.removesuffix(b"mhz"))
    raise ValueError("no level is chosen")


def _count_of(kind: bytes) -> Callable[[bytes], int]:
    """Reads one of the lines "ue: 0" and "ce: 0"."""

    def count(content: bytes) -> int:
        for line in content.splitlines():
            name, colon, number = line.partition(b":")
            if colon and name.strip() == kind:
                return whole_number(number)
        raise ValueError("no such count")

    return count


def _page_flags(content: bytes) -> list[bytes]:
    """The flag of each bad page, in lines "0x... : 0x00001000 : R": R reserved, P to be reserved, F cannot be."""
    flags = [line.rpartition(b":")[2].strip() for line in content.splitlines() if line.strip()]
    if not set(flags) <= {b"R", b"P", b"F"}:
        raise ValueError("not a list of bad pages")
    return flags
