"""NVIDIA's source against a compiled library that answers as told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_nvml import build
from fake_nvml.build import FakeNvml, card

from argentum_desktop.domain.gpu import Gpu, SourceReport, Vendor
from argentum_desktop.domain.reading import METRIC_NAMES, Absence, Reading, ThrottleReason
from argentum_desktop.gpus.nvidia.source import NvidiaSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


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
            memory_total_bytes=24 * 2**30,
            pci_address="0000:0a:00.0",
            driver_version="580.95.05",
            power_limit_mw=350_000,
            temperature_slowdown_c=95,
        ),
    )


def test_a_reading_has_every_value_and_the_power_of_this_instant(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, throttle=0x20 | 0x80 | 0x1)) == [
        Reading(
            gpu_id="GPU-00000000-1111-2222-3333-444444444444",
            taken_at=NOW,
            temperature_c=61,
            power_mw=251_500,
            energy_mj=10_000_000,
            utilization_percent=97,
            memory_used_bytes=3 * 2**30,
            clock_sm_mhz=1815,
            clock_memory_mhz=9751,
            fan_percent=63,
            throttle_reasons=(ThrottleReason.TEMPERATURE, ThrottleReason.POWER_BRAKE),
        )
    ]


def test_a_resting_card_is_not_throttled(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, throttle=0x1))[0].throttle_reasons == ()


def test_a_reason_of_a_later_driver_is_not_dropped(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, throttle=0x80000))[0].throttle_reasons == (ThrottleReason.OTHER,)


def test_what_a_card_cannot_tell_is_absent_and_no_zero(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(fake_nvml, card(0, fan=None, energy=None, utilization=None))
    assert (reading.fan_percent, reading.energy_mj, reading.utilization_percent) == (None, None, None)
    assert reading.absent == {
        "fan_percent": Absence.NOT_SUPPORTED,
        "energy_mj": Absence.NOT_SUPPORTED,
        "utilization_percent": Absence.NOT_SUPPORTED,
    }


def test_a_function_that_fails_costs_one_value(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(fake_nvml, card(0), "card 0 error nvmlDeviceGetClockInfo 999")
    assert reading.absent == {"clock_sm_mhz": Absence.ERROR, "clock_memory_mhz": Absence.ERROR}


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
    ],
)
def test_nonsense_is_an_error_and_no_value(fake_nvml: FakeNvml, key: str, value: int, field: str) -> None:
    (reading,) = readings_of(fake_nvml, card(0, **{key: value}))
    assert getattr(reading, field) is None
    assert reading.absent == {field: Absence.ERROR}


def test_a_card_in_the_cold_is_believed(fake_nvml: FakeNvml) -> None:
    assert readings_of(fake_nvml, card(0, temperature=-12))[0].temperature_c == -12


def test_a_card_that_is_lost_does_not_stop_the_other(fake_nvml: FakeNvml) -> None:
    lost, sound = readings_of(fake_nvml, card(0, lost_after=20), card(1), times=4)
    assert lost.is_lost
    assert set(lost.absent.values()) == {Absence.LOST}
    assert set(METRIC_NAMES) <= set(lost.absent)
    assert not sound.absent
    assert sound.temperature_c == 61


def test_a_card_once_lost_is_not_asked_further(fake_nvml: FakeNvml) -> None:
    (reading,) = readings_of(fake_nvml, card(0), "card 0 error nvmlDeviceGetTemperatureV 15")
    assert set(reading.absent.values()) == {Absence.LOST}
    assert (reading.power_mw, reading.throttle_reasons) == (None, ())


def test_a_card_that_is_lost_at_the_start_is_told_and_the_other_listed(fake_nvml: FakeNvml) -> None:
    report = report_of(fake_nvml, card(0), card(1), "card 0 error nvmlDeviceGetHandleByIndex_v2 15")
    assert [gpu.gpu_id[:12] for gpu in report.gpus] == ["GPU-00000001"]
    assert "card 1 of 2" in report.problem
    assert "lost" in report.problem
    assert report.remedy


def test_a_card_without_a_uuid_is_known_by_its_address(fake_nvml: FakeNvml) -> None:
    (gpu,) = report_of(fake_nvml, card(0, uuid=None)).gpus
    assert gpu.gpu_id == "PCI-0000:0a:00.0-220410de-403b1458"


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
