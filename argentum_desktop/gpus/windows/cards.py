"""From what Windows' parts say about adapters and devices to one list of cards. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, Vendor
from argentum_desktop.gpus.discovery import (
    SCREEN_ONLY,
    SERVICE_VENDORS,
    VENDORS,
    VIRTUAL_VENDORS,
    PciCard,
    is_intel_integrated,
)
from argentum_desktop.gpus.windows.d3dkmt import HYBRID_DISCRETE, HYBRID_INTEGRATED, PARAVIRTUALIZED
from argentum_desktop.gpus.windows.devices import DisplayDevice
from argentum_desktop.gpus.windows.dxgi import Adapter
from argentum_desktop.gpus.windows.problems import words_for_device

_LITTLE_MEMORY_BYTES = 512 * 2**20

Twins = Counter[tuple[int, int, str]]


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
    """The cards that programs can use with their adapters, and those that Windows lists and cannot use."""
    left = list(devices)
    twins: Twins = Counter()
    working: dict[str, tuple[Gpu, Adapter]] = {}
    for facts in adapters:
        device = _device_of(facts, left)
        if device is not None:
            left.remove(device)
        gpu = _working(facts, device, twins)
        working.setdefault(gpu.gpu_id, (gpu, facts.adapter))
    known = {gpu.pci_address for gpu, _ in working.values() if gpu.pci_address}
    others = (each for each in left if each.pci_address not in known and each.vendor_id not in SERVICE_VENDORS)
    idle = {gpu.gpu_id: gpu for gpu in (_idle(device, twins) for device in others)}
    return tuple(working.values()), tuple(idle.values())


def kind_of(card: PciCard, dedicated_bytes: int, type_bits: int = 0, is_integrated: bool | None = None) -> GpuKind:
    """Whether the card has memory of its own.

    DXCore knows, for the driver declares it; before Windows 10 version 2004 it is not there. The kernel's hybrid bits
    are set in notebooks with two adapters only. Without either: Intel's processors have theirs at one place on every
    board, and cards with less than 512 MiB are older than anything that is for hire. Where all that fails, an AMD
    processor that was given much memory in its firmware's settings is taken for a card.
    """
    if type_bits & PARAVIRTUALIZED or card.vendor in VIRTUAL_VENDORS:
        return GpuKind.VIRTUAL
    if is_integrated is None and type_bits & (HYBRID_DISCRETE | HYBRID_INTEGRATED):
        is_integrated = bool(type_bits & HYBRID_INTEGRATED)
    if is_integrated is None:
        is_integrated = is_intel_integrated(card) or dedicated_bytes < _LITTLE_MEMORY_BYTES
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


def _working(facts: AdapterFacts, device: DisplayDevice | None, twins: Twins) -> Gpu:
    adapter = facts.adapter
    address = facts.pci_address or (device.pci_address if device else None)
    subsystem = (device.subsystem if device else "") or _subsystem(adapter)
    card = _on_the_bus(address, adapter.vendor_id, adapter.device_id, subsystem, twins)
    is_screen = adapter.vendor_id in VIRTUAL_VENDORS
    problem, remedy = SCREEN_ONLY if is_screen else ("", "")
    return Gpu(
        gpu_id=card.gpu_id,
        name=adapter.name or (device.name if device else "") or f"Graphics card {card.pci_id}",
        vendor=VENDORS.get(adapter.vendor_id, Vendor.OTHER),
        kind=kind_of(card, adapter.dedicated_bytes, facts.type_bits, facts.is_integrated),
        state=GpuState.IGNORED if is_screen else GpuState.READY,
        problem=problem,
        remedy=remedy,
        memory_total_bytes=adapter.dedicated_bytes or None,
        pci_address=address,
        pci_id=card.pci_id,
        pci_subsystem=subsystem,
        driver=(device.service if device else "") or None,
        driver_version=(device.driver_version if device else "") or None,
        temperature_slowdown_c=facts.slowdown_c,
        sources=facts.sources,
    )


def _idle(device: DisplayDevice, twins: Twins) -> Gpu:
    card = _on_the_bus(device.pci_address, device.vendor_id, device.device_id, device.subsystem, twins)
    state, problem, remedy = words_for_device(device.problem, device.service, device.is_given_away)
    if device.vendor_id in VIRTUAL_VENDORS:
        state, (problem, remedy) = GpuState.IGNORED, SCREEN_ONLY
    return Gpu(
        gpu_id=card.gpu_id,
        name=device.name or f"Graphics card {card.pci_id}",
        vendor=VENDORS.get(device.vendor_id, Vendor.OTHER),
        # Nobody measures the memory of a card that does not work: only Intel's place tells it apart then.
        kind=kind_of(card, _LITTLE_MEMORY_BYTES),
        state=state,
        problem=problem,
        remedy=remedy,
        pci_address=device.pci_address,
        pci_id=card.pci_id,
        pci_subsystem=device.subsystem or None,
        driver=device.service or None,
        driver_version=device.driver_version or None,
    )


def _on_the_bus(address: str | None, vendor_id: int, device_id: int, subsystem: str, twins: Twins) -> PciCard:
    """The card with its place; those whose place Windows does not tell are told apart by their order alone."""
    if address is None:
        key = vendor_id, device_id, subsystem
        address = f"unknown{twins[key]}"
        twins[key] += 1
    return PciCard(address, vendor_id, device_id, subsystem or None)


def _subsystem(adapter: Adapter) -> str:
    return f"{adapter.subsystem_id & 0xFFFF:04x}:{adapter.subsystem_id >> 16:04x}"
