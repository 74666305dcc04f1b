"""AMD's cards over trees of files as amdgpu shows them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_sysfs
import pytest
from fake_sysfs import GIB, FakeSysfs

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.domain.reading import METRICS, VALUES, Absence, Reading, ThrottleReason
from argentum_desktop.gpus.linux.amd import amd_source
from argentum_desktop.gpus.linux.source import SysfsSource

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def tree(tmp_path: Path) -> FakeSysfs:
    return FakeSysfs(tmp_path)


def opened(tree: FakeSysfs) -> SysfsSource:
    source = amd_source(tree.root)
    source.discover()
    return source


def gpu_of(tree: FakeSysfs) -> Gpu:
    (gpu,) = amd_source(tree.root).discover().gpus
    return gpu


def reading_of(source: SysfsSource, after_s: float = 0.0) -> Reading:
    (reading,) = source.read(NOW + timedelta(seconds=after_s))
    return reading


def known(reading: Reading) -> dict[str, object]:
    """The values that are there."""
    return {name: getattr(reading, name) for name in VALUES if name not in reading.absent}


def test_a_card_is_described_in_full(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree, product_name="Radeon Example", serial_number="692117001234")
    assert gpu_of(tree) == Gpu(
        gpu_id="GPU-5d3a2b1c0f9e8d7c",
        name="AMD Radeon Example",
        vendor=Vendor.AMD,
        memory_total_bytes=16 * GIB,
        pci_address="0000:03:00.0",
        pci_id="1002:73bf",
        pci_subsystem="1458:232c",
        driver="amdgpu",
        driver_version="Linux 6.12.48",
        vbios_version="113-D4120100-101",
        serial="692117001234",
        power_limit_mw=250_000,
        power_limit_default_mw=272_000,
        temperature_slowdown_c=100,
        temperature_shutdown_c=105,
        temperature_memory_limit_c=100,
        pcie_generation_max=4,
        pcie_width_max=16,
        sources={
            "throttle_reasons": "amdgpu gpu_metrics v1.3",
            "temperature_c": "amdgpu hwmon edge",
            "temperature_hotspot_c": "amdgpu hwmon junction",
            "temperature_memory_c": "amdgpu hwmon mem",
            "power_mw": "amdgpu hwmon power1_average (PPT)",
            "power_limit_mw": "amdgpu hwmon power1_cap",
            "clock_sm_mhz": "amdgpu hwmon sclk",
            "clock_memory_mhz": "amdgpu hwmon mclk",
        },
    )


def test_a_reading_has_every_value_of_the_card(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree)
    assert known(reading_of(opened(tree))) == {
        "temperature_c": 61,
        "temperature_hotspot_c": 78,
        "temperature_memory_c": 84,
        "power_mw": 203_000,
        "power_limit_mw": 250_000,
        "utilization_percent": 97,
        "memory_utilization_percent": 41,
        "memory_used_bytes": 3 * GIB,
        "clock_sm_mhz": 2434,
        "clock_memory_mhz": 1000,
        "fan_percent": 40,
        "fan_rpm": 1487,
        "throttle_reasons": (),
        # What the slot gives the card's own switch, not what the switch gives the chip.
        "pcie_generation": 4,
        "pcie_width": 8,
        "pcie_replays": 2,
    }


def test_an_old_card_without_labels_tells_what_it_can(tree: FakeSysfs) -> None:
    fake_sysfs.add_polaris(tree)
    source = opened(tree)
    assert gpu_of(tree).gpu_id == "PCI-0000:05:00.0-1002:67df-1458:232c"
    assert known(reading_of(source)) == {
        "temperature_c": 54,
        "power_mw": 120_000,
        "utilization_percent": 12,
        "memory_used_bytes": GIB,
        "clock_sm_mhz": 1366,
        "clock_memory_mhz": 2000,
        "fan_percent": 25,
        "fan_rpm": 900,
        "pcie_generation": 3,
        "pcie_width": 16,
    }


def test_the_graphics_of_a_processor_are_integrated_and_have_no_slot(tree: FakeSysfs) -> None:
    fake_sysfs.add_apu(tree)
    assert gpu_of(tree).kind is GpuKind.INTEGRATED
    assert reading_of(opened(tree)).absent["pcie_width"] is Absence.NOT_SUPPORTED


@pytest.mark.parametrize("sign", ["table", "voltage"])
def test_either_sign_of_integrated_graphics_is_enough(tree: FakeSysfs, sign: str) -> None:
    apu = fake_sysfs.add_apu(tree)
    apu.write({"gpu_metrics": None} if sign == "voltage" else {"hwmon/hwmon2/in1_label": None})
    assert gpu_of(tree).kind is GpuKind.INTEGRATED


def test_a_servers_card_counts_its_energy_and_measures_no_edge(tree: FakeSysfs) -> None:
    table = fake_sysfs.metrics_v1_8(2**16 * 500, (0, 10, 20, 0, 0), replays=3)
    edge = dict.fromkeys(("hwmon/hwmon2/temp1_label", "hwmon/hwmon2/temp1_input"))
    device = fake_sysfs.add_rdna(tree)
    device.write({**edge, "gpu_metrics": table, "pcie_replay_count": None, "mem_busy_percent": None})
    source = opened(tree)
    first = reading_of(source)
    assert (first.temperature_c, first.temperature_hotspot_c) == (78, 78)
    assert gpu_of(tree).sources["temperature_c"] == "amdgpu hwmon junction"
    assert (first.energy_mj, first.pcie_replays, first.memory_utilization_percent) == (500_000, 3, 60)
    assert first.throttle_reasons == ()
    device.write({"gpu_metrics": fake_sysfs.metrics_v1_8(2**16 * 501, (0, 11, 20, 0, 4))})
    second = reading_of(source, 1)
    assert second.energy_mj == 501_000
    assert second.throttle_reasons == (ThrottleReason.POWER_LIMIT, ThrottleReason.TEMPERATURE)


def test_throttling_is_told_in_the_fields_words(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_rdna(tree)
    source = opened(tree)
    device.write({"gpu_metrics": fake_sysfs.metrics_v1_3(throttle=1 << 0 | 1 << 16 | 1 << 36 | 1 << 47)})
    assert reading_of(source).throttle_reasons == (
        ThrottleReason.POWER_LIMIT,
        ThrottleReason.BOARD_LIMIT,
        ThrottleReason.TEMPERATURE,
        ThrottleReason.HARDWARE_TEMPERATURE,
    )


def test_memory_errors_and_bad_pages_are_counted(tree: FakeSysfs) -> None:
    pages = "0x027f5d43 : 0x00001000 : R\n0x027f5d4b : 0x00001000 : P"
    device = fake_sysfs.add_rdna(tree)
    device.write({"ras/umc_err_count": "ue: 1\nce: 27", "ras/gpu_vram_bad_pages": pages})
    source = opened(tree)
    reading = reading_of(source)
    assert (reading.ecc_uncorrected_volatile, reading.ecc_corrected_volatile) == (1, 27)
    assert (reading.retired_pages_dbe, reading.retired_pages_pending) == (2, 1)
    assert reading.absent["ecc_uncorrected"] is Absence.NOT_SUPPORTED
    device.write({"ras/umc_err_count": "ue: 2\nce: 28"})
    assert reading_of(source, 29).ecc_uncorrected_volatile == 1  # looked at twice a minute
    assert reading_of(source, 30).ecc_uncorrected_volatile == 2
    assert reading_of(source, -5).ecc_uncorrected_volatile == 2


def test_no_bad_page_is_a_count_and_not_an_error(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree).write({"ras/gpu_vram_bad_pages": b""})
    assert reading_of(opened(tree)).retired_pages_dbe == 0


def test_the_name_comes_from_the_lists_of_the_distribution(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree)
    pci_ids = "# list\n0fff  Other\n\t73bf  Wrong\n1002  Advanced Micro Devices\n\t73bf  Navi 21 [Radeon RX 6800]\n"
    tree.write("usr/share/misc/pci.ids", pci_ids)
    assert gpu_of(tree).name == "AMD Radeon RX 6800"
    tree.write(
        "usr/share/libdrm/amdgpu.ids", "1.0.0\n73BF,\tC0,\tAMD Radeon RX 6900 XT\n73BF,\tC1,\tAMD Radeon RX 6800 XT"
    )
    assert gpu_of(tree).name == "AMD Radeon RX 6800 XT"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"1002\t" * 300_000, b"1002  AMD\n\t73bf  \n"])
def test_a_damaged_list_of_names_gives_the_ids(tree: FakeSysfs, content: bytes) -> None:
    fake_sysfs.add_rdna(tree)
    (tree.root / "usr/share/misc").mkdir(parents=True)
    (tree.root / "usr/share/misc/pci.ids").write_bytes(content)
    assert gpu_of(tree).name == "AMD card 1002:73bf"


@pytest.mark.parametrize("number", ["", "0000000000000000", "ffffffffffffffff", "nonsense", "5d3a2b1c\x000f9e8d7c00"])
def test_a_number_that_is_none_is_no_identity(tree: FakeSysfs, number: str) -> None:
    fake_sysfs.add_rdna(tree, unique_id=number)
    assert gpu_of(tree).gpu_id == "PCI-0000:03:00.0-1002:73bf-1458:232c"


def test_two_chips_with_one_number_stay_two_cards(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree)
    other = fake_sysfs.add_polaris(tree)
    other.write({"unique_id": "5d3a2b1c0f9e8d7c"})
    source = amd_source(tree.root)
    ids = [gpu.gpu_id for gpu in source.discover().gpus]
    assert ids == ["GPU-5d3a2b1c0f9e8d7c", "GPU-5d3a2b1c0f9e8d7c-0000:05:00.0"]
    assert [reading.gpu_id for reading in source.read(NOW)] == ids


def test_a_card_that_is_pulled_is_lost_and_the_other_goes_on(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree)
    fake_sysfs.add_polaris(tree)
    source = opened(tree)
    tree.pull("0000:03:00.0")
    gone, sound = source.read(NOW)
    assert set(gone.absent) == set(VALUES)
    assert set(gone.absent.values()) == {Absence.LOST}
    assert sound.temperature_c == 54


def test_a_card_whose_driver_let_it_go_is_lost(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree)
    source = opened(tree)
    tree.bind("0000:03:00.0", None)
    assert reading_of(source).is_lost
    tree.bind("0000:03:00.0", "vfio-pci")
    assert reading_of(source).is_lost


def test_a_card_that_answers_nothing_but_ones_is_lost(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_rdna(tree)
    source = opened(tree)
    device.write({"hwmon/hwmon2/temp1_input": 4_294_967_295_000})
    assert not reading_of(source).is_lost
    device.write({"config": b"\xff" * 64})
    assert reading_of(source).is_lost


def test_a_sleeping_card_is_not_woken(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_rdna(tree)
    source = opened(tree)
    device.write({"power/runtime_status": "suspended"})
    reading = reading_of(source)
    assert known(reading) == {"utilization_percent": 0}
    assert set(reading.absent.values()) == {Absence.NOT_SUPPORTED}
    device.write({"power/runtime_status": "active"})
    assert reading_of(source, 1).temperature_c == 61


FILES = {
    "temperature_c": "hwmon/hwmon2/temp1_input",
    "power_mw": "hwmon/hwmon2/power1_average",
    "utilization_percent": "gpu_busy_percent",
    "memory_used_bytes": "mem_info_vram_used",
    "clock_sm_mhz": "hwmon/hwmon2/freq1_input",
    "fan_percent": "hwmon/hwmon2/pwm1",
    "fan_rpm": "hwmon/hwmon2/fan1_input",
    "throttle_reasons": "gpu_metrics",
}


@pytest.mark.parametrize("metric", FILES)
@pytest.mark.parametrize(
    "how", ["empty", "words", "binary", "endless", "failing", "folder", "pipe", "absurd", "negative"]
)
def test_a_bad_file_is_an_error_of_this_value_alone(tree: FakeSysfs, metric: str, how: str) -> None:
    device = fake_sysfs.add_rdna(tree)
    source = opened(tree)
    before = known(reading_of(source))
    spoil(device.folder / FILES[metric], how)
    reading = reading_of(source, 1)
    assert reading.absent[metric] is Absence.ERROR
    assert known(reading) == {name: value for name, value in before.items() if name != metric}


@pytest.mark.parametrize("how", ["empty", "words", "binary", "endless", "failing", "folder", "pipe", "gone"])
def test_a_card_of_bad_files_is_listed_all_the_same(tree: FakeSysfs, how: str) -> None:
    device = fake_sysfs.add_rdna(tree)
    kept = {"vendor", "device", "class", "config"}
    for file in [file for file in sorted(device.folder.rglob("*")) if file.is_file() and not file.is_symlink()]:
        if file.name not in kept:
            spoil(file, how)
    source = opened(tree)
    assert gpu_of(tree).gpu_id.startswith("PCI-0000:03:00.0-1002:73bf")
    reading = reading_of(source)
    for metric in METRICS:
        assert getattr(reading, metric.name) is None or metric.name in {"pcie_generation", "pcie_width"}, metric.name
    assert set(VALUES) - {"pcie_generation", "pcie_width"} <= set(reading.absent)


def test_a_file_that_goes_is_not_supported_any_more(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_rdna(tree)
    source = opened(tree)
    spoil(device.folder / "gpu_busy_percent", "gone")
    assert reading_of(source).absent["utilization_percent"] is Absence.NOT_SUPPORTED


def test_a_way_that_failed_at_first_may_work_later(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_rdna(tree)
    spoil(device.folder / "hwmon/hwmon2/power1_average", "failing")
    source = opened(tree)
    assert reading_of(source).absent["power_mw"] is Absence.ERROR
    (device.folder / "hwmon/hwmon2/power1_average").unlink()
    device.write({"hwmon/hwmon2/power1_average": 99_000_000})
    assert reading_of(source, 1).power_mw == 99_000


def test_more_memory_in_use_than_there_is_is_an_error(tree: FakeSysfs) -> None:
    device = fake_sysfs.add_rdna(tree)
    source = opened(tree)
    device.write({"mem_info_vram_used": 17 * GIB})
    assert reading_of(source).absent["memory_used_bytes"] is Absence.ERROR


def test_a_sensor_that_writes_zero_has_no_temperature(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree).write({"hwmon/hwmon2/temp3_input": 0})
    assert reading_of(opened(tree)).absent["temperature_memory_c"] is Absence.NOT_SUPPORTED


def test_what_the_owner_is_shown_is_one_printable_line(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree, vbios_version="113\x1b[2J\x07-D41\nsecond", product_name="x" * 3000)
    gpu = gpu_of(tree)
    assert gpu.vbios_version == "113[2J-D41"
    assert len(gpu.name) <= 100


def spoil(file: Path, how: str) -> None:
    content = {
        "empty": b"",
        "words": b"not a number\n",
        "binary": b"\xff\x00\x80",
        "absurd": b"9" * 19,
        "negative": b"-9999999999",
    }
    links = {"endless": "/dev/zero", "failing": "/proc/self/mem"}  # reading a process at address 0 is an EIO
    file.unlink()
    if how in content:
        file.write_bytes(content[how])
    elif how in links:
        file.symlink_to(links[how])
    elif how == "folder":
        file.mkdir()
    elif how == "pipe":
        os.mkfifo(file)
