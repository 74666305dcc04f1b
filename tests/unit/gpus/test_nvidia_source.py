"""NVIDIA's source against a compiled library that answers as told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_nvml import build
from fake_nvml.build import NOT_ON_GEFORCE, FakeNvml, card, server_card

from argentum_desktop.domain.gpu import Gpu, GpuKind, SourceReport, Vendor
from argentum_desktop.domain.reading import VALUES, Absence, GpuProcess, Reading, ThrottleReason
from argentum_desktop.gpus.nvidia.source import NvidiaSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GIB = 2**30
UNKNOWN_TO_GEFORCE = dict.fromkeys(NOT_ON_GEFORCE, Absence.NOT_SUPPORTED)


def report_of(fake: FakeNvml, *parts: str) -> SourceReport:
    fake.follow(*parts)
    source = NvidiaSource(fake.library)
    try:
        return source.discover()
    finally:
        source.close()


def readings_of(fake: FakeNvml, *parts: str, times: int = 1) -> list[Reading]:
    """The last of `times` rounds of readings."""
    fake.follow(*parts)
    source = NvidiaSource(fake.library)
    try:
        source.discover()
        for _ in range(times):
            readings = list(source.read(NOW))
        return readings
    finally:
        source.close()


def test_a_card_is_described_in_full(fake_nvml: FakeNvml) -> None:
    assert report_of(fake_nvml, card(0)).gpus == (
        Gpu(
            gpu_id="GPU-00000000-1111-2222-3333-444444444444",
            name="NVIDIA GeForce RTX 3090",
            vendor=Vendor.NVIDIA,
            memory_total_bytes=24 * GIB,
            pci_address="0000:0a:00.0",
            pci_id="10de:2204",
            pci_subsystem="1458:403b",
            driver="nvidia",
            driver_version="580.95.05",
            vbios_version="94.02.42.80.15",
            compute_capability="8.6",
            power_limit_mw=350_000,
            power_limit_default_mw=370_000,
            temperature_slowdown_c=95,
            temperature_shutdown_c=98,
            pcie_generation_max=4,
            pcie_width_max=16,
            sources={"temperature_c": "NVML GPU sensor"},
        ),
    )


def test_a_card_for_servers_tells_more(fake_nvml: FakeNvml) -> None:
    (gpu,) = report_of(fake_nvml, server_card(0)).gpus
    assert (gpu.serial, gpu.temperature_memory_limit_c, gpu.compute_capability) == ("1322621023456", 95, "8.0")
    assert gpu.sources["temperature_memory_c"] == "NVML field 82"


@pytest.mark.parametrize("text", ["0", "N/A", None])
def test_a_serial_that_is_none_is_not_shown(fake_nvml: FakeNvml, text: str | None) -> None:
    assert report_of(fake_nvml, card(0, serial=text)).gpus[0].serial is None


def test_a_share_of_a_card_is_called_virtual(fake_nvml: FakeNvml) -> None:
    assert report_of(fake_nvml, card(0, virtualization=2)).gpus[0].kind is GpuKind.VIRTUAL
    assert report_of(fake_nvml, card(0, virtualization=1)).gpus[0].kind is GpuKind.DISCRETE


def test_a_card_that_tells_nothing_about_itself_is_listed(fake_nvml: FakeNvml) -> None:
    (gpu,) = report_of(fake_nvml, "card 0 utilization 1").gpus
    assert gpu == Gpu(
        gpu_id="NVIDIA-0",
        name="NVIDIA card",
        vendor=Vendor.NVIDIA,
        driver="nvidia",
        driver_version="580.95.05",
        sources={"temperature_c": "NVML GPU sensor"},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"memory_total": -1},
        {"slowdown": 4_000_000_000, "shutdown": 0},
        {"power_limit": 4_294_967_295, "power_limit_default": 0},
        {"pcie_generation_max": 4_294_967_295, "pcie_width_max": 0},
        {"compute_capability": -16},
    ],
)
def test_nonsense_about_itself_is_not_repeated(fake_nvml: FakeNvml, changes: dict[str, object]) -> None:
    names = {
        "memory_total": "memory_total_bytes",
        "slowdown": "temperature_slowdown_c",
        "shutdown": "temperature_shutdown_c",
        "power_limit": "power_limit_mw",
        "power_limit_default": "power_limit_default_mw",
    }
    (gpu,) = report_of(fake_nvml, card(0, **changes)).gpus
    assert [getattr(gpu, names.get(key, key)) for key in changes] == [None] * len(changes)


def test_two_cards_that_say_they_are_the_same_are_not_mixed_up(fake_nvml: FakeNvml) -> None:
    report = report_of(fake_nvml, card(0, uuid="GPU-same"), card(1, uuid="GPU-same"))
    assert [gpu.gpu_id for gpu in report.gpus] == ["GPU-same"]
    assert "card 2 of 2" in report.problem


def test_a_reading_has_every_value_and_the_power_of_this_instant(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, throttle=0x20 | 0x80 | 0x1), "card 0 compute 4242 1073741824") == [
        Reading(
            gpu_id="GPU-00000000-1111-2222-3333-444444444444",
            taken_at=NOW,
            temperature_c=61,
            power_mw=251_500,
            power_limit_mw=350_000,
            energy_mj=10_000_000,
            utilization_percent=97,
            memory_utilization_percent=44,
            memory_used_bytes=3 * GIB,
            clock_sm_mhz=1815,
            clock_memory_mhz=9751,
            fan_percent=63,
            fan_rpm=1890,
            throttle_reasons=(ThrottleReason.TEMPERATURE, ThrottleReason.POWER_BRAKE),
            pcie_generation=4,
            pcie_width=16,
            pcie_replays=2,
            processes=(GpuProcess(4242, GIB, is_compute=True),),
            absent=UNKNOWN_TO_GEFORCE,
        )
    ]


SERVER_VALUES = {
    "temperature_memory_c": 74,
    "ecc_corrected": 12,
    "ecc_uncorrected": 1,
    "ecc_corrected_volatile": 3,
    "ecc_uncorrected_volatile": 0,
    "retired_pages_sbe": 2,
    "retired_pages_dbe": 1,
    "retired_pages_pending": 1,
    "remapped_rows_correctable": 4,
    "remapped_rows_uncorrectable": 1,
    "remapped_rows_pending": 1,
    "remapped_rows_failed": 0,
}
FIELD_IDS = (3, 4, 5, 6, 29, 30, 31, 83, 94, 142, 143, 144, 145, 186)


def test_a_card_for_servers_counts_its_memorys_errors(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(fake_nvml, server_card(0))
    assert {name: getattr(reading, name) for name in SERVER_VALUES} == SERVER_VALUES
    assert reading.absent.keys() == {"temperature_hotspot_c", "fan_percent", "fan_rpm"}


@pytest.mark.parametrize(
    "without_fields",
    [
        [f"card 0 field_error {field_id} 3" for field_id in FIELD_IDS],
        ["card 0 error nvmlDeviceGetFieldValues 3"],
        ["card 0 error nvmlDeviceGetFieldValues 13"],
    ],
)
def test_what_has_no_field_is_asked_by_its_function(fake_nvml: FakeNvml, without_fields: list[str]) -> None:
    (reading,) = readings_of(fake_nvml, server_card(0), *without_fields)
    known = {name: value for name, value in SERVER_VALUES.items() if name not in reading.absent}
    assert {**SERVER_VALUES, **known} == SERVER_VALUES
    assert SERVER_VALUES.keys() - known.keys() <= {"temperature_memory_c"}
    assert (reading.power_mw, reading.energy_mj, reading.pcie_replays) == (240_000, 10_000_000, 2)


def test_a_field_that_the_driver_leaves_alone_is_no_zero(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    source = tmp_path / "lazy.c"
    source.write_text(
        "int nvmlInitWithFlags(unsigned f) { return 0; }\n"
        "int nvmlDeviceGetCount_v2(unsigned *n) { *n = 1; return 0; }\n"
        "int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **card) { *card = (void *)16; return 0; }\n"
        "int nvmlDeviceGetFieldValues(void *card, int count, void *answers) { return 0; }\n",
        encoding="utf-8",
    )
    nvidia = NvidiaSource(build.compile_plain(source, tmp_path / "libnvidia-ml.so.1"))
    assert [gpu.sources.get("temperature_memory_c") for gpu in nvidia.discover().gpus] == [None]
    (reading,) = nvidia.read(NOW)
    assert reading.absent == dict.fromkeys(VALUES, Absence.NOT_SUPPORTED)
    nvidia.close()


@pytest.mark.parametrize(
    ("brand", "name", "is_told"),
    [(5, "NVIDIA A card", False), (None, "NVIDIA GeForce RTX 4090", False), (14, "NVIDIA A card", True)],
)
def test_remapped_rows_mean_nothing_on_geforce(
    fake_nvml: FakeNvml, brand: int | None, name: str, is_told: bool
) -> None:
    (reading,) = readings_of(fake_nvml, card(0, brand=brand, name=name))
    assert ("remapped_rows_failed" not in reading.absent) is is_told
    assert reading.remapped_rows_failed == (0 if is_told else None)


def test_a_process_stands_once_and_its_memory_may_be_unknown(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(
        fake_nvml,
        card(0),
        "card 0 graphics 900 na",
        "card 0 graphics 70 1048576",
        "card 0 compute 70 2097152",
        f"card 0 compute 80 {2**63}",
    )
    assert reading.processes == (
        GpuProcess(70, 2_097_152, is_compute=True),
        GpuProcess(80, None, is_compute=True),
        GpuProcess(900, None, is_compute=False),
    )


def test_one_list_of_processes_is_better_than_none(fake_nvml: FakeNvml) -> None:
    lines = ("card 0 graphics 9 1", "card 0 compute 7 1", "card 0 error nvmlDeviceGetGraphicsRunningProcesses_v3 3")
    (reading,) = readings_of(fake_nvml, card(0), *lines)
    assert [process.pid for process in reading.processes] == [7]
    (reading,) = readings_of(fake_nvml, card(0), *lines, "card 0 error nvmlDeviceGetComputeRunningProcesses_v3 3")
    assert (reading.processes, reading.absent["processes"]) == ((), Absence.NOT_SUPPORTED)


def test_a_resting_card_is_not_throttled(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, throttle=0x1))[0].throttle_reasons == ()


def test_a_reason_of_a_later_driver_is_not_dropped(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, throttle=0x80000))[0].throttle_reasons == (ThrottleReason.OTHER,)


def test_what_a_card_cannot_tell_is_absent_and_no_zero(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(fake_nvml, card(0, fan=None, energy=None, utilization=None))
    assert (reading.fan_percent, reading.energy_mj, reading.utilization_percent) == (None, None, None)
    unknown = ("fan_percent", "energy_mj", "utilization_percent", "memory_utilization_percent")
    assert reading.absent == {**UNKNOWN_TO_GEFORCE, **dict.fromkeys(unknown, Absence.NOT_SUPPORTED)}


def test_a_function_that_fails_costs_one_value(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(fake_nvml, card(0), "card 0 error nvmlDeviceGetClockInfo 999")
    clocks = {"clock_sm_mhz": Absence.ERROR, "clock_memory_mhz": Absence.ERROR}
    assert reading.absent == {**UNKNOWN_TO_GEFORCE, **clocks}


@pytest.mark.parametrize("instant", [None, 0])
def test_without_an_instant_power_the_mean_is_taken(fake_nvml: FakeNvml, instant: int | None) -> None:
    assert readings_of(fake_nvml, card(0, power_instant=instant))[0].power_mw == 240_000


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("temperature", 4_000_000_000, "temperature_c"),
        ("temperature", 255, "temperature_c"),
        ("power_instant", -5, "power_mw"),
        ("energy", -1, "energy_mj"),
        ("utilization", 101, "utilization_percent"),
        ("memory_used", 25 * 2**30, "memory_used_bytes"),
        ("clock_sm", 4_294_967_295, "clock_sm_mhz"),
        ("fan", 65_535, "fan_percent"),
        ("temperature_memory", 4_000_000_000, "temperature_memory_c"),
        ("fan_rpm", 4_294_967_295, "fan_rpm"),
        ("pcie_generation", 0, "pcie_generation"),
        ("pcie_width", 255, "pcie_width"),
        ("replays", -1, "pcie_replays"),
        ("ecc_corrected", -1, "ecc_corrected"),
        ("retired_pending", 7, "retired_pages_pending"),
    ],
)
def test_nonsense_is_an_error_and_no_value(fake_nvml: FakeNvml, key: str, value: int, field: str) -> None:
    (reading,) = readings_of(fake_nvml, card(0, **{key: value}))
    assert getattr(reading, field) is None
    assert reading.absent[field] is Absence.ERROR
    assert set(reading.absent) <= NOT_ON_GEFORCE | {field}


def test_a_card_in_the_cold_is_believed(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, temperature=-12))[0].temperature_c == -12


def test_a_card_that_is_lost_does_not_stop_the_other(fake_nvml: FakeNvml) -> None:
    lost, sound = readings_of(fake_nvml, card(0, lost_after=60), card(1), times=8)
    assert lost.absent == dict.fromkeys(VALUES, Absence.LOST)
    assert sound.absent == UNKNOWN_TO_GEFORCE
    assert sound.temperature_c == 61


def test_a_card_once_lost_is_not_asked_further(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    lost = "card 0 error nvmlDeviceGetTemperatureV 15"
    (reading,) = readings_of(fake_nvml, card(0), lost, f"calls {calls}", times=3)
    assert reading.absent == dict.fromkeys(VALUES, Absence.LOST)
    assert (reading.power_mw, reading.throttle_reasons) == (None, ())
    after = calls.read_text().split("nvmlDeviceGetTemperatureV\n", 1)[1].split()
    assert set(after) <= {"nvmlEventSetWait_v2", "nvmlEventSetFree", "nvmlShutdown"}


def test_a_card_that_is_lost_at_the_start_is_told_and_the_other_listed(fake_nvml: FakeNvml) -> None:
    report = report_of(fake_nvml, card(0), card(1), "card 0 error nvmlDeviceGetHandleByIndex_v2 15")
    assert [gpu.gpu_id[:12] for gpu in report.gpus] == ["GPU-00000001"]
    assert "card 1 of 2" in report.problem
    assert "lost" in report.problem
    assert report.remedy


def test_a_card_without_a_uuid_is_known_by_its_address(fake_nvml: FakeNvml) -> None:
    (gpu,) = report_of(fake_nvml, card(0, uuid=None)).gpus
    assert gpu.gpu_id == "PCI-0000:0a:00.0-10de:2204-1458:403b"


def test_an_address_of_a_large_domain_is_not_cut(fake_nvml: FakeNvml) -> None:
    assert report_of(fake_nvml, card(0, pci="00010000:0A:00.0")).gpus[0].pci_address == "10000:0a:00.0"
    assert report_of(fake_nvml, card(0, pci="nonsense")).gpus[0].pci_address is None


def test_a_name_is_one_printable_line(fake_nvml: FakeNvml) -> None:
    assert report_of(fake_nvml, card(0, name="Evil\x1b[31m\tCard ")).gpus[0].name == "Evil[31mCard"


@pytest.mark.parametrize(
    ("code", "said", "remedy"),
    [
        (9, "installed but not loaded", "Restart the computer"),
        (18, "was updated", "Restart the computer"),
        (4, "may not use", "group"),
        (999, "does not start", "Restart"),
    ],
)
def test_a_driver_that_does_not_start_is_explained(fake_nvml: FakeNvml, code: int, said: str, remedy: str) -> None:
    report = report_of(fake_nvml, f"init {code}", card(0))
    assert report.gpus == ()
    assert said in report.problem
    assert remedy in report.remedy


def test_a_driver_without_a_card_is_explained(fake_nvml: FakeNvml) -> None:
    report = report_of(fake_nvml)
    assert report.gpus == ()
    assert "no card" in report.problem


def test_a_driver_that_cannot_count_is_explained(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    source = tmp_path / "mad.c"
    source.write_text(
        "int nvmlInitWithFlags(unsigned f) { return 0; }\n"
        "int nvmlDeviceGetCount_v2(unsigned *n) { *n = 4000000000u; return 0; }\n",
        encoding="utf-8",
    )
    report = NvidiaSource(build.compile_plain(source, tmp_path / "libnvidia-ml.so.1")).discover()
    assert report.gpus == ()
    assert "4000000000" in report.problem


def test_no_library_is_no_driver(tmp_path: Path) -> None:
    source = NvidiaSource(tmp_path / "libnvidia-ml.so.1")
    report = source.discover()
    assert report.gpus == ()
    assert report.problem == "No NVIDIA driver is installed."
    assert report.remedy
    assert list(source.read(NOW)) == []


def test_a_broken_library_is_told_from_a_missing_one(tmp_path: Path) -> None:
    library = tmp_path / "libnvidia-ml.so.1"
    library.write_bytes(b"not a library")
    report = NvidiaSource(library).discover()
    assert "cannot be loaded" in report.problem
    assert "again" in report.remedy


def test_a_library_that_is_no_nvml_at_all_is_explained(tmp_path: Path) -> None:
    source = tmp_path / "other.c"
    source.write_text("int other(void) { return 0; }\n", encoding="utf-8")
    library = build.compile_plain(source, tmp_path / "libnvidia-ml.so.1")
    report = NvidiaSource(library).discover()
    assert "does not start" in report.problem
    assert "Function Not Found" in report.problem
