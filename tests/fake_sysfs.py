"""Builds trees as Linux shows them under /sys and /proc: PCI devices, hwmon, drivers, and what each driver adds.

The files and their contents are those of the kernel's documentation (Documentation/gpu/amdgpu,
Documentation/ABI/testing) and of its sources; the cards are examples.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GIB = 2**30
Files = Mapping[str, object]  # by path under the device; None takes one away


@dataclass(frozen=True)
class FakeDevice:
    """One PCI device of the tree."""

    address: str
    folder: Path

    def write(self, files: Files) -> None:
        for name, content in files.items():
            file = self.folder / name
            if content is None:
                file.unlink(missing_ok=True)
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                file.write_bytes(content)
            else:
                file.write_text(f"{content}\n", encoding="utf-8")


class FakeSysfs:
    """A root folder to be given where "/" stands otherwise."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.devices: dict[str, FakeDevice] = {}
        (root / "sys/bus/pci/devices").mkdir(parents=True)
        self.write("proc/sys/kernel/osrelease", "6.12.48")

    def write(self, name: str, content: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n", encoding="utf-8")

    def add(
        self, address: str, pci_id: str, driver: str | None, files: Files | None = None, behind: str = "", **ids: str
    ) -> FakeDevice:
        """Plug a device in; `behind` is the address of the port it hangs on, none for the bus itself."""
        parent = self.devices[behind].folder if behind else self.root / "sys/devices/pci0000:00"
        folder = parent / address
        folder.mkdir(parents=True)
        vendor, device = pci_id.split(":")
        subsystem = ids.get("subsystem", "1458:232c").split(":")
        fake = self.devices[address] = FakeDevice(address, folder)
        base = {
            "vendor": f"0x{vendor}",
            "device": f"0x{device}",
            "class": ids.get("pci_class", "0x030000"),
            "revision": ids.get("revision", "0xc1"),
            "subsystem_vendor": f"0x{subsystem[0]}",
            "subsystem_device": f"0x{subsystem[1]}",
            "config": bytes.fromhex(vendor)[::-1] + bytes.fromhex(device)[::-1] + bytes(60),
        }
        fake.write({**base, **(files or {})})
        link = self.root / "sys/bus/pci/devices" / address
        link.symlink_to(os.path.relpath(folder, link.parent))
        if driver:
            self.bind(address, driver)
        return fake

    def bind(self, address: str, driver: str | None) -> None:
        """Give a device to a driver, or to none."""
        link = self.devices[address].folder / "driver"
        link.unlink(missing_ok=True)
        if driver:
            home = self.root / "sys/bus/pci/drivers" / driver
            home.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(home, link.parent))
            self.load(driver)

    def load(self, module: str, version: str | None = None) -> None:
        """Load a driver's module."""
        name = f"sys/module/{module.replace('-', '_')}"
        self.write(f"{name}/srcversion", "5AC4E6E0F0C7F2C0B9B7A11")
        if version:
            self.write(f"{name}/version", version)

    def pull(self, address: str) -> None:
        """Take a device away."""
        (self.root / "sys/bus/pci/devices" / address).unlink()
        shutil.rmtree(self.devices.pop(address).folder)

    def port(self, address: str, pci_id: str, speed: str, width: int, behind: str = "", **most: object) -> FakeDevice:
        """A PCIe port."""
        return self.add(address, pci_id, "pcieport", link(speed, width, **most), behind, pci_class="0x060400")


def link(speed: str, width: int, max_speed: object = None, max_width: object = None) -> Files:
    return {
        "current_link_speed": f"{speed} GT/s PCIe",
        "current_link_width": width,
        "max_link_speed": f"{max_speed or speed} GT/s PCIe",
        "max_link_width": max_width or width,
    }


def amd_switch(tree: FakeSysfs, bus: int = 3, speed: str = "16.0", width: int = 8) -> str:
    """The way from the processor to an RDNA card: root port, and the two ports of the card's own switch."""
    tree.port("0000:00:01.1", "1022:1633", speed, width, max_width=16)
    upper, lower = f"0000:{bus - 2:02x}:00.0", f"0000:{bus - 1:02x}:00.0"
    tree.port(upper, "1002:1478", speed, width, "0000:00:01.1", max_speed="16.0", max_width=16)
    tree.port(lower, "1002:1479", "32.0", 16, upper)
    return lower


def metrics_v1_3(throttle: int = 0, own: int = 0, energy: int = 2**64 - 1, **changes: int) -> bytes:
    """struct gpu_metrics_v1_3, by the C compiler's own alignment; what is not given was not filled in."""
    unset = 0xFFFF
    first = [changes.get(name, unset) for name in ("edge", "hotspot", "memory", "vr_gfx", "vr_soc", "vr_memory")]
    loads = [changes.get(name, unset) for name in ("load", "memory_load", "video", "power")]
    table = struct.pack("@HBB6H4HQQ", 120, 1, 3, *first, *loads, energy, 123_456_789)
    table += struct.pack("@7H7HI", *[unset] * 14, own)
    table += struct.pack("@4HII4H", *[unset] * 3, 0, 0, 0, *[unset] * 4)
    return table + struct.pack("@Q4HQ", 0, *[unset] * 4, throttle)


def metrics_v2_2(throttle: int = 0) -> bytes:
    """struct gpu_metrics_v2_2, of integrated graphics."""
    table = struct.pack("@HBB12H2HQ", 128, 2, 2, *[4500] * 12, 30, 0, 123_456_789)
    table += struct.pack("@12H12H8H2HI", *[1000] * 12, *[1200] * 12, *[3000] * 8, 0, 0, 7)
    return table + struct.pack("@4HQ", 0xFFFF, 0, 0, 0, throttle)


def metrics_v1_8(energy: int, held: tuple[int, int, int, int, int], replays: int = 0) -> bytes:
    """struct gpu_metrics_v1_8, of servers' cards, up to what is read of it; the rest is not filled in."""
    table = struct.pack("@HBB3HH2HQQQ", 3360, 1, 8, 55, 48, 50, 300, 97, 60, 5300, energy, 123_456_789)
    table += struct.pack("@I5I", 77, *held)
    table += b"\xff" * (112 - len(table)) + struct.pack("@Q", replays)
    return table + b"\xff" * (3360 - len(table))


RDNA_HWMON: Files = {
    "name": "amdgpu",
    "temp1_label": "edge",
    "temp1_input": 61_000,
    "temp1_crit": 100_000,
    "temp1_emergency": 105_000,
    "temp2_label": "junction",
    "temp2_input": 78_000,
    "temp2_crit": 110_000,
    "temp3_label": "mem",
    "temp3_input": 84_000,
    "temp3_crit": 100_000,
    "power1_average": 203_000_000,
    "power1_label": "PPT",
    "power1_cap": 250_000_000,
    "power1_cap_default": 272_000_000,
    "power1_cap_max": 312_000_000,
    "freq1_input": 2_434_000_000,
    "freq1_label": "sclk",
    "freq2_input": 1_000_000_000,
    "freq2_label": "mclk",
    "fan1_input": 1_487,
    "pwm1": 102,
    "pwm1_max": 255,
    "in0_label": "vddgfx",
    "in0_input": 1_068,
}
RDNA: Files = {
    "unique_id": "5d3a2b1c0f9e8d7c",
    "vbios_version": "113-D4120100-101",
    "mem_info_vram_total": 16 * GIB,
    "mem_info_vram_used": 3 * GIB,
    "gpu_busy_percent": 97,
    "mem_busy_percent": 41,
    "pcie_replay_count": 2,
    "power/runtime_status": "active",
}


def add_rdna(tree: FakeSysfs, bus: int = 3, **changes: object) -> FakeDevice:
    """A card as the RX 6800 XT, behind its own switch."""
    files = {**RDNA, **hwmon(RDNA_HWMON), "gpu_metrics": metrics_v1_3(), **link("16.0", 16), **changes}
    return tree.add(f"0000:{bus:02x}:00.0", "1002:73bf", "amdgpu", files, amd_switch(tree, bus))


def add_polaris(tree: FakeSysfs) -> FakeDevice:
    """A card as the RX 580 under an old kernel: no labels, no table, no identity of its own."""
    sensors = {"name": "amdgpu", "temp1_input": 54_000, "temp1_crit": 94_000, "power1_average": 120_000_000}
    sensors |= {"fan1_input": 900, "pwm1": 64}
    files = {
        **hwmon(sensors, 1),
        **link("8.0", 16),
        "mem_info_vram_total": 8 * GIB,
        "mem_info_vram_used": 1 * GIB,
        "gpu_busy_percent": 12,
        "pp_dpm_sclk": "0: 300Mhz\n1: 1366Mhz *",
        "pp_dpm_mclk": "0: 300Mhz\n1: 2000Mhz *",
    }
    return tree.add("0000:05:00.0", "1002:67df", "amdgpu", files, revision="0xe7")


def add_apu(tree: FakeSysfs) -> FakeDevice:
    """Graphics of a processor as the Ryzen 5700G."""
    sensors = {"name": "amdgpu", "temp1_label": "edge", "temp1_input": 43_000, "power1_average": 9_000_000}
    sensors |= {"freq1_label": "sclk", "freq1_input": 400_000_000, "in1_label": "vddnb", "in1_input": 900}
    files = {
        **hwmon(sensors),
        **link("8.0", 16),
        "gpu_metrics": metrics_v2_2(),
        "mem_info_vram_total": GIB // 2,
        "mem_info_vram_used": GIB // 4,
        "gpu_busy_percent": 3,
    }
    return tree.add("0000:08:00.0", "1002:1638", "amdgpu", files, revision="0xc8", subsystem="1043:8809")


def add_arc_xe(tree: FakeSysfs) -> FakeDevice:
    """A card as the Arc B580 under xe, behind its own switch."""
    tree.port("0000:00:06.0", "8086:a74d", "16.0", 4, max_width=4)
    tree.port("0000:01:00.0", "8086:e2ff", "16.0", 4, "0000:00:06.0", max_width=8)
    tree.port("0000:02:01.0", "8086:e2f0", "2.5", 1, "0000:01:00.0")
    sensors = {
        "name": "xe",
        "energy1_label": "card",
        "energy1_input": 5_000_000_000,
        "energy2_label": "pkg",
        "energy2_input": 3_000_000_000,
        "temp2_label": "pkg",
        "temp2_input": 57_000,
        "temp2_crit": 105_000,
        "temp2_emergency": 110_000,
        "temp3_label": "vram",
        "temp3_input": 66_000,
        "temp3_crit": 100_000,
        "power1_max": 0,
        "power1_rated_max": 190_000_000,
        "power2_max": 170_000_000,
        "power2_rated_max": 175_000_000,
        "fan1_input": 1_320,
    }
    throttle = {f"tile0/gt0/freq0/throttle/reason_{name}": 0 for name in ("pl1", "pl2", "pl4", "thermal", "prochot")}
    files = {
        **hwmon(sensors),
        **link("2.5", 1),
        **throttle,
        "tile0/physical_vram_size_bytes": 12 * GIB,
        "tile0/gt0/freq0/act_freq": 2850,
        "tile0/gt0/freq0/throttle/status": 0,
        "power/runtime_status": "active",
    }
    return tree.add("0000:03:00.0", "8086:e20b", "xe", files, "0000:02:01.0", revision="0x00", subsystem="8086:1100")


def add_arc_i915(tree: FakeSysfs) -> FakeDevice:
    """A card as the Arc A770 under i915."""
    sensors = {
        "name": "i915",
        "energy1_input": 9_000_000_000,
        "power1_max": 190_000_000,
        "power1_rated_max": 225_000_000,
        "temp1_input": 49_000,
        "fan1_input": 1_010,
    }
    throttle = {f"drm/card1/gt/gt0/throttle_reason_{name}": 0 for name in ("status", "pl1", "thermal", "vr_tdc")}
    files = {
        **hwmon({"name": "i915_gt0", "energy1_input": 1}, 3),
        **hwmon(sensors, 4),
        **throttle,
        "drm/card1/gt/gt0/rps_act_freq_mhz": 2400,
        "drm/card1-DP-1/status": "disconnected",
    }
    return tree.add("0000:04:00.0", "8086:56a0", "i915", files, revision="0x08", subsystem="8086:1020")


def hwmon(sensors: Files, number: int = 2) -> Files:
    return {f"hwmon/hwmon{number}/{name}": content for name, content in sensors.items()}
