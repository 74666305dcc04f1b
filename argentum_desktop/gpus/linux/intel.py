"""Intel's cards and integrated graphics under Linux's drivers i915 and xe.

The files: Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon and -xe-hwmon, drivers/gpu/drm/i915/gt/
intel_gt_sysfs_pm.c, drivers/gpu/drm/xe/xe_gt_freq.c, xe_gt_throttle.c and xe_tile_sysfs.c of Linux 6.x. The energy
register has 32 bits; both drivers carry it on in 63 (hwm_energy, xe_hwmon_energy_get), so it does not wrap here.
Neither has files for the load, for the memory in use or for the power of this instant; the last is taken from energy.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.domain.reading import THROTTLE_REASONS, Absence, ThrottleReason
from argentum_desktop.gpus.discovery import PciCard, is_intel_integrated
from argentum_desktop.gpus.linux.device import Device, Link
from argentum_desktop.gpus.linux.files import (
    NoValueError,
    names_in,
    number_or_none,
    read_value,
    whole_number,
)
from argentum_desktop.gpus.linux.gauges import Gauge, Panel, known_millidegrees, microjoules, microwatts_limit
from argentum_desktop.gpus.linux.hwmon import Hwmon
from argentum_desktop.gpus.linux.pci import PciBus
from argentum_desktop.gpus.linux.power import PowerCap
from argentum_desktop.gpus.linux.source import SysfsSource, driver_version

DRIVERS = frozenset({"i915", "xe"})

# Power is energy over time only while both are known well: not over a pause, and not over a moment.
_SHORTEST_SPAN_S, _LONGEST_SPAN_S = 0.1, 30.0

# Sustained limits of the whole card and of its package, then those for bursts.
_LIMITS = ("power1_max", "power2_max", "power1_cap", "power2_cap")

# By what follows "reason_" in a file's name.
_REASONS = {
    "pl1": ThrottleReason.POWER_LIMIT,
    "pl2": ThrottleReason.POWER_LIMIT,
    "pl4": ThrottleReason.POWER_LIMIT,
    "psys_pl1": ThrottleReason.POWER_LIMIT,
    "psys_pl2": ThrottleReason.POWER_LIMIT,
    "psys_crit": ThrottleReason.POWER_BRAKE,
    "iccmax": ThrottleReason.BOARD_LIMIT,
    "vr_tdc": ThrottleReason.BOARD_LIMIT,
    "fastvmode": ThrottleReason.BOARD_LIMIT,
    "thermal": ThrottleReason.TEMPERATURE,
    "soc_thermal": ThrottleReason.TEMPERATURE,
    "soc_avg_thermal": ThrottleReason.TEMPERATURE,
    "mem_thermal": ThrottleReason.TEMPERATURE,
    "vr_thermal": ThrottleReason.TEMPERATURE,
    "vr_thermalert": ThrottleReason.TEMPERATURE,
    "ratl": ThrottleReason.TEMPERATURE,
    "prochot": ThrottleReason.HARDWARE_TEMPERATURE,
}
_NO_REASON = "p0_freq"  # it runs at its highest clock: that is no throttling


def intel_source(root: Path) -> SysfsSource:
    return SysfsSource(root, Vendor.INTEL, DRIVERS, IntelCard)


class IntelCard:
    """One card or integrated graphics that i915 or xe has."""

    def __init__(self, root: Path, pci: PciCard, device: Device, bus: PciBus) -> None:
        hwmon = Hwmon.of(device.folder, device.driver)
        self.power_cap = _power_cap(hwmon)
        # Both drivers show hwmon for cards only (i915_hwmon_register, xe_hwmon_register).
        self._is_integrated = hwmon is None and is_intel_integrated(pci)
        link = None if self._is_integrated else Link(device.folder)
        engine = _engine_folder(device)
        ways = [*_hwmon_ways(hwmon, device.driver), *_clock_ways(engine, device.driver)]
        self._panel = Panel([*ways, *(link.gauges() if link else ())])
        self._throttle = _Throttle.of(engine, device.driver)
        self._energy_before: tuple[datetime, int] | None = None
        self.gpu = self._describe(root, pci, device, hwmon, link, bus)

    def read_into(self, values: dict[str, Any], absent: dict[str, Absence], now: datetime) -> None:
        self._panel.read_into(values, absent, now)
        energy_mj = values.get("energy_mj")
        if energy_mj is not None:
            power_mw = self._power_mw(now, energy_mj)
            if power_mw is not None:
                values["power_mw"] = power_mw
        elif "energy_mj" in absent:
            absent["power_mw"] = absent["energy_mj"]
        if self._throttle is not None:
            try:
                values[THROTTLE_REASONS] = self._throttle.read()
            except NoValueError as gone:
                absent[THROTTLE_REASONS] = gone.why

    def _power_mw(self, now: datetime, energy_mj: int) -> int | None:
        """The mean since the reading before; None for the first, after a pause, and when the counter was set back."""
        before, self._energy_before = self._energy_before, (now, energy_mj)
        if before is None:
            return None
        span_s = (now - before[0]).total_seconds()
        if not _SHORTEST_SPAN_S <= span_s <= _LONGEST_SPAN_S or energy_mj < before[1]:
            return None
        return round((energy_mj - before[1]) / span_s)

    def _describe(
        self, root: Path, pci: PciCard, device: Device, hwmon: Hwmon | None, link: Link | None, bus: PciBus
    ) -> Gpu:
        limit = _limit_in_force(hwmon) if hwmon else ""
        package = (hwmon.labelled("temp", "pkg") or "temp2") if hwmon else ""
        memory = (_memory_sensor(hwmon) or "temp3") if hwmon else ""
        return Gpu(
            gpu_id=pci.gpu_id,
            name=bus.name(pci),
            vendor=Vendor.INTEL,
            kind=GpuKind.INTEGRATED if self._is_integrated else GpuKind.DISCRETE,
            memory_total_bytes=_memory_bytes(device),
            pci_address=pci.address,
            pci_id=pci.pci_id,
            pci_subsystem=pci.subsystem,
            driver=pci.driver,
            driver_version=driver_version(root, device.driver),
            power_limit_mw=hwmon.milliwatts_or_none(limit) if hwmon else None,
            power_limit_default_mw=hwmon.milliwatts_or_none(limit.replace("_max", "_rated_max")) if hwmon else None,
            temperature_slowdown_c=hwmon.degrees_or_none(f"{package}_crit") if hwmon else None,
            temperature_shutdown_c=hwmon.degrees_or_none(f"{package}_emergency") if hwmon else None,
            temperature_memory_limit_c=hwmon.degrees_or_none(f"{memory}_crit") if hwmon else None,
            pcie_generation_max=link.generation_max if link else None,
            pcie_width_max=link.width_max if link else None,
            sources=self._sources(device.driver),
        )

    def _sources(self, driver: str) -> dict[str, str]:
        sources = self._panel.sources
        if "energy_mj" in sources:
            sources["power_mw"] = f"{sources['energy_mj']}, mean since the reading before"
        if self._throttle is not None:
            sources[THROTTLE_REASONS] = f"{driver} throttle reasons"
        return sources


class _Throttle:
    """A file that says whether there is a reason, and one for each."""

    def __init__(self, status: Path, reasons: dict[Path, ThrottleReason]) -> None:
        self._status = status
        self._reasons = reasons

    @classmethod
    def of(cls, engine: Path | None, driver: str) -> _Throttle | None:
        if engine is None:
            return None
        folder, start = (engine / "freq0/throttle", "") if driver == "xe" else (engine, "throttle_")
        wanted = f"{start}reason_"
        names = [name for name in names_in(folder) if name.startswith(wanted)]
        status = f"{wanted}status" if driver == "i915" else "status"
        if status not in names_in(folder):
            return None
        reasons = {name: name.removeprefix(wanted) for name in names if name != status}
        return cls(
            folder / status,
            {
                folder / name: _REASONS.get(reason, ThrottleReason.OTHER)
                for name, reason in reasons.items()
                if reason != _NO_REASON
            },
        )

    def read(self) -> tuple[ThrottleReason, ...]:
        """What holds the clock down.

        Raises:
            NoValueError: it does not say.
        """
        if not read_value(self._status, whole_number):  # as mostly: one look instead of ten
            return ()
        return tuple(dict.fromkeys(self._held()))

    def _held(self) -> Iterator[ThrottleReason]:
        for file, reason in self._reasons.items():
            if read_value(file, whole_number):
                yield reason


def _engine_folder(device: Device) -> Path | None:
    """Where the first engine's clock stands: under the card's node for i915, under the device for xe."""
    if device.driver == "xe":
        return device.folder / "tile0/gt0"
    node = device.drm_node
    return node / "gt/gt0" if node else None


def _clock_ways(engine: Path | None, driver: str) -> list[Gauge]:
    if engine is None:
        return []
    file = engine / ("freq0/act_freq" if driver == "xe" else "rps_act_freq_mhz")
    return [Gauge("clock_sm_mhz", file, source=f"{driver} {file.name}")]


def _hwmon_ways(hwmon: Hwmon | None, driver: str) -> list[Gauge]:
    if hwmon is None:
        return []
    ways = []
    # Documented numbers: temp2 package, temp3 memory under xe; temp1 under i915.
    package = hwmon.labelled("temp", "pkg") or ("temp2" if driver == "xe" else "temp1")
    ways.append(
        Gauge(
            "temperature_c", hwmon.file(f"{package}_input"), known_millidegrees, f"{driver} hwmon {package} (package)"
        )
    )
    memory = _memory_sensor(hwmon) or ("temp3" if driver == "xe" else None)
    if memory:
        file = hwmon.file(f"{memory}_input")
        ways.append(Gauge("temperature_memory_c", file, known_millidegrees, f"{driver} hwmon {memory} (memory)"))
    for name, what in (("energy1_input", "card"), ("energy2_input", "package")):
        ways.append(Gauge("energy_mj", hwmon.file(name), microjoules, f"{driver} hwmon {name} ({what})"))
    for name in _LIMITS:
        source = f"{driver} hwmon {name}"
        ways.append(Gauge("power_limit_mw", hwmon.file(name), microwatts_limit, source, is_slow=True))
    ways.append(Gauge("fan_rpm", hwmon.file("fan1_input")))
    return ways


def _memory_sensor(hwmon: Hwmon) -> str | None:
    """The card's memory; newer kernels show one sensor for each of its channels."""
    return hwmon.labelled("temp", "vram") or hwmon.labelled("temp", "vram_ch_0")


def _limit_in_force(hwmon: Hwmon) -> str:
    """The first limit that is switched on; a default stands beside the sustained ones only."""
    return next((name for name in _LIMITS if hwmon.milliwatts_or_none(name) is not None), _LIMITS[0])


def _power_cap(hwmon: Hwmon | None) -> PowerCap | None:
    """The limit that is switched on: what is off has nothing that could be set back."""
    cap = None if hwmon is None else PowerCap(hwmon, _limit_in_force(hwmon))
    return cap if cap is not None and cap.limit_mw() is not None else None


def _memory_bytes(device: Device) -> int | None:
    """The card's own memory: xe shows it for each tile, i915 only in Intel's version from outside the kernel."""
    if device.driver == "xe":
        tiles = [name for name in names_in(device.folder) if name.startswith("tile")]
        sizes = [number_or_none(device.folder / tile / "physical_vram_size_bytes", 1, 2**50) for tile in tiles]
        return sum(size for size in sizes if size is not None) or None
    node = device.drm_node
    return number_or_none(node / "lmem_total_bytes", 1, 2**50) if node else None
