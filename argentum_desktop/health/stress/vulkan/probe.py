"""Asks Vulkan which devices there are. Runs in the process that loads the card, for a driver may take it down."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from ctypes import Structure, byref, c_void_p
from pathlib import Path

from argentum_desktop.domain.stress import AdapterType
from argentum_desktop.health.stress.vulkan.device import MemoryHeap, VulkanDevice, plain
from argentum_desktop.health.stress.vulkan.instance import API_1_1, API_1_2, VulkanInstance
from argentum_desktop.health.stress.vulkan.structures import (
    MOST_HEAPS,
    DeviceProperties,
    DeviceProperties2,
    DriverProperties,
    IdProperties,
    MemoryBudget,
    MemoryProperties,
    MemoryProperties2,
    PciBusInfo,
)

_PCI_BUS_INFO = "VK_EXT_pci_bus_info"
_MEMORY_BUDGET = "VK_EXT_memory_budget"
_DRIVER_PROPERTIES = "VK_KHR_driver_properties"
_DEVICE_LOCAL = 1
# VkPhysicalDeviceType; a virtual card is told apart by nothing that WebGPU has a word for.
_TYPES = {1: AdapterType.INTEGRATED, 2: AdapterType.DISCRETE, 4: AdapterType.CPU}


def vulkan_devices(library: Path | None = None) -> tuple[VulkanDevice, ...]:
    """Every device, in the order in which Vulkan lists them.

    Args:
        library: another loader than the system's own.

    Raises:
        StressError: there is no Vulkan here, or it does not work.
    """
    with VulkanInstance(library) as instance:
        return tuple(_describe(instance, device) for device in instance.devices())


def _describe(instance: VulkanInstance, device: int) -> VulkanDevice:
    """One device. What it does not support is not asked for, and stays None."""
    properties = DeviceProperties()
    ask = instance.needed("vkGetPhysicalDeviceProperties", None, c_void_p, c_void_p)
    ask(device, byref(properties))
    place, identity, driver = PciBusInfo(), IdProperties(), DriverProperties()
    extensions = instance.device_extensions(device)
    version = min(properties.api_version, instance.api_version)
    told: list[Structure] = []
    if _PCI_BUS_INFO in extensions:
        told.append(place)
    if version >= API_1_1:
        told.append(identity)
    if version >= API_1_2 or _DRIVER_PROPERTIES in extensions:
        told.append(driver)
    if not _ask_chain(instance, "vkGetPhysicalDeviceProperties2", device, DeviceProperties2(), told):
        told = []
    return VulkanDevice(
        name=_text(properties.name),
        vendor_id=properties.vendor_id,
        device_id=properties.device_id,
        adapter_type=_TYPES.get(properties.device_type, AdapterType.UNKNOWN),
        api_version=_version(properties.api_version),
        heaps=_heaps(instance, device, has_budget=_MEMORY_BUDGET in extensions),
        pci_address=_address(place) if place in told else None,
        driver_name=_text(driver.name) if driver in told else "",
        driver_info=_text(driver.info) if driver in told else "",
        uuid=bytes(identity.device_uuid).hex() if identity in told else None,
        luid=_luid(identity) if identity in told else None,
    )


def _heaps(instance: VulkanInstance, device: int, *, has_budget: bool) -> tuple[MemoryHeap, ...]:
    answer, budget = MemoryProperties2(), MemoryBudget()
    chain = [budget] if has_budget else []
    memory = answer.memory
    if not _ask_chain(instance, "vkGetPhysicalDeviceMemoryProperties2", device, answer, chain):
        has_budget, memory = False, MemoryProperties()
        ask = instance.needed("vkGetPhysicalDeviceMemoryProperties", None, c_void_p, c_void_p)
        ask(device, byref(memory))
    return tuple(
        MemoryHeap(
            size_bytes=memory.heaps[number].size,
            is_device_local=bool(memory.heaps[number].flags & _DEVICE_LOCAL),
            budget_bytes=budget.budget[number] if has_budget else None,
            used_bytes=budget.usage[number] if has_budget else None,
        )
        for number in range(min(memory.heap_count, MOST_HEAPS))
    )


def _ask_chain(instance: VulkanInstance, name: str, device: int, answer: Structure, chain: Sequence[Structure]) -> bool:
    """Ask with further structures hung behind the first; False where this Vulkan is too old for that."""
    if instance.has_properties_2:
        name += "KHR"  # also right for a device of Vulkan 1.0
    elif instance.api_version < API_1_1:
        return False
    ask = instance.function(name, None, c_void_p, c_void_p)
    if ask is None:
        return False
    linked = [answer, *chain]
    for number, part in enumerate(linked):
        part.type = type(part).TYPE
        part.next = ctypes.addressof(linked[number + 1]) if number + 1 < len(linked) else None
    ask(device, byref(answer))
    return True


def _address(place: PciBusInfo) -> str:
    return f"{place.domain:04x}:{place.bus:02x}:{place.device:02x}.{place.function:x}"


def _luid(identity: IdProperties) -> int | None:
    return int.from_bytes(bytes(identity.luid), sys.byteorder) if identity.is_luid_valid else None


def _version(number: int) -> tuple[int, int, int]:
    return number >> 22 & 0x7F, number >> 12 & 0x3FF, number & 0xFFF


def _text(raw: bytes) -> str:
    return plain(raw.decode("utf-8", "replace"))
