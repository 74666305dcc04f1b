"""The letter: what fails, what is doubted, what is not graded and why, and where the score draws its lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from health_samples import (
    STARTED_AT,
    a_gpu,
    a_memory_test,
    a_passive_evidence,
    a_reference_card,
    a_server_evidence,
    a_stress_result,
    an_engine,
    hushed,
    some_evidence,
    some_readings,
    with_compute,
    with_memory,
)

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import Appraisal, CheckMode, CheckVerdict, Grade
from argentum_desktop.domain.reading import METRIC_NAMES, ThrottleReason, lost
from argentum_desktop.domain.stress import AdapterType, CopyRates, StressEnd
from argentum_desktop.health.checks import judge
from argentum_desktop.health.evidence import Evidence, PastError
from argentum_desktop.health.grade import appraise, confidence_percent
from argentum_desktop.health.score import heat, history, link, score_of, speed


def appraised(evidence: Evidence) -> Appraisal:
    return appraise(evidence, judge(evidence))


def grade(evidence: Evidence) -> Grade:
    return appraised(evidence).grade


def reading(**values: Any) -> Evidence:
    return some_evidence(readings=some_readings(**values))


def copying(mb_s: int | None) -> Evidence:
    """Against a healthy card's 1 000 000 MB/s; its arithmetic is not known."""
    reference = a_reference_card(measured_bandwidth_mb_s=1_000_000, measured_fp32_gflops=None)
    return some_evidence(reference=reference, stress=a_stress_result(copy=CopyRates(device_mb_s=mb_s)))


def test_a_sound_card_is_an_a_and_a_minute_is_not_certainty() -> None:
    said = appraised(some_evidence())
    assert (said.grade, said.score, said.caps) == (Grade.A, 100, ())
    assert (said.reason, said.confidence_percent) == ("Nothing wrong was found.", 60)
    assert appraised(some_evidence(mode=CheckMode.FULL)).confidence_percent == 100


@pytest.mark.parametrize(
    "failed",
    [
        some_evidence(stress=with_memory(errors=1)),
        some_evidence(stress=with_compute(mismatches=1)),
        some_evidence(stress=a_stress_result(end=StressEnd.LOST)),
        some_evidence(stress=a_stress_result(end=StressEnd.HUNG, memory=None)),
        some_evidence(readings=(*some_readings(), replace(some_readings()[-1], reading=lost("GPU", STARTED_AT)))),
        reading(fan_percent=60, fan_rpm=0),
        a_server_evidence(ecc_uncorrected_volatile=lambda second: int(second > 30)),
        a_server_evidence(remapped_rows_failed=1),
        a_server_evidence(retired_pages_dbe=63),
    ],
)
def test_what_fails_a_card(failed: Evidence) -> None:
    said = appraised(failed)
    assert (said.grade, said.score) == (Grade.F, None)
    assert said.reason in {check.words for check in judge(failed) if check.verdict is CheckVerdict.FAIL}


def test_a_passive_check_finds_faults_and_does_not_grade() -> None:
    said = appraised(a_passive_evidence())
    assert (said.grade, said.score) == (Grade.UNGRADED, None)
    assert said.reason == "A check without a load cannot grade a card; it found nothing that fails it."
    worn = a_server_evidence(remapped_rows_failed=1)
    assert grade(a_passive_evidence(gpu=worn.gpu, readings=worn.readings[:16])) is Grade.F


def test_a_card_that_is_not_what_it_says_is_x_even_without_a_load() -> None:
    gpu = a_gpu(pci_subsystem="0000:0000", compute_capability="6.1")
    assert grade(some_evidence(gpu=gpu)) is Grade.X
    assert grade(a_passive_evidence(gpu=gpu)) is Grade.X
    assert grade(some_evidence(gpu=gpu, stress=with_memory(errors=1))) is Grade.F


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (some_evidence(stress=None), "did not begin"),
        (some_evidence(stress=a_stress_result(engine=an_engine(adapter_type=AdapterType.CPU))), "in the place of"),
        (some_evidence(is_confirmed=False), "the right card"),
        (some_evidence(stress=a_stress_result(engine=an_engine(pci_address="0000:09:00.0"))), "the right card"),
        (hushed(some_evidence(), *METRIC_NAMES), "reported nothing"),
        (some_evidence(readings=()), "reported nothing"),
        (some_evidence(stress=a_stress_result(memory=None)), "was not tested"),
        (some_evidence(stress=with_memory(total_bytes=100, tested_bytes=74)), "Only 74 %"),
        *(
            (some_evidence(stress=a_stress_result(end=end)), "")
            for end in set(StressEnd) - {StressEnd.COMPLETED, StressEnd.HUNG, StressEnd.LOST, StressEnd.TOO_HOT}
        ),
    ],
)
def test_what_cannot_be_graded_says_why(evidence: Evidence, words: str) -> None:
    said = appraised(evidence)
    assert (said.grade, said.score) == (Grade.UNGRADED, None)
    assert words in said.reason
    assert said.reason.endswith(".")


@pytest.mark.parametrize(
    "load",
    [with_memory(errors=5), with_compute(mismatches=5), a_stress_result(end=StressEnd.LOST)],
)
def test_what_another_device_did_is_not_held_against_the_card(load: Any) -> None:
    software = replace(load, engine=an_engine(adapter_type=AdapterType.CPU))
    assert grade(some_evidence(stress=software)) is Grade.UNGRADED
    assert grade(some_evidence(stress=load, is_confirmed=False)) is Grade.UNGRADED


def test_a_memory_check_that_broke_leaves_no_grade() -> None:
    evidence = some_evidence()
    broken = tuple(
        replace(check, verdict=CheckVerdict.ERROR) if check.check_id == "memory.errors" else check
        for check in judge(evidence)
    )
    assert appraise(evidence, broken).grade is Grade.UNGRADED
    assert appraise(evidence, ()).grade is Grade.UNGRADED


def test_a_simulated_card_is_graded() -> None:
    gpu = a_gpu(vendor=Vendor.SIMULATED, name="Example card 24 GB", pci_address=None, pci_id=None)
    stress = a_stress_result(engine=an_engine(adapter_type=AdapterType.SIMULATED, pci_address=None))
    assert grade(some_evidence(gpu=gpu, stress=stress, reference=None, candidates=())) is Grade.A


def test_too_hot_to_finish_is_a_d_once_the_memory_was_tested() -> None:
    hot = a_stress_result(end=StressEnd.TOO_HOT, words="The load was taken off at 93 °C.", compute=None)
    said = appraised(some_evidence(stress=hot))
    assert (said.grade, said.reason) == (Grade.D, "The load was taken off at 93 °C.")
    assert said.caps == ("Temperature under load: at most D",)
    untested = replace(hot, memory=a_memory_test(tested_bytes=0))
    assert grade(some_evidence(stress=untested)) is Grade.UNGRADED
    unnamed = a_gpu(temperature_slowdown_c=None, temperature_shutdown_c=None)
    assert grade(some_evidence(gpu=unnamed, stress=hot)) is Grade.UNGRADED


@pytest.mark.parametrize(
    ("mb_s", "grade_", "score"),
    [
        (950_000, Grade.A, 100),
        (850_000, Grade.A, 90),
        (800_000, Grade.A, 85),
        (790_000, Grade.B, 84),
        (750_000, Grade.B, 80),
    ],
)
def test_the_memorys_speed_in_the_score(mb_s: int, grade_: Grade, score: int) -> None:
    said = appraised(copying(mb_s))
    assert (said.grade, said.score) == (grade_, score)


def test_a_memory_far_too_slow_is_at_most_a_d() -> None:
    said = appraised(copying(749_000))
    assert (said.grade, said.score) == (Grade.D, 80)
    assert said.caps == ("Speed of the memory: at most D",)


def test_the_reason_of_a_middling_grade_names_what_costs_most() -> None:
    assert appraised(copying(790_000)).reason == "It is good, and not at its best; its speed costs it most."
    warm = appraised(reading(temperature_c=lambda second: 88 if second > 40 else 50))
    assert warm.reason == "It is good, and not at its best; its heat costs it most."
    narrow = appraised(reading(pcie_width=8))
    assert (narrow.grade, narrow.reason) == (Grade.A, "Nothing serious was found.")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"remapped_rows_uncorrectable": 1}, Grade.C),
        ({"retired_pages_dbe": 1}, Grade.C),
        ({"retired_pages_sbe": 1}, Grade.A),
        ({"remapped_rows_pending": 1}, Grade.C),
        ({"retired_pages_pending": 1}, Grade.C),
        ({"remapped_rows_uncorrectable": 512}, Grade.D),
    ],
)
def test_mended_memory_caps_the_grade(values: dict[str, int], expected: Grade) -> None:
    said = appraised(a_server_evidence(**values))
    assert said.grade is expected
    assert bool(said.caps) is (expected is not Grade.A)


def test_memory_errors_that_did_not_come_back_leave_a_d() -> None:
    said = appraised(some_evidence(stress=with_memory(errors=3, errors_again=0)))
    assert said.grade is Grade.D
    assert said.reason.startswith("3 values")


def test_the_parts_of_the_score() -> None:
    assert (speed(some_evidence()), heat(some_evidence()), history(some_evidence()), link(some_evidence())) == (
        1,
        1,
        1,
        1,
    )
    assert heat(reading(temperature_c=85)) == pytest.approx(0.5)
    slowed = reading(temperature_c=85, throttle_reasons=(ThrottleReason.TEMPERATURE,))
    assert heat(slowed) == pytest.approx(0.25)
    tired = reading(clock_sm_mhz=lambda second: 1000 if second < 45 else 800)
    assert heat(tired) == pytest.approx(0.8)
    assert link(reading(pcie_width=8)) == pytest.approx(0.5)
    assert link(reading(pcie_width=8, pcie_replays=lambda second: second * 1)) == pytest.approx(0.25)
    pages = a_server_evidence(retired_pages_sbe=21, remapped_rows_uncorrectable=4)
    assert history(pages) == pytest.approx(1 - 21 / 63 - 4 / 16)
    errors = tuple(PastError(STARTED_AT - timedelta(days=day), xid) for day, xid in enumerate((13, 79, 63)))
    assert history(some_evidence(past_errors=errors)) == pytest.approx(0.5)
    assert history(some_evidence(past_errors=errors * 4)) == 0
    assert score_of(some_evidence(past_errors=errors)) == 90


def test_the_score_is_rounded_down() -> None:
    assert score_of(copying(799_999)) == 84


def test_what_was_not_seen_lowers_the_confidence_alone() -> None:
    seen, unseen = some_evidence(), some_evidence(reference=None, candidates=())
    assert grade(unseen) is Grade.A
    assert appraised(unseen).confidence_percent < appraised(seen).confidence_percent
    for name in ("temperature_c", "clock_sm_mhz", "throttle_reasons", "pcie_width", "pcie_replays", "xid_events"):
        said = appraised(hushed(seen, name))
        assert said.grade is Grade.A, name
        assert said.confidence_percent < appraised(seen).confidence_percent, name


def test_what_does_not_apply_is_not_held_against_the_confidence() -> None:
    results = judge(some_evidence())
    assert any(check.verdict is CheckVerdict.NOT_APPLICABLE for check in results)
    assert confidence_percent(CheckMode.FULL, results) == 100
    assert confidence_percent(CheckMode.FULL, ()) == 0
