"""The Vulkan probe over a stand-in for the loader, compiled against Khronos' header, and over the real one."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_vulkan import build
from fake_vulkan.build import GIB, PROPERTIES_2, FakeVulkan, card, compile_with_header

from argentum_desktop.domain.stress import AdapterType
from argentum_desktop.errors import StressError
from argentum_desktop.health.stress.vulkan import structures
from argentum_desktop.health.stress.vulkan.device import MemoryHeap
from argentum_desktop.health.stress.vulkan.probe import vulkan_devices

fake_vulkan = build.fake_vulkan

# Ours, Khronos', and the members whose places are compared: ours and theirs.
LAYOUTS: dict[str, tuple[str, dict[str, str]]] = {
    "ApplicationInfo": ("VkApplicationInfo", {"api_version": "apiVersion"}),
    "InstanceCreateInfo": (
        "VkInstanceCreateInfo",
        {
            "application": "pApplicationInfo",
            "extension_count": "enabledExtensionCount",
            "extension_names": "ppEnabledExtensionNames",
        },
    ),
    "ExtensionProperties": ("VkExtensionProperties", {"name": "extensionName"}),
    "Limits": ("VkPhysicalDeviceLimits", {}),
    "DeviceProperties": (
        "VkPhysicalDeviceProperties",
        {
            "api_version": "apiVersion",
            "vendor_id": "vendorID",
            "device_id": "deviceID",
            "device_type": "deviceType",
            "name": "deviceName",
            "limits": "limits",
            "sparse": "sparseProperties",
        },
    ),
    "DeviceProperties2": ("VkPhysicalDeviceProperties2", {"next": "pNext", "properties": "properties"}),
    "IdProperties": (
        "VkPhysicalDeviceIDProperties",
        {"device_uuid": "deviceUUID", "luid": "deviceLUID", "is_luid_valid": "deviceLUIDValid"},
    ),
    "DriverProperties": ("VkPhysicalDeviceDriverProperties", {"name": "driverName", "info": "driverInfo"}),
    "PciBusInfo": (
        "VkPhysicalDevicePCIBusInfoPropertiesEXT",
        {"domain": "pciDomain", "bus": "pciBus", "device": "pciDevice", "function": "pciFunction"},
    ),
    "MemoryType": ("VkMemoryType", {}),
    "Heap": ("VkMemoryHeap", {"size": "size", "flags": "flags"}),
    "MemoryProperties": ("VkPhysicalDeviceMemoryProperties", {"heap_count": "memoryHeapCount", "heaps": "memoryHeaps"}),
    "MemoryProperties2": ("VkPhysicalDeviceMemoryProperties2", {"memory": "memoryProperties"}),
    "MemoryBudget": (
        "VkPhysicalDeviceMemoryBudgetPropertiesEXT",
        {"budget": "heapBudget", "usage": "heapUsage"},
    ),
}
TYPES = {
    "ApplicationInfo": "APPLICATION_INFO",
    "InstanceCreateInfo": "INSTANCE_CREATE_INFO",
    "DeviceProperties2": "PHYSICAL_DEVICE_PROPERTIES_2",
    "IdProperties": "PHYSICAL_DEVICE_ID_PROPERTIES",
    "DriverProperties": "PHYSICAL_DEVICE_DRIVER_PROPERTIES",
    "PciBusInfo": "PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT",
    "MemoryProperties2": "PHYSICAL_DEVICE_MEMORY_PROPERTIES_2",
    "MemoryBudget": "PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT",
}


def test_every_layout_is_the_headers(tmp_path: Path) -> None:
    expected: list[str] = []
    prints: list[str] = []
    for ours, (theirs, members) in LAYOUTS.items():
        layout: Any = getattr(structures, ours)
        expected.append(f"{ours} {ctypes.sizeof(layout)}")
        prints.append(f'printf("{ours} %zu\\n", sizeof({theirs}));')
        for our_member, their_member in members.items():
            expected.append(f"{ours}.{our_member} {getattr(layout, our_member).offset}")
            prints.append(f'printf("{ours}.{our_member} %zu\\n", offsetof({theirs}, {their_member}));')
    for ours, name in TYPES.items():
        expected.append(f"{ours} type {getattr(structures, ours).TYPE}")
        prints.append(f'printf("{ours} type %d\\n", VK_STRUCTURE_TYPE_{name});')
    source = tmp_path / "layouts.c"
    text = "#include <stddef.h>\n#include <stdio.h>\n#include <vulkan/vulkan.h>\nint main(void) {\n"
    source.write_text(text + "\n".join(prints) + "\nreturn 0; }\n", encoding="utf-8")
    program = compile_with_header(source, tmp_path / "layouts")
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == expected


def test_every_layout_is_compared() -> None:
    declared = {
        name
        for name, value in vars(structures).items()
        if isinstance(value, type) and issubclass(value, ctypes.Structure) and value is not ctypes.Structure
    }
    assert declared == set(LAYOUTS)
    assert {name for name in declared if hasattr(getattr(structures, name), "TYPE")} == set(TYPES)


def test_two_cards_with_all_they_tell(fake_vulkan: FakeVulkan) -> None:
    library = fake_vulkan.follow(PROPERTIES_2, card(0, luid=0x1_0000_C0DE), card(1, pci="1:ff:1f.7"))
    first, second = vulkan_devices(library)
    assert (first.name, first.vendor_id, first.device_id) == ("NVIDIA GeForce RTX 3090", 0x10DE, 0x2204)
    assert first.adapter_type is AdapterType.DISCRETE
    assert first.api_version == (1, 3, 0)
    assert (first.pci_address, second.pci_address) == ("0000:03:00.0", "0001:ff:1f.7")
    assert (first.luid, second.luid) == (0x1_0000_C0DE, None)
    assert first.uuid == "de" * 16
    assert (first.driver_name, first.driver_info) == ("NVIDIA", "580.95.05")
    assert first.heaps == (
        MemoryHeap(24 * GIB, True, 23 * GIB, GIB),
        MemoryHeap(32 * GIB, False, 30 * GIB, 0),
    )
    assert (first.own_memory_bytes, first.own_budget_bytes) == (24 * GIB, 23 * GIB)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, AdapterType.UNKNOWN),
        (1, AdapterType.INTEGRATED),
        (3, AdapterType.UNKNOWN),
        (4, AdapterType.CPU),
        (77, AdapterType.UNKNOWN),
    ],
)
def test_the_kinds_of_devices(fake_vulkan: FakeVulkan, number: int, kind: AdapterType) -> None:
    assert vulkan_devices(fake_vulkan.follow(card(0, type=number)))[0].adapter_type is kind


def test_what_a_device_does_not_support_is_not_asked_for(fake_vulkan: FakeVulkan) -> None:
    (found,) = vulkan_devices(fake_vulkan.follow(PROPERTIES_2, card(0, (), api="1.0")))
    assert (found.pci_address, found.uuid, found.luid, found.driver_name) == (None, None, None, "")
    assert found.heaps[0] == MemoryHeap(24 * GIB, True, None, None)
    assert found.own_budget_bytes is None


def test_the_oldest_loader_tells_names_and_ids(fake_vulkan: FakeVulkan) -> None:
    (found,) = vulkan_devices(fake_vulkan.follow("loader none", card(0)))
    assert (found.name, found.device_id, found.pci_address) == ("NVIDIA GeForce RTX 3090", 0x2204, None)
    assert found.heaps[0].size_bytes == 24 * GIB


def test_an_old_loader_with_the_extension_tells_the_place(fake_vulkan: FakeVulkan) -> None:
    (found,) = vulkan_devices(fake_vulkan.follow("loader none", PROPERTIES_2, card(0)))
    assert found.pci_address == "0000:03:00.0"
    assert found.uuid is None  # that came with 1.1


def test_a_loader_without_the_extension_uses_the_core(fake_vulkan: FakeVulkan) -> None:
    assert vulkan_devices(fake_vulkan.follow(card(0)))[0].pci_address == "0000:03:00.0"


def test_a_list_that_grows_meanwhile_is_asked_for_again(fake_vulkan: FakeVulkan) -> None:
    assert len(vulkan_devices(fake_vulkan.follow("grows", card(0), card(1), card(2)))) == 3


def test_no_device_is_an_empty_list(fake_vulkan: FakeVulkan) -> None:
    assert vulkan_devices(fake_vulkan.follow("loader 1.3")) == ()


def test_what_a_driver_says_is_one_printable_line(fake_vulkan: FakeVulkan) -> None:
    (found,) = vulkan_devices(fake_vulkan.follow(card(0, name="RTX\t3090\x1b[31m \xff", driver=None)))
    assert found.name == "RTX3090[31m ÿ"
    assert found.driver_name == ""


NEEDED = (
    "vkCreateInstance",
    "vkEnumerateInstanceExtensionProperties",
    "vkEnumeratePhysicalDevices",
    "vkEnumerateDeviceExtensionProperties",
    "vkGetPhysicalDeviceProperties",
)


@pytest.mark.parametrize("name", NEEDED)
def test_a_function_that_is_missing_is_a_sentence(fake_vulkan: FakeVulkan, name: str) -> None:
    with pytest.raises(StressError, match=f"lacks {name}"):
        vulkan_devices(fake_vulkan.follow(PROPERTIES_2, f"without {name}", card(0)))


@pytest.mark.parametrize(
    "names",
    [
        ("vkGetPhysicalDeviceProperties2KHR",),
        ("vkGetPhysicalDeviceMemoryProperties2KHR",),
        ("vkEnumerateInstanceVersion",),
    ],
)
def test_a_function_that_can_be_done_without(fake_vulkan: FakeVulkan, names: tuple[str, ...]) -> None:
    missing = [f"without {name}" for name in names]
    (found,) = vulkan_devices(fake_vulkan.follow(PROPERTIES_2, *missing, card(0)))
    assert found.device_id == 0x2204
    assert found.heaps[0].size_bytes == 24 * GIB


@pytest.mark.parametrize("name", [name for name in NEEDED if name != "vkGetPhysicalDeviceProperties"])
@pytest.mark.parametrize("code", [-1, -2, -3, -4, -7, -9, -13, 1, 12_345])
def test_an_error_is_a_sentence(fake_vulkan: FakeVulkan, name: str, code: int) -> None:
    with pytest.raises(StressError, match="Vulkan on this computer does not work: ") as raised:
        vulkan_devices(fake_vulkan.follow(PROPERTIES_2, f"fail {name} {code}", card(0)))
    assert raised.value.remedy


@pytest.mark.parametrize("count", [10_001, 2**32 - 1])
def test_an_impossible_number_of_devices_is_not_believed(fake_vulkan: FakeVulkan, count: int) -> None:
    with pytest.raises(StressError, match="without sense"):
        vulkan_devices(fake_vulkan.follow(f"count vkEnumeratePhysicalDevices {count}", card(0)))


def test_more_entries_announced_than_given(fake_vulkan: FakeVulkan) -> None:
    assert len(vulkan_devices(fake_vulkan.follow("count vkEnumeratePhysicalDevices 100", card(0)))) == 1


def test_heaps_without_number_are_cut_off(fake_vulkan: FakeVulkan) -> None:
    more = "\n".join(f"device 0 heap {GIB} 0 0 0" for _ in range(40))
    assert len(vulkan_devices(fake_vulkan.follow(card(0), more))[0].heaps) == 16


def test_no_loader_and_a_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(StressError, match="There is no Vulkan on this computer"):
        vulkan_devices(tmp_path / "libvulkan.so.1")
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    with pytest.raises(StressError, match="There is no Vulkan"):
        vulkan_devices(broken)
    libc = ctypes.util.find_library("c")
    assert libc
    with pytest.raises(StressError, match="is not Vulkan's"):
        vulkan_devices(Path(libc))


def test_the_real_loader_and_wgpu_list_the_same_devices() -> None:
    """Both in a process of their own: a driver stays in the process that has loaded it."""
    script = (
        "import json, wgpu\n"
        "from argentum_desktop.health.stress.vulkan.probe import vulkan_devices\n"
        "theirs = [dict(one.info) for one in wgpu.gpu.enumerate_adapters_sync()]\n"
        "ours = [[one.vendor_id, one.device_id, one.name, one.own_memory_bytes] for one in vulkan_devices()]\n"
        "print(json.dumps([theirs, ours]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    if "There is no Vulkan" in done.stderr:
        pytest.skip("there is no Vulkan on this computer: install mesa-vulkan-drivers")
    theirs, ours = json.loads(done.stdout)
    listed = [[one["vendor_id"], one["device_id"], one["device"]] for one in theirs if one["backend_type"] == "Vulkan"]
    assert listed
    assert listed == [entry[:3] for entry in ours if entry[:3] in listed]
    assert all(entry[3] > 0 for entry in ours)
