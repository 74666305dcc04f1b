"""What Vulkan says of one device."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.stress import AdapterType


@dataclass(frozen=True)
class MemoryHeap:
    """One kind of memory that a device can use.

    Attributes:
        is_device_local: the device's own; on a discrete card everything else is the computer's memory.
        budget_bytes: how much of it this process may use now without pushing others out; None where it is not told.
        used_bytes: what this process uses of it, None likewise.
    """

    size_bytes: int
    is_device_local: bool
    budget_bytes: int | None = None
    used_bytes: int | None = None


@dataclass(frozen=True)
class VulkanDevice:
    """One entry of Vulkan's list of devices.

    Attributes:
        vendor_id: of the PCI bus for a card, of Khronos' own list for a program; likewise `device_id`.
        api_version: major, minor, patch.
        pci_address: domain:bus:device.function, as in 0000:0a:00.0; None where Vulkan does not tell.
        driver_name: as in "NVIDIA" or "radv"; empty where Vulkan does not tell, likewise `driver_info`.
        uuid: of the device, 32 hexadecimal digits, None where Vulkan does not tell.
        luid: Windows' name of the adapter until the next start, None elsewhere.
    """

    name: str
    vendor_id: int
    device_id: int
    adapter_type: AdapterType
    api_version: tuple[int, int, int]
    heaps: tuple[MemoryHeap, ...] = ()
    pci_address: str | None = None
    driver_name: str = ""
    driver_info: str = ""
    uuid: str | None = None
    luid: int | None = None

    @property
    def own_memory_bytes(self) -> int:
        """Of the largest heap that is the device's own."""
        return max((heap.size_bytes for heap in self.heaps if heap.is_device_local), default=0)

    @property
    def own_budget_bytes(self) -> int | None:
        """What this process may use of that heap now; None where it is not told."""
        own = [heap for heap in self.heaps if heap.is_device_local]
        return max(own, key=lambda heap: heap.size_bytes).budget_bytes if own else None


def plain(words: str) -> str:
    """One printable line: what a driver says is shown to the owner, and compared with what others heard it say."""
    return "".join(letter for letter in words if letter.isprintable()).strip()
