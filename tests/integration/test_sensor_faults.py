"""The fault campaign: every code that NVML has, from every function that a card is asked by, and worse.

Most of it runs in this process, over the compiled library; what kills or hangs a process runs in a real sensor.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pynvml
import pytest
from fake_nvml import build
from fake_nvml.build import FakeNvml, server_card

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.reading import METRICS, PROCESSES, VALUES, XID_EVENTS, Absence, Reading
from argentum_desktop.errors import SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.nvidia.source import NvidiaSource
from argentum_desktop.gpus.watched_sensor import Patience, Sensor, sensor_command

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GPU_IS_LOST = 15
CODES = sorted({value for name, value in vars(pynvml).items() if re.fullmatch("NVML_ERROR_[A-Z0-9_]+", name)})
CODES_FROM_LATER = [31, 12_345, -1]
# What says "this does not exist here"; after anything else the value may be there the next time.
NOT_HERE = {2, 3, 13, 22, 25, 26}

# Each function that a card is read by, and what is gone when it and every other way to the same fail.
READ_BY: dict[tuple[str, ...], set[str]] = {
    ("TemperatureV", "Temperature"): {"temperature_c"},
    ("FieldValues", "PowerUsage", "TotalEnergyConsumption"): {"temperature_memory_c", "power_mw", "energy_mj"},
    ("UtilizationRates",): {"utilization_percent", "memory_utilization_percent"},
    ("MemoryInfo_v2", "MemoryInfo"): {"memory_used_bytes"},
    ("ClockInfo",): {"clock_sm_mhz", "clock_memory_mhz"},
    ("CurrentClocksEventReasons", "CurrentClocksThrottleReasons"): {"throttle_reasons"},
    ("EnforcedPowerLimit",): {"power_limit_mw"},
    ("FanSpeed",): {"fan_percent"},
    ("FanSpeedRPM",): {"fan_rpm"},
    ("CurrPcieLinkGeneration",): {"pcie_generation"},
    ("CurrPcieLinkWidth",): {"pcie_width"},
    ("ComputeRunningProcesses_v3", "GraphicsRunningProcesses_v3"): {PROCESSES},
    ("FieldValues", "PcieReplayCounter"): {"temperature_memory_c", "pcie_replays"},
    ("FieldValues", "TotalEccErrors"): {"temperature_memory_c", *(name for name in VALUES if name.startswith("ecc_"))},
    ("FieldValues", "RetiredPages"): {"temperature_memory_c", "retired_pages_sbe", "retired_pages_dbe"},
    ("FieldValues", "RetiredPagesPendingStatus"): {"temperature_memory_c", "retired_pages_pending"},
    ("FieldValues", "RemappedRows"): {
        "temperature_memory_c",
        *(name for name in VALUES if name.startswith("remapped")),
    },
}
DESCRIBED_BY = (
    "Name",
    "UUID",
    "Serial",
    "VbiosVersion",
    "Brand",
    "PciInfo_v3",
    "MemoryInfo_v2",
    "CudaComputeCapability",
    "VirtualizationMode",
    "EnforcedPowerLimit",
    "PowerManagementDefaultLimit",
    "TemperatureThreshold",
    "MaxPcieLinkGeneration",
    "MaxPcieLinkWidth",
    "FieldValues",
)


def cards(*extra: str) -> list[str]:
    """Two cards that know everything; the second is never at fault."""
    known = {"fan": 40, "fan_rpm": 1200}
    return [server_card(0, **known), server_card(1, **known), *extra]


@pytest.fixture
def source(fake_nvml: FakeNvml) -> Iterator[NvidiaSource]:
    found = NvidiaSource(fake_nvml.library)
    yield found
    found.close()


def two_readings(source: NvidiaSource) -> tuple[Reading, Reading]:
    first, second = source.read(NOW)
    assert_is_sound(second)
    assert_is_honest(first)
    return first, second


def assert_is_sound(reading: Reading) -> None:
    assert reading.absent == {"temperature_hotspot_c": Absence.NOT_SUPPORTED}


def assert_is_honest(reading: Reading) -> None:
    """What is not known is None and has its reason; there is never a zero for it."""
    for metric in METRICS:
        value = getattr(reading, metric.name)
        if metric.name in VALUES:
            assert (value is None) == (metric.name in reading.absent), metric.name
        assert value is None or metric.is_plausible(value), metric.name


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
def test_a_function_that_answers_a_code(source: NvidiaSource, fake_nvml: FakeNvml, code: int) -> None:
    for functions, names in READ_BY.items():
        fake_nvml.follow(*cards(*(f"card 0 error nvmlDeviceGet{function} {code}" for function in functions)))
        assert len(source.discover().gpus) == 2
        first, _ = two_readings(source)
        if code == GPU_IS_LOST:
            assert first.absent == dict.fromkeys(VALUES, Absence.LOST), functions
            continue
        why = Absence.NOT_SUPPORTED if code in NOT_HERE else Absence.ERROR
        gone = {name for name in first.absent if name != "temperature_hotspot_c"}
        assert gone >= names, functions
        assert {first.absent[name] for name in gone} == {why}, functions
        if "FieldValues" not in functions:
            assert gone == names, functions


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
def test_a_card_that_does_not_describe_itself(source: NvidiaSource, fake_nvml: FakeNvml, code: int) -> None:
    for function in DESCRIBED_BY:
        fake_nvml.follow(*cards(f"card 0 error nvmlDeviceGet{function} {code}"))
        first, second = source.discover().gpus
        assert first.gpu_id, function
        assert first.name, function
        numbers = (first.memory_total_bytes, first.power_limit_mw, first.temperature_slowdown_c, first.pcie_width_max)
        assert 0 not in numbers, function
        assert second.memory_total_bytes == 40 * 2**30


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
@pytest.mark.parametrize("where", ["init", "error nvmlInitWithFlags", "error nvmlDeviceGetCount_v2"])
def test_a_driver_that_does_not_start(source: NvidiaSource, fake_nvml: FakeNvml, where: str, code: int) -> None:
    fake_nvml.follow(f"{where} {code}", *cards())
    report = source.discover()
    if where != "error nvmlDeviceGetCount_v2" and code == 13:  # then the older way to start it is taken
        assert (len(report.gpus), report.problem) in {(2, ""), (0, report.problem)}
    else:
        assert report.gpus == ()
        assert report.problem
        assert report.remedy
    assert len(source.read(NOW)) == len(report.gpus)


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
def test_a_card_without_a_handle(source: NvidiaSource, fake_nvml: FakeNvml, code: int) -> None:
    fake_nvml.follow(*cards(f"card 0 error nvmlDeviceGetHandleByIndex_v2 {code}"))
    report = source.discover()
    assert [gpu.gpu_id[:12] for gpu in report.gpus] == ["GPU-00000001"]
    assert "card 1 of 2" in report.problem
    (reading,) = source.read(NOW)
    assert_is_sound(reading)


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
@pytest.mark.parametrize("function", ["nvmlEventSetCreate", "nvmlEventSetWait_v2"])
def test_events_that_fail(source: NvidiaSource, fake_nvml: FakeNvml, function: str, code: int) -> None:
    fake_nvml.follow(*cards(f"error {function} {code}"))
    source.discover()
    for reading in source.read(NOW):
        assert reading.temperature_c == 61
        if function == "nvmlEventSetWait_v2" and code == pynvml.NVML_ERROR_TIMEOUT:
            assert XID_EVENTS not in reading.absent
        else:
            assert XID_EVENTS in reading.absent


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
def test_a_field_that_answers_a_code(source: NvidiaSource, fake_nvml: FakeNvml, code: int) -> None:
    fields = (3, 4, 5, 6, 29, 30, 31, 82, 83, 94, 142, 143, 144, 145, 186)
    fake_nvml.follow(*cards(*(f"card 0 field_error {field} {code}" for field in fields)))
    source.discover()
    first, _ = two_readings(source)
    if code == GPU_IS_LOST:
        assert first.is_lost
    elif code in NOT_HERE:
        assert first.absent.keys() == {"temperature_hotspot_c", "temperature_memory_c"}
    else:
        assert {first.absent[name] for name in ("power_mw", "energy_mj", "ecc_corrected")} == {Absence.ERROR}


@pytest.mark.parametrize("code", [*CODES, *CODES_FROM_LATER])
def test_a_driver_that_fails_from_one_second_to_the_next(source: NvidiaSource, fake_nvml: FakeNvml, code: int) -> None:
    fake_nvml.follow(*cards("fails_after 170 " + str(code)))
    source.discover()
    for second in range(20):
        last = source.read(NOW + timedelta(seconds=second))
        for reading in last:
            assert_is_honest(reading)
    allowed = {Absence.LOST} if code == GPU_IS_LOST else {Absence.ERROR, Absence.NOT_SUPPORTED}
    assert len(last) == 2
    for reading in last:
        assert reading.absent.keys() >= {metric.name for metric in METRICS if metric.name in VALUES}
        assert set(reading.absent.values()) <= allowed


@pytest.mark.parametrize("fails_with", [GPU_IS_LOST, 16, 999])
@pytest.mark.parametrize("after", range(0, 80, 7))
def test_a_card_that_fails_after_any_number_of_calls(
    source: NvidiaSource, fake_nvml: FakeNvml, after: int, fails_with: int
) -> None:
    fake_nvml.follow(*cards(f"card 0 fails_after {after} {fails_with}"))
    gpus = source.discover().gpus
    for second in range(8):
        *first, second_card = source.read(NOW + timedelta(seconds=second))
        assert_is_sound(second_card)
        for reading in first:
            assert_is_honest(reading)
    assert 1 <= len(gpus) <= 2
    for reading in first:
        if fails_with == GPU_IS_LOST:
            assert set(reading.absent.values()) == {Absence.LOST}
        else:
            assert reading.absent["temperature_c"] is Absence.ERROR


@pytest.mark.parametrize(
    "value", [4_000_000_000, -1, -250_000, 2**63 - 1, 2**31, 65_535, 255], ids=lambda value: f"{value}"
)
def test_values_without_sense(source: NvidiaSource, fake_nvml: FakeNvml, value: int) -> None:
    keys = [line.split()[2] for line in server_card(0, fan=1, fan_rpm=1).splitlines()]
    numbers = [key for key in keys if key not in {"name", "uuid", "pci", "vbios", "serial", "brand"}]
    fake_nvml.follow(*cards()[1:], server_card(0, **dict.fromkeys(numbers, value)), f"card 0 compute {2**31} {value}")
    assert len(source.discover().gpus) == 2
    first, _ = two_readings(source)
    assert first.absent["fan_percent"] is Absence.ERROR
    assert first.absent["pcie_width"] is Absence.ERROR
    if value & 0xFFFF_FFFF == 0xFFFF_FFFF:  # all ones are -1 °C, which a card in the cold may well have
        assert first.temperature_c == -1
    else:
        assert first.absent["temperature_c"] is Absence.ERROR


def test_what_was_without_sense_is_known_again_at_once(source: NvidiaSource, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(*cards()[1:], server_card(0, temperature=[4_000_000_000, 61], power_instant=[-5, 240_000]))
    source.discover()
    first, _ = source.read(NOW)
    assert (first.temperature_c, first.power_mw) == (None, None)
    first, _ = source.read(NOW + timedelta(seconds=1))
    assert (first.temperature_c, first.power_mw) == (61, 240_000)


@pytest.fixture
async def sensor(fake_nvml: FakeNvml) -> AsyncIterator[Sensor]:
    patience = Patience(answer_s=0.5, first_answer_s=3.0, first_back_off_s=0.1, fresh_after_s=0.2)
    found = Sensor(sensor_command(), SystemClock(), EventBus(), patience)
    yield found
    await found.close()


async def rounds(sensor: Sensor, count: int) -> Sequence[tuple[Reading, ...] | SensorError]:
    """What the service sees, tick by tick."""
    seen: list[tuple[Reading, ...] | SensorError] = []
    for _ in range(count):
        try:
            seen.append(await sensor.read())
        except SensorError as error:
            seen.append(error)
        await asyncio.sleep(0.01)
    return seen


@pytest.mark.parametrize("act", ["hang", "crash"])
@pytest.mark.parametrize(
    "where",
    [
        "nvmlInitWithFlags",
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetName",
        "nvmlDeviceGetFieldValues 1",
        "nvmlDeviceGetTemperatureV 3",
        "nvmlEventSetWait_v2 1",
    ],
)
async def test_a_driver_that_hangs_or_crashes_is_a_gap(
    sensor: Sensor, fake_nvml: FakeNvml, act: str, where: str
) -> None:
    fake_nvml.follow(*cards(f"{act} {where}"))
    sensor._patience = Patience(answer_s=0.2, first_answer_s=0.6, first_back_off_s=0.05, fresh_after_s=0.2)
    seen = await rounds(sensor, 3)
    assert any(isinstance(one, SensorError) for one in seen)
    fake_nvml.follow(*cards())
    async with asyncio.timeout(3):
        while True:
            with contextlib.suppress(SensorError):
                for reading in await sensor.read():
                    assert_is_sound(reading)
                return
            await asyncio.sleep(0.02)


async def test_a_driver_that_hangs_when_it_is_let_go_is_killed(sensor: Sensor, fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(*cards("hang nvmlShutdown"))
    sensor._patience = Patience(farewell_s=0.2)
    await sensor.start()
    async with asyncio.timeout(2):
        await sensor.close()
    assert sensor.pid is None


@pytest.mark.parametrize("code", [1, 9, 15, 18, 999])
async def test_a_driver_that_breaks_for_all_cards_is_read_again_by_a_fresh_process(
    sensor: Sensor, fake_nvml: FakeNvml, code: int
) -> None:
    fake_nvml.follow(*cards(f"fails_after 190 {code}"))
    await sensor.start()
    pid = sensor.pid
    fake_nvml.follow(*cards())
    async with asyncio.timeout(4):
        while sensor.pid in {pid, None}:
            for reading in await sensor.read():
                assert_is_honest(reading)
            await asyncio.sleep(0.01)
    for reading in await sensor.read():
        assert_is_sound(reading)
