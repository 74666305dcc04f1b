"""Lists and reads the cards of one vendor through /sys: what AMD's and Intel's have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from argentum_desktop.domain.gpu import Gpu, SourceReport, Vendor
from argentum_desktop.domain.reading import Absence, Reading, lost
from argentum_desktop.gpus import power_limits
from argentum_desktop.gpus.discovery import PciCard
from argentum_desktop.gpus.linux.device import Device
from argentum_desktop.gpus.linux.files import text_or_none
from argentum_desktop.gpus.linux.pci import PciBus
from argentum_desktop.gpus.linux.power import PowerCap
from argentum_desktop.gpus.measured import make_reading


class SysfsCard(Protocol):
    """One card, its files found."""

    @property
    def gpu(self) -> Gpu: ...

    @property
    def power_cap(self) -> PowerCap | None:
        """Where its power limit is set; None where it has none."""
        ...

    def read_into(self, values: dict[str, Any], absent: dict[str, Absence], now: datetime) -> None:
        """Put what the card reports into `values`, and why something fails into `absent`."""
        ...


Describe = Callable[[Path, PciCard, Device, PciBus], SysfsCard]


class SysfsSource:
    """The cards that certain drivers of the kernel have.

    Args:
        root: "/", or where a tree of the same form lies.
        drivers: by the names they have under a device's `driver`.
        describe: finds a card's files.
    """

    def __init__(self, root: Path, vendor: Vendor, drivers: frozenset[str], describe: Describe) -> None:
        self._root = root
        self._vendor = vendor
        self._drivers = drivers
        self._describe = describe
        self._cards: tuple[tuple[Device, SysfsCard, str], ...] = ()

    def discover(self) -> SourceReport:
        bus = PciBus(self._root)
        cards: list[tuple[Device, SysfsCard, str]] = []
        gpus: list[Gpu] = []
        for pci in bus.cards():
            if pci.driver is None or pci.driver not in self._drivers:
                continue
            device = Device(bus.folder(pci), pci.driver)
            card = self._describe(self._root, pci, device, bus)
            gpu = card.gpu
            if any(other.gpu_id == gpu.gpu_id for other in gpus):  # boards with two chips may bear one number
                gpu = replace(gpu, gpu_id=f"{gpu.gpu_id}-{pci.address}")
            gpus.append(gpu)
            cards.append((device, card, gpu.gpu_id))
        self._cards = tuple(cards)
        return SourceReport(self._vendor, tuple(gpus))

    def read(self, now: datetime, *, all_anew: bool = False) -> Sequence[Reading]:
        return [self._read(device, card, gpu_id, now) for device, card, gpu_id in self._cards]

    def power_limit_mw(self, gpu_id: str) -> int | None:
        cap = next((card.power_cap for _, card, known_id in self._cards if known_id == gpu_id), None)
        return None if cap is None else cap.limit_mw()

    def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        for device, card, known_id in self._cards:
            if known_id == gpu_id and not device.is_unbound:
                if card.power_cap is None:
                    return power_limits.NOT_HERE
                return power_limits.ASLEEP if device.is_asleep else card.power_cap.set(power_mw)
        return power_limits.NO_SUCH_CARD

    def close(self) -> None:
        self._cards = ()

    @staticmethod
    def _read(device: Device, card: SysfsCard, gpu_id: str, now: datetime) -> Reading:
        if device.is_unbound:
            return lost(gpu_id, now)
        if device.is_asleep:
            return make_reading(gpu_id, now, {"utilization_percent": 0})
        values: dict[str, Any] = {}
        absent: dict[str, Absence] = {}
        card.read_into(values, absent, now)
        total = card.gpu.memory_total_bytes
        if total is not None and values.get("memory_used_bytes", 0) > total:
            del values["memory_used_bytes"]
            absent["memory_used_bytes"] = Absence.ERROR
        reading = make_reading(gpu_id, now, values, absent)
        has_failed = Absence.ERROR in reading.absent.values()
        if (absent and device.is_unbound) or (has_failed and device.is_off_the_bus):  # it went while it was read
            return lost(gpu_id, now)
        return reading


def driver_version(root: Path, driver: str) -> str | None:
    """The driver's own version, which only drivers from outside the kernel have; else that of the kernel it is in."""
    own = text_or_none(root / "sys/module" / driver / "version")
    if own is not None:
        return own
    kernel = text_or_none(root / "proc/sys/kernel/osrelease")
    return f"Linux {kernel}" if kernel else None
