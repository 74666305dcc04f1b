"""The list of what is plugged in, and whether it has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_sysfs
import pytest
from fake_sysfs import FakeSysfs

from argentum_desktop.gpus.discovery import PciCard
from argentum_desktop.gpus.linux.device import Link, generation
from argentum_desktop.gpus.linux.pci import PciBus

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def tree(tmp_path: Path) -> FakeSysfs:
    tree = FakeSysfs(tmp_path)
    tree.add("0000:00:1f.2", "8086:a352", "ahci", pci_class="0x010601")
    fake_sysfs.add_rdna(tree)
    tree.add("0000:09:00.0", "10de:2204", None, pci_class="0x030200", subsystem="1462:3884")
    tree.add("0000:09:00.1", "10de:1aef", "snd_hda_intel", pci_class="0x040300")
    return tree


@pytest.fixture
def bus(tree: FakeSysfs) -> PciBus:
    bus = PciBus(tree.root)
    bus.remember()
    return bus


def test_display_controllers_are_listed_with_who_drives_them(bus: PciBus) -> None:
    assert bus.cards() == (
        PciCard("0000:03:00.0", 0x1002, 0x73BF, "1458:232c", "amdgpu"),
        PciCard("0000:09:00.0", 0x10DE, 0x2204, "1462:3884", None),
    )


def test_a_machine_without_the_list_has_none(tmp_path: Path) -> None:
    assert not PciBus(tmp_path).is_there
    assert PciBus(tmp_path).cards() == ()


@pytest.mark.parametrize("name", ["vendor", "device", "subsystem_vendor"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"zz", b"x" * 9000, b"-0x1", b"0x" + b"f" * 40])
def test_unreadable_ids_harm_nobody_else(tree: FakeSysfs, bus: PciBus, name: str, content: bytes) -> None:
    tree.devices["0000:09:00.0"].write({name: content})
    first, second = bus.cards()
    assert first.pci_id == "1002:73bf"
    assert second.address == "0000:09:00.0"
    assert len(second.pci_id) == 9


def change(tree: FakeSysfs, what: str) -> None:
    match what:
        case "card comes":
            tree.add("0000:0b:00.0", "8086:56a0", None)
        case "card goes":
            tree.pull("0000:09:00.0")
        case "driver takes it":
            tree.bind("0000:09:00.0", "nvidia")
        case "driver is ready":
            tree.devices["0000:03:00.0"].write(fake_sysfs.hwmon({"name": "amdgpu"}, 7))
        case "driver lets it go":
            tree.bind("0000:03:00.0", None)
        case "driver of another version":
            tree.load("amdgpu", "6.16.13")
        case "driver's words change":
            tree.write("proc/driver/nvidia/version", "NVRM version: 590.44.01")


@pytest.mark.parametrize(
    "what",
    [
        "card comes",
        "card goes",
        "driver takes it",
        "driver is ready",
        "driver lets it go",
        "driver of another version",
        "driver's words change",
    ],
)
def test_cards_and_drivers_that_come_and_go_are_noticed_within_five_seconds(
    tree: FakeSysfs, bus: PciBus, what: str
) -> None:
    assert not bus.has_changed(NOW)
    change(tree, what)
    assert not bus.has_changed(NOW + timedelta(seconds=4.9))
    assert bus.has_changed(NOW + timedelta(seconds=5))
    bus.remember()
    assert not bus.has_changed(NOW + timedelta(seconds=10))


def test_a_driver_loaded_anew_in_the_same_version_is_noticed(tree: FakeSysfs, bus: PciBus) -> None:
    folder = tree.root / "sys/module/amdgpu"
    folder.rename(tree.root / "sys/module/old")
    tree.load("amdgpu")
    assert bus.has_changed(NOW)


def test_other_devices_and_a_clock_set_back_are_no_change(tree: FakeSysfs, bus: PciBus) -> None:
    assert not bus.has_changed(NOW)
    tree.add("0000:0c:00.0", "144d:a80a", "nvme", pci_class="0x010802")
    assert not bus.has_changed(NOW - timedelta(hours=1))
    change(tree, "card goes")
    assert bus.has_changed(NOW - timedelta(hours=2))


def test_the_link_that_counts_is_the_one_to_the_slot(tree: FakeSysfs) -> None:
    link = Link(tree.root / "sys/bus/pci/devices/0000:03:00.0")
    assert [gauge.read() for gauge in link.gauges()] == [4, 8]
    assert (link.generation_max, link.width_max) == (4, 16)


def test_a_card_straight_in_a_slot_has_one_link(tree: FakeSysfs) -> None:
    tree.port("0000:00:03.0", "1022:1633", "8.0", 4, max_width=4)
    tree.add("0000:0d:00.0", "1002:67df", "amdgpu", fake_sysfs.link("8.0", 4, max_width=16), "0000:00:03.0")
    link = Link(tree.root / "sys/bus/pci/devices/0000:0d:00.0")
    assert [gauge.read() for gauge in link.gauges()] == [3, 4]
    assert (link.generation_max, link.width_max) == (3, 4)


def test_a_root_port_of_the_cards_own_maker_is_not_the_card(tree: FakeSysfs) -> None:
    tree.port("0000:00:01.0", "8086:4c01", "2.5", 16)
    tree.add("0000:0e:00.0", "8086:56a0", "i915", fake_sysfs.link("16.0", 8), "0000:00:01.0")
    link = Link(tree.root / "sys/bus/pci/devices/0000:0e:00.0")
    assert [gauge.read() for gauge in link.gauges()] == [4, 8]


@pytest.mark.parametrize(
    ("speed", "number"),
    [
        ("2.5 GT/s PCIe", 1),
        ("5.0 GT/s PCIe", 2),
        ("8 GT/s", 3),
        ("16.0 GT/s PCIe", 4),
        ("32.0 GT/s PCIe", 5),
        ("64.0 GT/s PCIe", 6),
    ],
)
def test_each_speed_is_a_generation(speed: str, number: int) -> None:
    assert generation(speed.encode()) == number


@pytest.mark.parametrize("speed", [b"Unknown", b"", b"Unknown speed", b"16.0", b"16.0 XT/s", b"\xff\xfe GT/s"])
def test_what_is_no_speed_is_no_generation(speed: bytes) -> None:
    with pytest.raises(ValueError, match=r"speed|codec"):
        generation(speed)
