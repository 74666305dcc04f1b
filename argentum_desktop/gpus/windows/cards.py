"""From what Windows' parts say about adapters and devices to one list of cards. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.gpus.windows.d3dkmt import HYBRID_DISCRETE, HYBRID_INTEGRATED, PARAVIRTUALIZED
from argentum_desktop.gpus.windows.devices import DisplayDevice
from argentum_desktop.gpus.windows.dxgi import Adapter
from argentum_desktop.gpus.windows.problems import words_for_device

_INTEL = 0x8086
_VENDORS = {0x10DE: Vendor.NVIDIA, 0x1002: Vendor.AMD, 0x1022: Vendor.AMD, _INTEL: Vendor.INTEL}
# Microsoft's, VMware's, VirtualBox's, QEMU's (two) and Red Hat's: screens that a virtual machine is given.
_VIRTUAL_VENDORS = frozenset({0x1414, 0x15AD, 0x80EE, 0x1234, 0x1AF4, 0x1B36})
_LITTLE_MEMORY_BYTES = 512 * 2**20


@dataclass(frozen=True)
class AdapterFacts:
    """An adapter that Windows offers to programs, and what else is known of it.

    Attributes:
        type_bits: D3DKMT_ADAPTERTYPE.
        is_integrated: DXCore's word, None where it has none.
        slowdown_c: where its driver begins to slow it for heat.
        sources: which sensor gives which of its metrics.
    """

    adapter: Adapter
    pci_address: str | None = None
    type_bits: int = 0
    is_integrated: bool | None = None
    slowdown_c: int | None = None
    sources: dict[str, str] = field(default_factory=dict)


def describe_cards(
    adapters: Iterable[AdapterFacts], devices: Sequence[DisplayDevice]
) -> tuple[tuple[tuple[Gpu, Adapter], ...], tuple[Gpu, ...]]:
    """The cards that can work with their adapters, and those that Windows lists and cannot use."""
    left = list(devices)
    working: dict[str, tuple[Gpu, Adapter]] = {}
    for facts in adapters:
        device = _device_of(facts, left)
        if device is not None:
            left.remove(device)
        gpu = _working(facts, device, sum(_is_like(facts.adapter, other) for _, other in working.values()))
        working.setdefault(gpu.gpu_id, (gpu, facts.adapter))
    known = {gpu.pci_address for gpu, _ in working.values() if gpu.pci_address}
    idle: dict[str, Gpu] = {}
    for device in left:
        if device.pci_address not in known:
            gpu = _idle(device, sum((device.vendor_id, device.device_id) == _numbers(gpu) for gpu in idle.values()))
            idle.setdefault(gpu.gpu_id, gpu)
    return tuple(working.values()), tuple(idle.values())


def kind_of(
    vendor_id: int, address: str | None, dedicated_bytes: int, type_bits: int = 0, is_integrated: bool | None = None
) -> GpuKind:
    """Whether the card has memory of its own.

    DXCore knows, for the driver declares it; before Windows 10 version 2004 it is not there. The kernel's hybrid bits
    are set in notebooks with two adapters only. Without either: Intel's processors have theirs on bus 0, where no slot
    is, and cards with less than 512 MiB are older than anything that is for hire. Where all that fails, an AMD
    processor that was given much memory in its firmware's settings is taken for a card.
    """
    if type_bits & PARAVIRTUALIZED or vendor_id in _VIRTUAL_VENDORS:
        return GpuKind.VIRTUAL
    if is_integrated is None and type_bits & (HYBRID_DISCRETE | HYBRID_INTEGRATED):
        is_integrated = bool(type_bits & HYBRID_INTEGRATED)
    if is_integrated is None:
        is_on_bus_0 = vendor_id == _INTEL and (address or "").startswith("0000:00:")
        is_integrated = is_on_bus_0 or dedicated_bytes < _LITTLE_MEMORY_BYTES
    return GpuKind.INTEGRATED if is_integrated else GpuKind.DISCRETE


def _device_of(facts: AdapterFacts, devices: Sequence[DisplayDevice]) -> DisplayDevice | None:
    """The adapter's entry in the list of devices: by its address, else the first of its kind that works."""
    if facts.pci_address is not None:
        return next((device for device in devices if device.pci_address == facts.pci_address), None)
    adapter = facts.adapter
    wanted = adapter.vendor_id, adapter.device_id
    same = [device for device in devices if (device.vendor_id, device.device_id) == wanted and not device.problem]
    exact = [device for device in same if device.subsystem in ("", _subsystem(adapter))]
    return next(iter(exact or same), None)


def _working(facts: AdapterFacts, device: DisplayDevice | None, twins: int) -> Gpu:
    adapter = facts.adapter
    address = facts.pci_address or (device.pci_address if device else None)
    pci_id = f"{adapter.vendor_id:04x}:{adapter.device_id:04x}"
    subsystem = (device.subsystem if device else "") or _subsystem(adapter)
    return Gpu(
        gpu_id=_gpu_id(address, pci_id, subsystem, twins),
        name=adapter.name or (device.name if device else "") or f"Graphics card {pci_id}",
        vendor=_VENDORS.get(adapter.vendor_id, Vendor.OTHER),
        kind=kind_of(adapter.vendor_id, address, adapter.dedicated_bytes, facts.type_bits, facts.is_integrated),
        memory_total_bytes=adapter.dedicated_bytes or None,
        pci_address=address,
        pci_id=pci_id,
        pci_subsystem=subsystem,
        driver=(device.service if device else "") or None,
        driver_version=(device.driver_version if device else "") or None,
        temperature_slowdown_c=facts.slowdown_c,
        sources=facts.sources,
    )


def _idle(device: DisplayDevice, twins: int) -> Gpu:
    pci_id = f"{device.vendor_id:04x}:{device.device_id:04x}"
    state, problem, remedy = words_for_device(device.problem, device.service, device.is_given_away)
    return Gpu(
        gpu_id=_gpu_id(device.pci_address, pci_id, device.subsystem, twins),
        name=device.name or f"Graphics card {pci_id}",
        vendor=_VENDORS.get(device.vendor_id, Vendor.OTHER),
        # Nobody measures the memory of a card that does not work: only Intel's place tells it apart then.
        kind=kind_of(device.vendor_id, device.pci_address, _LITTLE_MEMORY_BYTES),
        state=state,
        problem=problem,
        remedy=remedy,
        pci_address=device.pci_address,
        pci_id=pci_id,
        pci_subsystem=device.subsystem or None,
        driver=device.service or None,
        driver_version=device.driver_version or None,
    )


def _gpu_id(address: str | None, pci_id: str, subsystem: str, twins: int) -> str:
    """Stable across starts. Cards without an address are told apart by their order alone."""
    words = [address or f"unknown{twins}", pci_id, *([subsystem] if subsystem else [])]
    return f"PCI-{'-'.join(words)}"


def _subsystem(adapter: Adapter) -> str:
    return f"{adapter.subsystem_id & 0xFFFF:04x}:{adapter.subsystem_id >> 16:04x}"


def _is_like(one: Adapter, other: Adapter) -> bool:
    return (one.vendor_id, one.device_id, one.subsystem_id) == (other.vendor_id, other.device_id, other.subsystem_id)


def _numbers(gpu: Gpu) -> tuple[int, int]:
    vendor, _, device = (gpu.pci_id or "0:0").partition(":")
    return int(vendor, 16), int(device, 16)
