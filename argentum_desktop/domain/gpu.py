"""A card, and what it reports. The words are NVML's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Vendor(StrEnum):
    """Who made the card."""

    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"
    SIMULATED = "simulated"


class Absence(StrEnum):
    """Why a value is not there. There is never a zero for "unknown"."""

    NOT_SUPPORTED = "not_supported"
    LOST = "lost"
    ERROR = "error"


@dataclass(frozen=True)
class Gpu:
    """One card, as it is and not as it does.

    Attributes:
        gpu_id: stable across reboots: the vendor's UUID, else the PCI address with its ids.
        power_limit_mw: the limit the driver enforces, None where it does not say.
    """

    gpu_id: str
    name: str
    vendor: Vendor
    memory_total_bytes: int | None = None
    pci_address: str | None = None
    driver_version: str | None = None
    power_limit_mw: int | None = None
    temperature_slowdown_c: int | None = None

    @property
    def is_simulated(self) -> bool:
        return self.vendor is Vendor.SIMULATED

    @property
    def label(self) -> str:
        """The name to show; a simulated card is never shown without saying so."""
        return f"{self.name} (simulated)" if self.is_simulated else self.name


@dataclass(frozen=True)
class Reading:
    """What a card reported at one instant; a value that is None has its reason in `absent`."""

    gpu_id: str
    taken_at: datetime
    temperature_c: int | None = None
    power_mw: int | None = None
    energy_mj: int | None = None
    utilization_percent: int | None = None
    memory_used_bytes: int | None = None
    clock_sm_mhz: int | None = None
    clock_memory_mhz: int | None = None
    fan_percent: int | None = None
    throttle_reasons: tuple[str, ...] = ()
    absent: Mapping[str, Absence] = field(default_factory=dict)

    @property
    def is_lost(self) -> bool:
        """The driver says that the card is gone from the bus."""
        return Absence.LOST in self.absent.values()


# The values of a Reading that are kept as history, in the order in which the store keeps them.
METRICS = (
    "temperature_c",
    "power_mw",
    "utilization_percent",
    "memory_used_bytes",
    "clock_sm_mhz",
    "clock_memory_mhz",
    "fan_percent",
)


@dataclass(frozen=True)
class SourceReport:
    """What one vendor's driver said when asked which cards there are.

    Attributes:
        problem: why there is none, or not all, in words for the owner; empty when all is well.
        remedy: what would help; empty when nothing would.
    """

    vendor: Vendor
    gpus: tuple[Gpu, ...]
    problem: str = ""
    remedy: str = ""
