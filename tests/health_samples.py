"""Honest examples of health checks: a card, a load's result, evidence, a report. Tests change one thing about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from argentum_desktop.domain.gpu import Gpu, Vendor
from argentum_desktop.domain.health import (
    Appraisal,
    CardIdentity,
    CheckMode,
    CheckResult,
    CheckVerdict,
    Comparison,
    Grade,
    HealthReport,
    Stage,
    Threshold,
)
from argentum_desktop.domain.reading import Absence, GpuProcess, Reading
from argentum_desktop.domain.stress import (
    AdapterType,
    ComputeTest,
    CopyRates,
    MemoryTest,
    StressEnd,
    StressEngine,
    StressResult,
)
from argentum_desktop.health.checks import judge
from argentum_desktop.health.evidence import Evidence, StagedReading
from argentum_desktop.health.grade import appraise
from argentum_desktop.health.reference import ReferenceCard
from argentum_desktop.health.samples import samples_of

GIB = 1024**3
STARTED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WORKER_PID = 4242

# The seconds at which each stage of a quick check begins; the last is its end.
STAGES = (
    (Stage.COUNTERS, 0),
    (Stage.BASELINE, 3),
    (Stage.HOST_COPY, 8),
    (Stage.MEMORY, 11),
    (Stage.BANDWIDTH, 31),
    (Stage.COMPUTE, 35),
    (Stage.COOL_DOWN, 52),
)
ENDS_AT_S = 58

# What a card for players does not have; its driver says so.
NOT_ON_GEFORCE = (
    "temperature_hotspot_c",
    "temperature_memory_c",
    "fan_rpm",
    "ecc_corrected",
    "ecc_uncorrected",
    "ecc_corrected_volatile",
    "ecc_uncorrected_volatile",
    "retired_pages_sbe",
    "retired_pages_dbe",
    "retired_pages_pending",
    "remapped_rows_correctable",
    "remapped_rows_uncorrectable",
    "remapped_rows_pending",
    "remapped_rows_failed",
)


def a_gpu(**changes: Any) -> Gpu:
    """A GeForce RTX 3090, as its driver describes it."""
    made = Gpu(
        gpu_id="GPU-5f1a7c3e",
        name="NVIDIA GeForce RTX 3090",
        vendor=Vendor.NVIDIA,
        memory_total_bytes=24 * GIB,
        pci_address="0000:01:00.0",
        pci_id="10de:2204",
        pci_subsystem="1458:403b",
        driver="nvidia",
        driver_version="580.95.05",
        vbios_version="94.02.42.40.8c",
        compute_capability="8.6",
        power_limit_mw=350_000,
        power_limit_default_mw=350_000,
        temperature_slowdown_c=95,
        temperature_shutdown_c=98,
        pcie_generation_max=4,
        pcie_width_max=16,
    )
    return replace(made, **changes)


def a_server_gpu(**changes: Any) -> Gpu:
    """A card that counts the errors of its memory and remaps rows."""
    server = a_gpu(
        gpu_id="GPU-77a0",
        name="NVIDIA A40",
        memory_total_bytes=48 * GIB,
        pci_id="10de:2235",
        pci_subsystem="10de:145a",
        serial="1322621012345",
        power_limit_mw=300_000,
        power_limit_default_mw=300_000,
    )
    return replace(server, **changes)


def a_reference_card(**changes: Any) -> ReferenceCard:
    made = ReferenceCard(
        vendor=Vendor.NVIDIA,
        model="GeForce RTX 3090",
        release_year=2020,
        memory_mib=24_576,
        bandwidth_mb_s=935_800,
        fp32_gflops=35_580,
        power_mw=350_000,
        pcie_generation=4,
        pcie_width=16,
        chip="GA102",
        bus_bits=384,
        cores=10_496,
        compute_capability="8.6",
        pci_ids=("10de:2204",),
        measured_bandwidth_mb_s=860_000,
        measured_fp32_gflops=30_000,
        source="a test",
    )
    return replace(made, **changes)


def an_engine(**changes: Any) -> StressEngine:
    made = StressEngine(
        name="wgpu",
        version="wgpu 0.32.0, NVIDIA 580.95.05",
        backend="Vulkan",
        adapter_name="NVIDIA GeForce RTX 3090",
        adapter_type=AdapterType.DISCRETE,
        shaders_sha256="ab" * 32,
        pci_address="0000:01:00.0",
        vendor_id=0x10DE,
        device_id=0x2204,
        pid=WORKER_PID,
    )
    return replace(made, **changes)


def a_memory_test(**changes: Any) -> MemoryTest:
    made = MemoryTest(
        total_bytes=24 * GIB,
        target_bytes=22 * GIB,
        tested_bytes=22 * GIB,
        spilled_bytes=0,
        passes=120,
        moved_bytes=120 * 4 * 22 * GIB,
        errors=0,
        seed="1a2b3c4d",
    )
    return replace(made, **changes)


def a_stress_result(**changes: Any) -> StressResult:
    """A load that a sound card came through."""
    made = StressResult(
        end=StressEnd.COMPLETED,
        engine=an_engine(),
        memory=a_memory_test(),
        compute=ComputeTest(dispatches=900, mismatches=0, rounding="fused", fp32_mflops=29_700_000),
        copy=CopyRates(device_mb_s=858_000, host_to_card_mb_s=24_100, card_to_host_mb_s=25_300),
    )
    return replace(made, **changes)


def with_memory(**changes: Any) -> StressResult:
    """A load whose memory test found something else."""
    return a_stress_result(memory=a_memory_test(**changes))


def with_compute(**changes: Any) -> StressResult:
    sound = a_stress_result().compute
    assert sound is not None
    return a_stress_result(compute=replace(sound, **changes))


def stage_at(second: float) -> Stage:
    return [stage for stage, begins_s in STAGES if begins_s <= second][-1]


def some_readings(
    gpu: Gpu | None = None, step_s: float = 0.5, absent: Iterable[str] = NOT_ON_GEFORCE, **values: Any
) -> tuple[StagedReading, ...]:
    """What a sound card reports from the first second to the last. `values` stand in every reading instead.

    A value that is a function is asked with the second: `temperature_c=lambda second: 95 if second > 40 else 60`.
    """
    card = gpu or a_gpu()
    staged = []
    for number in range(int(ENDS_AT_S / step_s)):
        second = number * step_s
        said = {name: value(second) if callable(value) else value for name, value in (_sound(second) | values).items()}
        missing = {name: Absence.NOT_SUPPORTED for name in absent if said.get(name) is None}
        reading = Reading(card.gpu_id, STARTED_AT + timedelta(seconds=second), absent=missing, **said)
        staged.append(StagedReading(second, stage_at(second), reading))
    return tuple(staged)


def some_evidence(**changes: Any) -> Evidence:
    """A quick check of a sound card."""
    made = Evidence(
        gpu=a_gpu(),
        mode=CheckMode.QUICK,
        started_at=STARTED_AT,
        readings=some_readings(changes.get("gpu")),
        stress=a_stress_result(),
        reference=a_reference_card(),
        candidates=(a_reference_card(),),
        is_confirmed=True,
    )
    return replace(made, **changes)


def a_passive_evidence(**changes: Any) -> Evidence:
    """A check without a load."""
    quiet = tuple(staged for staged in some_readings(changes.get("gpu")) if not staged.stage.is_load)
    return some_evidence(
        **{"mode": CheckMode.PASSIVE, "stress": None, "readings": quiet, "is_confirmed": None} | changes
    )


def a_server_evidence(gpu: Gpu | None = None, **values: Any) -> Evidence:
    """A quick check of a sound card that counts its memory's errors; `values` stand in every reading instead."""
    card = gpu or a_server_gpu()
    counts = dict.fromkeys((name for name in NOT_ON_GEFORCE if not name.startswith(("temperature", "fan"))), 0)
    row = a_reference_card(
        model="A40", memory_mib=48 * 1024, bus_bits=384, pci_ids=("10de:2235",), measured_bandwidth_mb_s=None
    )
    memory = a_memory_test(total_bytes=48 * GIB, target_bytes=45 * GIB, tested_bytes=45 * GIB)
    return some_evidence(
        gpu=card,
        readings=some_readings(card, **counts | {"power_limit_mw": 300_000, "power_mw": 280_000} | values),
        stress=a_stress_result(memory=memory),
        reference=row,
        candidates=(row,),
    )


def hushed(evidence: Evidence, *names: str, why: Absence = Absence.ERROR) -> Evidence:
    """The same, but the driver says nothing under these names."""

    def silenced(reading: Reading) -> Reading:
        absent = {**reading.absent, **dict.fromkeys(names, why)}
        empty: dict[str, Any] = {name: () if isinstance(getattr(reading, name), tuple) else None for name in names}
        return replace(reading, absent=absent, **empty)

    return replace(
        evidence, readings=tuple(replace(staged, reading=silenced(staged.reading)) for staged in evidence.readings)
    )


def a_check(**changes: Any) -> CheckResult:
    made = CheckResult(
        check_id="memory.errors",
        title="Memory",
        verdict=CheckVerdict.PASS,
        words="Every word that was written came back as it was.",
        value=0,
        unit="errors",
        threshold=Threshold(Comparison.AT_MOST, 0),
        basis="memtest_vulkan: any error is the hardware's",
        source="load",
    )
    return replace(made, **changes)


def a_report(**changes: Any) -> HealthReport:
    """The report of a quick check that a sound card came through."""
    made = HealthReport(
        report_id="0123456789abcdef",
        app_version="0.4.0",
        mode=CheckMode.QUICK,
        started_at=STARTED_AT,
        ended_at=STARTED_AT + timedelta(seconds=60),
        card=CardIdentity.of(a_gpu()),
        checks=(
            a_check(),
            a_check(check_id="heat.limit", title="Temperature", value=71, unit="°C", source="driver", threshold=None),
        ),
        appraisal=Appraisal(Grade.A, 55, "Nothing wrong was found, and it is as fast as it should be.", 92),
        stress=a_stress_result(),
        samples=samples_of(some_readings()),
        reference_row="GeForce RTX 3090",
        reference_sha256="cd" * 32,
        operating_system="Linux 6.1",
    )
    return replace(made, **changes)


def a_report_of(evidence: Evidence, **changes: Any) -> HealthReport:
    """The report that this evidence leads to, with every check and its grade."""
    checks = judge(evidence)
    made = replace(
        a_report(),
        mode=evidence.mode,
        card=CardIdentity.of(evidence.gpu),
        checks=checks,
        appraisal=appraise(evidence, checks),
        stress=evidence.stress,
        samples=samples_of(evidence.readings),
        reference_row=evidence.reference.model if evidence.reference else "",
    )
    return replace(made, **changes)


def a_failed_report(**changes: Any) -> HealthReport:
    """The report of a card whose memory forgets."""
    failed = a_check(verdict=CheckVerdict.FAIL, value=17, words="17 words of its memory came back wrong, twice.")
    appraisal = Appraisal(Grade.F, 55, "Its memory gave back other values than were written.")
    return replace(a_report(), **{"checks": (failed,), "appraisal": appraisal} | changes)


def _sound(second: float) -> dict[str, Any]:
    """A sound card's figures at this second of a quick check."""
    works = stage_at(second).is_load
    warmth_c = round(38 + 33 * min(1.0, max(0.0, second - 8) / 40)) if second < 52 else round(71 - (second - 52))
    return {
        "temperature_c": warmth_c,
        "power_mw": 338_000 if works else 28_000,
        "power_limit_mw": 350_000,
        "energy_mj": round(second * 300_000),
        "utilization_percent": 99 if works else 0,
        "memory_utilization_percent": 80 if works else 0,
        "memory_used_bytes": 22 * GIB if works else GIB // 2,
        "clock_sm_mhz": 1695 if works else 210,
        "clock_memory_mhz": 9751 if works else 405,
        "fan_percent": 62 if works else 30,
        "pcie_generation": 4 if works else 1,
        "pcie_width": 16,
        "pcie_replays": 0,
        "processes": (GpuProcess(WORKER_PID, 22 * GIB, is_compute=True),) if works else (),
    }
