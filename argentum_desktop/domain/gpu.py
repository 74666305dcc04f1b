"""A card, as it is and not as it does. The words are NVML's where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Vendor(StrEnum):
    """Who made the card."""

    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"
    OTHER = "other"
    SIMULATED = "simulated"


class GpuKind(StrEnum):
    """Whether it has memory and power of its own."""

    DISCRETE = "discrete"
    INTEGRATED = "integrated"
    VIRTUAL = "virtual"


class GpuState(StrEnum):
    """Whether somebody can be asked about the card.

    Only a card that is `READY` can work. The others are listed all the same, with `Gpu.problem` and `Gpu.remedy`.
    """

    READY = "ready"
    NO_DRIVER = "no_driver"
    IGNORED = "ignored"
    """Its driver is there and does not list it: too old for this driver, or broken."""
    PASSED_THROUGH = "passed_through"
    """A virtual machine has it."""
    LOST = "lost"
    """It was there before and does not answer any more."""


@dataclass(frozen=True)
class Gpu:
    """One card.

    Attributes:
        gpu_id: stable across reboots: the vendor's UUID, else the PCI address with its ids.
        problem: why it cannot work, in words for the owner; empty when it is ready.
        remedy: what would help.
        pci_address: domain:bus:device.function, as in 0000:0a:00.0.
        pci_id: vendor and device, as in 10de:2204.
        pci_subsystem: the board maker's vendor and device, as in 1458:403b.
        driver: the driver's name, as in nvidia, amdgpu, i915, xe.
        power_limit_mw: the limit the driver enforces, None where it does not say.
        power_limit_default_mw: the limit the card came with.
        pcie_generation_max: what card and slot could do together; likewise `pcie_width_max`.
        sources: for each metric that needs it, which sensor says so, as in {"temperature_memory_c": "NVML field 82"}.
    """

    gpu_id: str
    name: str
    vendor: Vendor
    kind: GpuKind = GpuKind.DISCRETE
    state: GpuState = GpuState.READY
    problem: str = ""
    remedy: str = ""
    memory_total_bytes: int | None = None
    pci_address: str | None = None
    pci_id: str | None = None
    pci_subsystem: str | None = None
    driver: str | None = None
    driver_version: str | None = None
    vbios_version: str | None = None
    serial: str | None = None
    compute_capability: str | None = None
    power_limit_mw: int | None = None
    power_limit_default_mw: int | None = None
    temperature_slowdown_c: int | None = None
    temperature_shutdown_c: int | None = None
    temperature_memory_limit_c: int | None = None
    pcie_generation_max: int | None = None
    pcie_width_max: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_simulated(self) -> bool:
        return self.vendor is Vendor.SIMULATED

    @property
    def label(self) -> str:
        """The name to show; a simulated card is never shown without saying so."""
        return f"{self.name} (simulated)" if self.is_simulated else self.name


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
