"""Intel's cards over trees of files as i915 and xe show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_sysfs
import pytest
from fake_sysfs import GIB, FakeSysfs

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.domain.reading import VALUES, Absence, Reading, ThrottleReason
from argentum_desktop.gpus.linux.intel import intel_source
from argentum_desktop.gpus.linux.source import SysfsSource

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ENERGY = "hwmon/hwmon2/energy1_input"


@pytest.fixture
def tree(tmp_path: Path) -> FakeSysfs:
    return FakeSysfs(tmp_path)


def opened(tree: FakeSysfs) -> SysfsSource:
    source = intel_source(tree.root)
    source.discover()
    return source


def gpu_of(tree: FakeSysfs) -> Gpu:
    (gpu,) = intel_source(tree.root).discover().gpus
    return gpu


def reading_of(source: SysfsSource, after_s: float = 0.0) -> Reading:
    (reading,) = source.read(NOW + timedelta(seconds=after_s))
    return reading


def known(reading: Reading) -> dict[str, object]:
    return {name: getattr(reading, name) for name in VALUES if name not in reading.absent}


def test_a_card_under_xe_is_described_in_full(tree: FakeSysfs) -> None:
    fake_sysfs.add_arc_xe(tree)
    tree.write("usr/share/hwdata/pci.ids", "8086  Intel Corporation\n\te20b  Battlemage G21 [Arc B580]")
    assert gpu_of(tree) == Gpu(
        gpu_id="PCI-0000:03:00.0-8086:e20b-8086:1100",
        name="Intel Arc B580",
        vendor=Vendor.INTEL,
        memory_total_bytes=12 * GIB,
        pci_address="0000:03:00.0",
        pci_id="8086:e20b",
        pci_subsystem="8086:1100",
        driver="xe",
        driver_version="Linux 6.12.48",
        power_limit_mw=170_000,
        power_limit_default_mw=175_000,
        temperature_slowdown_c=105,
        temperature_shutdown_c=110,
        temperature_memory_limit_c=100,
        pcie_generation_max=4,
        pcie_width_max=4,
        sources={
            "temperature_c": "xe hwmon temp2 (package)",
            "temperature_memory_c": "xe hwmon temp3 (memory)",
            "power_mw": "xe hwmon energy1_input (card), mean since the reading before",
            "power_limit_mw": "xe hwmon power2_max",
            "energy_mj": "xe hwmon energy1_input (card)",
            "clock_sm_mhz": "xe act_freq",
            "throttle_reasons": "xe throttle reasons",
        },
    )


def test_a_card_under_xe_tells_its_values_and_power_from_energy(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_arc_xe(tree)
    source = opened(tree)
    first = {
        "temperature_c": 57,
        "temperature_memory_c": 66,
        "power_limit_mw": 170_000,
        "energy_mj": 5_000_000,
        "clock_sm_mhz": 2850,
        "fan_rpm": 1320,
        "throttle_reasons": (),
        "pcie_generation": 4,
        "pcie_width": 4,
    }
    assert known(reading_of(source)) == first
    device.write({ENERGY: 5_000_000_000 + 2 * 148_500_000})
    assert known(reading_of(source, 2)) == {**first, "energy_mj": 5_297_000, "power_mw": 148_500}


def test_a_card_under_i915_tells_its_values(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_arc_i915(tree)
    source = opened(tree)
    reading_of(source)
    device.write({"hwmon/hwmon4/energy1_input": 9_099_000_000})
    assert known(reading_of(source, 1)) == {
        "temperature_c": 49,
        "power_mw": 99_000,
        "power_limit_mw": 190_000,
        "energy_mj": 9_099_000,
        "clock_sm_mhz": 2400,
        "fan_rpm": 1010,
        "throttle_reasons": (),
    }
    assert (gpu_of(tree).kind, gpu_of(tree).power_limit_default_mw) == (GpuKind.DISCRETE, 225_000)


@pytest.mark.parametrize(
    ("energy_uj", "after_s"),
    [
        (4_000_000_000, 1.0),
        (5_100_000_000, 0.0),
        (5_100_000_000, 0.05),
        (5_100_000_000, 31.0),
        (5_100_000_000, -3600.0),
    ],
)
def test_no_power_is_made_up(tree: FakeSysfs, energy_uj: int, after_s: float) -> None:
    """Neither over a counter that was set back, nor over no time, a pause, or a clock that jumped."""
    device = fake_sysfs.add_arc_xe(tree)
    source = opened(tree)
    reading_of(source)
    device.write({ENERGY: energy_uj})
    assert reading_of(source, after_s).absent["power_mw"] is Absence.NOT_SUPPORTED
    device.write({ENERGY: energy_uj + 50_000_000})
    assert reading_of(source, after_s + 1).power_mw == 50_000


def test_an_energy_that_fails_takes_the_power_with_it(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_arc_xe(tree)
    source = opened(tree)
    device.write({ENERGY: "broken"})
    reading = reading_of(source)
    assert (reading.absent["energy_mj"], reading.absent["power_mw"]) == (Absence.ERROR, Absence.ERROR)
    assert reading.temperature_c == 57


def test_the_package_stands_in_for_a_card_that_does_not_count(tree: FakeSysfs) -> None:
    fake_sysfs.add_arc_xe(tree).write({ENERGY: None})
    assert gpu_of(tree).sources["energy_mj"] == "xe hwmon energy2_input (package)"
    assert reading_of(opened(tree)).energy_mj == 3_000_000


def test_throttling_under_xe(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_arc_xe(tree)
    folder = "tile0/gt0/freq0/throttle"
    device.write({f"{folder}/reason_p0_freq": 1, f"{folder}/reason_unheard_of": 0})
    source = opened(tree)
    device.write({f"{folder}/status": 1, f"{folder}/reason_pl1": 1, f"{folder}/reason_thermal": 1})
    assert reading_of(source).throttle_reasons == (ThrottleReason.POWER_LIMIT, ThrottleReason.TEMPERATURE)
    device.write({f"{folder}/reason_unheard_of": 1})
    assert ThrottleReason.OTHER in reading_of(source).throttle_reasons
    device.write({f"{folder}/reason_pl1": b"\xff"})
    assert reading_of(source).absent["throttle_reasons"] is Absence.ERROR


def test_throttling_under_i915(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_arc_i915(tree)
    source = opened(tree)
    start = "drm/card1/gt/gt0/throttle_reason_"
    device.write({f"{start}status": 1, f"{start}vr_tdc": 1})
    assert reading_of(source).throttle_reasons == (ThrottleReason.BOARD_LIMIT,)


def test_integrated_graphics_is_told_from_a_card(tree: FakeSysfs) -> None:
    files = {"drm/card0/gt/gt0/rps_act_freq_mhz": 1450}
    tree.add("0000:00:02.0", "8086:46a6", "i915", files)
    assert gpu_of(tree).kind is GpuKind.INTEGRATED
    assert known(reading_of(opened(tree))) == {"clock_sm_mhz": 1450}


def test_a_card_handed_into_a_virtual_machine_is_a_card_wherever_it_sits(tree: FakeSysfs) -> None:
    tree.add("0000:00:02.0", "8086:e20b", "xe", fake_sysfs.hwmon({"name": "xe", "energy1_input": 1}))
    assert gpu_of(tree).kind is GpuKind.DISCRETE


def test_memory_of_several_tiles_is_added_up(tree: FakeSysfs) -> None:
    fake_sysfs.add_arc_xe(tree).write({"tile1/physical_vram_size_bytes": 4 * GIB})
    assert gpu_of(tree).memory_total_bytes == 16 * GIB


def test_newer_kernels_show_each_channel_of_the_memory(tree: FakeSysfs) -> None:
    changes = {"temp3_label": "vram_ch_0", "temp2_label": "mctrl", "temp1_label": "pkg", "temp1_input": 44_000}
    fake_sysfs.add_arc_xe(tree).write(fake_sysfs.hwmon(changes))
    reading = reading_of(opened(tree))
    assert (reading.temperature_c, reading.temperature_memory_c) == (44, 66)


def test_a_pulled_card_is_lost(tree: FakeSysfs) -> None:
    fake_sysfs.add_arc_xe(tree)
    source = opened(tree)
    tree.pull("0000:03:00.0")
    assert set(reading_of(source).absent.values()) == {Absence.LOST}


def test_a_sleeping_card_is_left_asleep(tree: FakeSysfs) -> None:
    """Under xe every look at a sensor would wake it."""
    device = fake_sysfs.add_arc_xe(tree)
    source = opened(tree)
    device.write({"power/runtime_status": "suspended"})
    assert known(reading_of(source)) == {"utilization_percent": 0}


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"12 34", b"0x10", b"1e9", "９".encode(), b"9" * 500, b"57000" + b" " * 5000]
)
def test_a_bad_file_is_an_error_of_this_value_alone(tree: FakeSysfs, content: bytes) -> None:
    device = fake_sysfs.add_arc_xe(tree)
    source = opened(tree)
    device.write({"hwmon/hwmon2/temp3_input": content})
    reading = reading_of(source)
    assert reading.absent["temperature_memory_c"] is Absence.ERROR
    assert reading.temperature_c == 57
