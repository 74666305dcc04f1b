"""Windows' source against compiled libraries that answer as told: the same calls as on Windows, run on Linux."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from fake_windows import build
from fake_windows.build import COUNTERS, GIB, RTX_3090, RX_6800, FakeWindows, card, device, rows

from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, SourceReport, Vendor
from argentum_desktop.domain.reading import PROCESSES, VALUES, Absence, GpuProcess, Reading
from argentum_desktop.gpus.discovery import all_cards
from argentum_desktop.gpus.sensor_wire import Answer
from argentum_desktop.gpus.windows.bus import LOOK_EVERY_S, WindowsBus
from argentum_desktop.gpus.windows.source import WindowsSource

fake_windows = build.fake_windows

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RADEON_ID = "PCI-0000:0a:00.0-1002:73bf-1da2:0e3a"
GEFORCE = {"name": "NVIDIA GeForce RTX 3090", "vendor": 0x10DE, "device": 0x2204, "subsystem": 0x403B1458, "bus": 1}
GEFORCE_ID = "PCI-0000:01:00.0-10de:2204-1458:403b"


@pytest.fixture
def source(fake_windows: FakeWindows) -> Iterator[WindowsSource]:
    source = WindowsSource(fake_windows.folder)
    yield source
    source.close()


def only_reading(source: WindowsSource) -> Reading:
    (reading,) = source.read(NOW)
    return reading


def test_a_card_is_described_in_full(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), device(0), COUNTERS, rows(RX_6800))
    assert source.discover() == SourceReport(
        Vendor.OTHER,
        (
            Gpu(
                gpu_id=RADEON_ID,
                name="AMD Radeon RX 6800",
                vendor=Vendor.AMD,
                memory_total_bytes=16 * GIB,
                pci_address="0000:0a:00.0",
                pci_id="1002:73bf",
                pci_subsystem="1da2:0e3a",
                driver="amdkmdag",
                driver_version="32.0.21025.1024",
                temperature_slowdown_c=110,
                sources={
                    "temperature_c": "Windows, D3DKMT",
                    "fan_rpm": "Windows, D3DKMT",
                    "clock_sm_mhz": "Windows, D3DKMT engine 0",
                    "clock_memory_mhz": "Windows, D3DKMT",
                    "memory_used_bytes": "Windows, GPU Adapter Memory",
                    "utilization_percent": "Windows, GPU Engine",
                    "processes": "Windows, GPU Process Memory",
                },
            ),
        ),
    )


def test_the_first_reading_has_a_load_already(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), COUNTERS, rows(RX_6800))
    source.discover()
    reading = only_reading(source)
    known = {name: getattr(reading, name) for name in VALUES if name not in reading.absent}
    assert known == {
        "temperature_c": 61,
        "fan_rpm": 1420,
        "clock_sm_mhz": 2105,
        "clock_memory_mhz": 2000,
        "memory_used_bytes": 3 * GIB,
        "utilization_percent": 88,
        "processes": (GpuProcess(812, GIB // 2, False), GpuProcess(4711, 2 * GIB, True)),
    }
    assert set(reading.absent.values()) == {Absence.NOT_SUPPORTED}  # power in percent is no power in watts


@pytest.mark.parametrize("scenario", [card(RX_6800), card(RX_6800, kernel=0), card(RX_6800) + COUNTERS, "garbage"])
def test_every_value_is_there_or_its_absence_is_explained(
    fake_windows: FakeWindows, source: WindowsSource, scenario: str
) -> None:
    fake_windows.follow(scenario)
    report, readings = source.discover(), tuple(source.read(NOW))
    assert [reading.gpu_id for reading in readings] == [gpu.gpu_id for gpu in report.gpus][: len(readings)]
    assert readings
    for reading in readings:
        for name in VALUES:
            assert (getattr(reading, name) in (None, ())) or name not in reading.absent, name
            assert getattr(reading, name) is not None or name in reading.absent, name
    answer = Answer(7, reports=(report,), readings=readings)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer


def test_instances_come_and_go(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), COUNTERS, rows(RX_6800))
    source.discover()
    only_reading(source)
    resting = f"row memory luid_0x00000000_0x{RX_6800:08X}_phys_0 1024"
    fake_windows.follow(card(RX_6800), COUNTERS, resting)
    reading = only_reading(source)
    assert (reading.utilization_percent, reading.processes, reading.memory_used_bytes) == (0, (), 1024)
    fake_windows.follow(card(RX_6800), COUNTERS)  # in no list at all: not counted, which is no zero
    reading = only_reading(source)
    assert (reading.utilization_percent, reading.memory_used_bytes) == (None, None)
    assert reading.absent["utilization_percent"] is reading.absent[PROCESSES] is Absence.NOT_SUPPORTED


def test_more_instances_than_the_buffer_has_room_for(fake_windows: FakeWindows, source: WindowsSource) -> None:
    name = f"luid_0x00000000_0x{RX_6800:08X}_phys_0"
    many = "\n".join(f"row engine pid_{pid}_{name}_eng_0_engtype_3D 0.05" for pid in range(1, 1501))
    fake_windows.follow(card(RX_6800), COUNTERS, many)
    source.discover()
    assert only_reading(source).utilization_percent == 75


def test_rows_without_a_valid_value_count_nothing(fake_windows: FakeWindows, source: WindowsSource) -> None:
    name = f"pid_1_luid_0x00000000_0x{RX_6800:08X}_phys_0_eng_0_engtype_3D"
    fake_windows.follow(card(RX_6800), COUNTERS, f"row engine {name} 10", f"row engine {name} 80 0xC0000BBA")
    source.discover()
    assert only_reading(source).utilization_percent == 10


def test_a_windows_without_these_counters(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), rows(RX_6800))
    source.discover()
    reading = only_reading(source)
    assert reading.temperature_c == 61
    for name in ("utilization_percent", "memory_used_bytes", PROCESSES):
        assert reading.absent[name] is Absence.NOT_SUPPORTED


def test_a_collection_that_fails_is_an_error_for_this_reading_only(
    fake_windows: FakeWindows, source: WindowsSource
) -> None:
    sound = (card(RX_6800), COUNTERS, rows(RX_6800))
    fake_windows.follow(*sound)
    source.discover()
    fake_windows.follow(*sound, "collect 0xC0000BBC")
    reading = only_reading(source)
    assert reading.temperature_c == 61
    for name in ("utilization_percent", "memory_used_bytes", PROCESSES):
        assert reading.absent[name] is Absence.ERROR
    fake_windows.follow(*sound)
    assert only_reading(source).utilization_percent == 88


def test_more_memory_in_use_than_there_is_is_nonsense(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800, dedicated=GIB), COUNTERS, rows(RX_6800))
    source.discover()
    assert only_reading(source).absent["memory_used_bytes"] is Absence.ERROR


def test_two_cards_of_which_one_is_lost(fake_windows: FakeWindows, source: WindowsSource) -> None:
    radeon, geforce = card(RX_6800), card(RTX_3090, **GEFORCE)
    fake_windows.follow(radeon, geforce, COUNTERS, rows(RX_6800), rows(RTX_3090))
    assert [gpu.gpu_id for gpu in source.discover().gpus] == [RADEON_ID, GEFORCE_ID]
    assert [reading.is_lost for reading in source.read(NOW)] == [False, False]
    fake_windows.follow(radeon, card(RTX_3090, **GEFORCE, status=0xC00002B6), COUNTERS, rows(RX_6800))
    one, other = source.read(NOW)
    assert (one.gpu_id, one.temperature_c, one.is_lost) == (RADEON_ID, 61, False)
    assert (other.gpu_id, set(other.absent.values())) == (GEFORCE_ID, {Absence.LOST})


def test_a_driver_that_stops_answering_is_an_error(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), COUNTERS, rows(RX_6800))
    source.discover()
    fake_windows.follow(card(RX_6800, status=0xC0000001), COUNTERS, rows(RX_6800))
    reading = only_reading(source)
    for name in ("temperature_c", "fan_rpm", "clock_sm_mhz", "clock_memory_mhz"):
        assert reading.absent[name] is Absence.ERROR
    assert reading.utilization_percent == 88


def test_a_driver_without_sensors(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800, performance=0), device(0))
    (gpu,) = source.discover().gpus
    assert (gpu.gpu_id, gpu.sources, gpu.temperature_slowdown_c) == (RADEON_ID, {}, None)
    assert set(only_reading(source).absent.values()) == {Absence.NOT_SUPPORTED}


def test_a_zero_is_no_temperature_but_a_fan_may_stand_still(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800, temperature=0, fan=0, memory_hz=0, node_hz=0, warning=0))
    assert source.discover().gpus[0].temperature_slowdown_c is None
    reading = only_reading(source)
    assert reading.fan_rpm == 0
    for name in ("temperature_c", "clock_sm_mhz", "clock_memory_mhz"):
        assert reading.absent[name] is Absence.NOT_SUPPORTED
    fake_windows.follow(card(RX_6800, fan=0, fan_max=0))
    source.discover()
    assert only_reading(source).absent["fan_rpm"] is Absence.NOT_SUPPORTED


def test_software_that_draws_is_no_card(fake_windows: FakeWindows, source: WindowsSource) -> None:
    basic = {"name": "Microsoft Basic Render Driver", "vendor": 0x1414, "device": 0x8C}
    fake_windows.follow(card(1, **basic, flags=2), card(2, **basic), card(3, flags=2))
    report = source.discover()
    assert report.gpus == ()
    assert report.problem == "Windows lists no graphics card."
    assert report.remedy


def test_cards_that_windows_cannot_use_are_listed_with_the_reason(
    fake_windows: FakeWindows, source: WindowsSource
) -> None:
    fake_windows.follow(
        card(RX_6800),
        device(0),
        device(1, bus=0x0B, status=0x400, problem=43),
        # Without a driver there is no class either: only PCI's code says that it is a display controller.
        device(
            2, bus=0x0C, display=0, service=None, version=None, name="3D Video Controller", status=0x400, problem=28
        ),
        device(
            3, bus=0x0D, display=0, ids=r"PCI\VEN_8086&DEV_15F3&SUBSYS_00008086&REV_03;PCI\VEN_8086&DEV_15F3&CC_0200"
        ),
        device(4, bus=0x0E, enumerator="PCIP", ids=r"PCIP\VEN_1002&DEV_73BF&SUBSYS_0E3A1DA2&REV_C1"),
        device(5, bus=0x0F, problem=22),  # a code that is left over: the status says that there is no problem
        device(6, ids=r"PCI\VEN_0000&DEV_0000&SUBSYS_00000000&REV_00"),
    )
    gpus = source.discover().gpus
    assert [(gpu.pci_address, gpu.state) for gpu in gpus] == [
        ("0000:0a:00.0", GpuState.READY),
        ("0000:0b:00.0", GpuState.IGNORED),
        ("0000:0c:00.0", GpuState.NO_DRIVER),
        ("0000:0f:00.0", GpuState.IGNORED),
        ("0000:0e:00.0", GpuState.PASSED_THROUGH),
    ]
    assert "(code 43)" in gpus[1].problem
    assert "(code 28)" in gpus[2].problem
    assert gpus[2].driver is None
    assert all(gpu.problem and gpu.remedy for gpu in gpus[1:])
    assert len(source.read(NOW)) == 1


def test_integrated_graphics_are_marked(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800, integrated=1, dedicated=64 * GIB), card(RTX_3090, **GEFORCE, integrated=None))
    assert [gpu.kind for gpu in source.discover().gpus] == [GpuKind.INTEGRATED, GpuKind.DISCRETE]


@pytest.mark.parametrize("missing", build.NAMES)
def test_without_one_of_the_libraries_the_others_go_on(fake_windows: FakeWindows, tmp_path: Path, missing: str) -> None:
    fake_windows.follow(card(RX_6800), device(0), COUNTERS, rows(RX_6800))
    names = tuple(name for name in build.NAMES if name != missing)
    source = WindowsSource(build.put_into_place(fake_windows.library, tmp_path / "few", names))
    report = source.discover()
    assert [gpu.pci_address for gpu in report.gpus] == ["0000:0a:00.0"]
    assert (report.problem != "") == (missing == "dxgi.dll")
    assert len(source.read(NOW)) == (missing != "dxgi.dll")
    assert not source.is_outdated()
    source.close()


def test_without_any_of_them_there_is_one_sentence(tmp_path: Path) -> None:
    source = WindowsSource(tmp_path)
    report = source.discover()
    assert (report.gpus, source.read(NOW), source.is_outdated()) == ((), [], False)
    assert report.problem == "Windows does not tell which graphics adapters there are."


def test_libraries_that_answer_with_nonsense(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow("garbage")
    report = source.discover()
    assert 0 < len(report.gpus) < 200
    assert all(gpu.name.isprintable() and len(gpu.name) < 100 for gpu in report.gpus)
    assert not source.is_outdated()


def test_cards_that_begin_to_answer_with_nonsense(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), COUNTERS, rows(RX_6800))
    source.discover()
    fake_windows.follow("garbage")
    reading = only_reading(source)
    assert [name for name in VALUES if name not in reading.absent] == []
    for name in ("temperature_c", "fan_rpm", "clock_sm_mhz", "clock_memory_mhz"):
        assert reading.absent[name] is Absence.ERROR


def test_it_is_outdated_when_adapters_or_devices_come_or_go(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800), "id_list one")
    source.discover()
    assert not source.is_outdated()
    fake_windows.follow(card(RX_6800), "id_list one", "outdated")
    assert source.is_outdated()
    fake_windows.follow(card(RX_6800), "id_list one,another")
    assert source.is_outdated()
    source.discover()
    assert not source.is_outdated()


def test_listing_again_gives_the_same_and_closing_twice_does_no_harm(
    fake_windows: FakeWindows, source: WindowsSource
) -> None:
    fake_windows.follow(card(RX_6800), device(0), COUNTERS, rows(RX_6800))
    first = source.discover()
    assert source.discover() == first
    source.close()
    source.close()
    assert fake_windows.live() == 0
    assert source.read(NOW) == []
    assert source.discover() == first


def test_a_card_that_nvml_lists_is_listed_once_and_strangers_words_are_dropped(
    fake_windows: FakeWindows, source: WindowsSource
) -> None:
    fake_windows.follow(card(RX_6800), device(0))
    bus = WindowsBus(source)
    bus.remember()
    mine = source.discover()
    no_nvidia = SourceReport(Vendor.NVIDIA, (), "No NVIDIA driver is installed.", "Install it.")
    joined = all_cards((no_nvidia, mine), bus.cards(), bus.name)
    assert [report.problem for report in joined] == ["", ""]
    assert [gpu.gpu_id for report in joined for gpu in report.gpus] == [RADEON_ID]
    theirs = SourceReport(Vendor.NVIDIA, (Gpu("GPU-1", "RTX", Vendor.NVIDIA, pci_address="0000:0a:00.0"),))
    joined = all_cards((theirs, mine), bus.cards(), bus.name)
    assert [(gpu.gpu_id, gpu.driver) for report in joined for gpu in report.gpus] == [("GPU-1", "amdkmdag")]


def test_the_bus_is_looked_at_every_few_seconds(fake_windows: FakeWindows, source: WindowsSource) -> None:
    fake_windows.follow(card(RX_6800))
    bus = WindowsBus(source)
    source.discover()
    assert not bus.has_changed(NOW)
    fake_windows.follow(card(RX_6800), "outdated")
    assert not bus.has_changed(NOW + timedelta(seconds=1))
    assert bus.has_changed(NOW + timedelta(seconds=LOOK_EVERY_S))


def test_it_is_light_and_needs_nothing_of_windows_to_be_imported() -> None:
    program = """
import sys
import argentum_desktop.gpus.windows.bus
heavy = {"asyncio", "tomlkit", "numpy", "ctypes.wintypes", "pynvml", "PySide6"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
