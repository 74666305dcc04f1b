"""Whatever the evidence: every check answers, silence is never held against a card, and worse is never better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from health_samples import (
    STARTED_AT,
    a_gpu,
    a_memory_test,
    a_reference_card,
    a_server_evidence,
    an_engine,
    hushed,
    some_evidence,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argentum_desktop.domain.gpu import GpuKind, Vendor
from argentum_desktop.domain.health import CheckMode, CheckVerdict, Grade, Stage
from argentum_desktop.domain.reading import (
    METRIC_BY_NAME,
    METRIC_NAMES,
    VALUES,
    Absence,
    GpuProcess,
    Reading,
    ThrottleReason,
)
from argentum_desktop.domain.stress import AdapterType, ComputeTest, CopyRates, StressEnd, StressResult
from argentum_desktop.health.checks import ALL, judge
from argentum_desktop.health.evidence import Evidence, PastError, StagedReading
from argentum_desktop.health.grade import appraise

HARDER = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORSE = {Grade.A: 0, Grade.B: 1, Grade.C: 2, Grade.D: 3, Grade.X: 4, Grade.F: 5}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def readings(draw: st.DrawFn) -> tuple[StagedReading, ...]:
    stages = draw(st.lists(st.sampled_from(list(Stage)), max_size=12))
    at_s = sorted(draw(st.lists(st.floats(0, 700), min_size=len(stages), max_size=len(stages))))
    made = []
    for stage, second in zip(stages, at_s, strict=True):
        names = draw(st.sets(st.sampled_from(METRIC_NAMES)))
        said: dict[str, Any] = {
            name: draw(st.integers(METRIC_BY_NAME[name].low, METRIC_BY_NAME[name].high)) for name in names
        }
        said["throttle_reasons"] = tuple(draw(st.sets(st.sampled_from(list(ThrottleReason)), max_size=3)))
        said["xid_events"] = tuple(draw(st.lists(st.integers(0, 300), max_size=2)))
        said["processes"] = tuple(GpuProcess(pid, None, is_compute=True) for pid in draw(st.sets(st.integers(1, 5))))
        absent = draw(st.dictionaries(st.sampled_from(VALUES), st.sampled_from(list(Absence)), max_size=5))
        reading = Reading("GPU", STARTED_AT, absent=absent, **said)
        made.append(StagedReading(second, stage, reading))
    return tuple(made)


SIZES = st.integers(0, 2**40)
LOADS = st.builds(
    StressResult,
    end=st.sampled_from(list(StressEnd)),
    words=st.just(""),
    engine=maybe(
        st.builds(
            an_engine,
            adapter_type=st.sampled_from(list(AdapterType)),
            pci_address=maybe(st.sampled_from(["0000:01:00.0", "0000:02:00.0"])),
        )
    ),
    memory=maybe(
        st.builds(
            a_memory_test,
            total_bytes=SIZES,
            tested_bytes=SIZES,
            spilled_bytes=SIZES,
            errors=SIZES,
            first_bad_address=maybe(SIZES),
            bad_bits=st.integers(0, 2**32 - 1),
            errors_again=maybe(SIZES),
        )
    ),
    compute=maybe(
        st.builds(
            ComputeTest,
            dispatches=SIZES,
            mismatches=SIZES,
            rounding=st.sampled_from(["fused", "separate", "neither"]),
            fp32_mflops=maybe(SIZES),
        )
    ),
    copy=maybe(
        st.builds(CopyRates, device_mb_s=maybe(SIZES), host_to_card_mb_s=maybe(SIZES), card_to_host_mb_s=maybe(SIZES))
    ),
)
ROWS = st.builds(
    a_reference_card,
    memory_mib=maybe(st.integers(1, 10**6)),
    bandwidth_mb_s=maybe(st.integers(0, 10**7)),
    bus_bits=maybe(st.integers(0, 8192)),
    compute_capability=st.sampled_from(["", "8.6", "9.0"]),
    measured_bandwidth_mb_s=maybe(st.integers(0, 10**7)),
    measured_fp32_gflops=maybe(st.integers(0, 10**6)),
)
TEMPERATURES = maybe(st.integers(1, 200))
CARDS = st.builds(
    a_gpu,
    name=st.sampled_from(["NVIDIA GeForce RTX 3090", "Tesla T4", "", "9" * 96]),
    vendor=st.sampled_from(list(Vendor)),
    kind=st.sampled_from(list(GpuKind)),
    memory_total_bytes=maybe(SIZES),
    pci_id=maybe(st.sampled_from(["10de:2204", "10de:1b07", "1002:73bf"])),
    pci_subsystem=maybe(st.sampled_from(["0000:0000", "1458:403b"])),
    pci_address=maybe(st.just("0000:01:00.0")),
    driver_version=maybe(st.sampled_from(["", "580.95", "x.y"])),
    compute_capability=maybe(st.sampled_from(["", "8.6", "6.1", "a.b"])),
    power_limit_mw=maybe(st.integers(1, 10**6)),
    power_limit_default_mw=maybe(st.integers(1, 10**6)),
    temperature_slowdown_c=TEMPERATURES,
    temperature_shutdown_c=TEMPERATURES,
    temperature_memory_limit_c=TEMPERATURES,
    pcie_generation_max=maybe(st.integers(1, 10)),
    pcie_width_max=maybe(st.integers(1, 32)),
)
EVIDENCE = st.builds(
    Evidence,
    gpu=CARDS,
    mode=st.sampled_from(list(CheckMode)),
    started_at=st.just(STARTED_AT),
    readings=readings(),
    stress=maybe(LOADS),
    reference=maybe(ROWS),
    candidates=st.lists(ROWS, max_size=3).map(tuple),
    past_errors=st.lists(st.integers(0, 200).map(lambda xid: PastError(STARTED_AT, xid)), max_size=3).map(tuple),
    is_confirmed=st.sampled_from([None, True, False]),
)


@HARDER
@given(EVIDENCE)
def test_every_check_answers_whatever_it_is_given(evidence: Evidence) -> None:
    results = judge(evidence)
    assert [check.check_id for check in results] == [check.subject.check_id for check in ALL]
    for check in results:
        assert check.verdict is not CheckVerdict.ERROR, check
        assert check.value is None or type(check.value) in {int, str}, check
        assert check.words.endswith("."), check
    said = appraise(evidence, results)
    assert 0 <= said.confidence_percent <= 100
    assert said.reason.endswith(".")
    assert (said.score is None) is (said.grade in {Grade.F, Grade.X, Grade.UNGRADED})
    assert said.score is None or 0 <= said.score <= 100


def said_in_every_reading(evidence: Evidence, from_s: float = 20.0, **values: Any) -> Evidence:
    return replace(
        evidence,
        readings=tuple(
            replace(staged, reading=replace(staged.reading, **values)) if staged.at_s >= from_s else staged
            for staged in evidence.readings
        ),
    )


def risen(evidence: Evidence, name: str, by: int, from_s: float = 20.0) -> Evidence:
    """The same, and this figure is higher from then on."""
    return replace(
        evidence,
        readings=tuple(
            replace(staged, reading=replace(staged.reading, **{name: (getattr(staged.reading, name) or 0) + by}))
            if staged.at_s >= from_s
            else staged
            for staged in evidence.readings
        ),
    )


def with_reason(evidence: Evidence, reason: ThrottleReason) -> Evidence:
    return replace(
        evidence,
        readings=tuple(
            replace(
                staged,
                reading=replace(staged.reading, throttle_reasons=(*staged.reading.throttle_reasons, reason)),
            )
            if staged.at_s >= 30
            else staged
            for staged in evidence.readings
        ),
    )


def with_load(evidence: Evidence, part: str, **changes: Any) -> Evidence:
    assert evidence.stress is not None
    loaded = getattr(evidence.stress, part)
    return replace(evidence, stress=replace(evidence.stress, **{part: replace(loaded, **changes)}))


def slower(evidence: Evidence, percent: int) -> Evidence:
    assert evidence.stress is not None
    copy = evidence.stress.copy
    assert copy is not None
    assert copy.device_mb_s is not None
    return with_load(evidence, "copy", device_mb_s=copy.device_mb_s * percent // 100)


Worsening = Callable[[Evidence, int], Evidence]
# Each makes the card worse by some amount, from 1 to 100.
WORSENINGS: Sequence[Worsening] = (
    lambda evidence, much: risen(evidence, "temperature_c", much // 3),
    lambda evidence, much: slower(evidence, 100 - much // 2),
    lambda evidence, much: said_in_every_reading(evidence, 45.0, clock_sm_mhz=1600 - 10 * much),
    lambda evidence, _: with_reason(evidence, ThrottleReason.TEMPERATURE),
    lambda evidence, _: with_reason(evidence, ThrottleReason.HARDWARE_TEMPERATURE),
    lambda evidence, _: with_reason(evidence, ThrottleReason.POWER_BRAKE),
    lambda evidence, much: risen(evidence, "ecc_uncorrected_volatile", much),
    lambda evidence, much: risen(evidence, "remapped_rows_uncorrectable", much * 6, from_s=0),
    lambda evidence, much: risen(evidence, "retired_pages_sbe", much, from_s=0),
    lambda evidence, much: risen(evidence, "retired_pages_dbe", much // 4, from_s=0),
    lambda evidence, _: said_in_every_reading(evidence, 0, remapped_rows_pending=1),
    lambda evidence, _: said_in_every_reading(evidence, 0, remapped_rows_failed=1),
    lambda evidence, much: risen(evidence, "pcie_replays", much),
    lambda evidence, _: said_in_every_reading(evidence, 0, pcie_width=4),
    lambda evidence, _: said_in_every_reading(evidence, 0, fan_percent=80, fan_rpm=0),
    lambda evidence, much: with_load(evidence, "memory", errors=much, errors_again=much),
    lambda evidence, much: with_load(evidence, "compute", mismatches=much),
    lambda evidence, much: with_load(evidence, "compute", fp32_mflops=30_000_000 - much * 200_000),
    lambda evidence, much: replace(
        evidence,
        past_errors=(*evidence.past_errors, PastError(STARTED_AT - timedelta(days=1), 79 if much > 50 else 63)),
    ),
    lambda evidence, _: replace(evidence, gpu=replace(evidence.gpu, pci_subsystem="0000:0000")),
    lambda evidence, _: replace(evidence, gpu=replace(evidence.gpu, compute_capability="3.5")),
)
DAMAGE = st.lists(st.tuples(st.sampled_from(WORSENINGS), st.integers(1, 100)), max_size=4)


def grade_of(evidence: Evidence) -> Grade:
    return appraise(evidence, judge(evidence)).grade


def damaged(base: Evidence, damage: Sequence[tuple[Worsening, int]]) -> Evidence:
    for worsen, much in damage:
        base = worsen(base, much)
    return base


BASES = (some_evidence(), a_server_evidence())


@HARDER
@given(st.sampled_from(BASES), DAMAGE, st.sampled_from(WORSENINGS), st.integers(1, 100))
def test_worse_evidence_never_gives_a_better_grade(
    base: Evidence, damage: Sequence[tuple[Worsening, int]], worsen: Worsening, much: int
) -> None:
    before = damaged(base, damage)
    # A counter, a reading and a load are replaced by worse ones only where nothing yet worse stands.
    if worsen in {done for done, _ in damage}:
        return
    assert WORSE[grade_of(worsen(before, much))] >= WORSE[grade_of(before)]


@HARDER
@given(
    st.sampled_from(BASES),
    DAMAGE,
    st.sets(st.sampled_from([name for name in VALUES if name != "utilization_percent"])),
    st.sampled_from([Absence.ERROR, Absence.NOT_SUPPORTED]),
)
def test_a_silent_sensor_never_speaks_against_a_card(
    base: Evidence, damage: Sequence[tuple[Worsening, int]], names: set[str], why: Absence
) -> None:
    heard = damaged(base, damage)
    silent = hushed(heard, *sorted(names), why=why)
    assert WORSE[grade_of(silent)] <= WORSE[grade_of(heard)]


@HARDER
@given(st.sampled_from(BASES), st.sets(st.sampled_from([name for name in VALUES if name != "utilization_percent"])))
def test_silence_never_changes_a_sound_cards_grade_and_never_raises_the_confidence(
    base: Evidence, names: set[str]
) -> None:
    heard = appraise(base, judge(base))
    silent = hushed(base, *sorted(names))
    said = appraise(silent, judge(silent))
    assert said.grade is heard.grade is Grade.A
    assert said.confidence_percent <= heard.confidence_percent
