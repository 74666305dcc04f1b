"""What a report says of itself, held against itself: a grade that its own checks do not bear out is not believed. Pure.

The report has no more than its checks and the load's result, so this finds grades that are too good, not all that are
too bad.
"""

from __future__ import annotations

from collections.abc import Iterator

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Grade, HealthReport, Threshold
from argentum_desktop.domain.stress import AdapterType
from argentum_desktop.health.checks.memory import LEAST_COVERAGE_PERCENT
from argentum_desktop.health.grade import COUNTED_GATES, IDENTITY, LEAST_SCORE, LOAD_GATES, confidence_percent

_LETTERS = (Grade.A, Grade.B, Grade.C, Grade.D)
_BAD = frozenset({CheckVerdict.WARN, CheckVerdict.FAIL})
# Checks whose warning leaves no better grade (health.grade).
_AT_MOST_D, _AT_MOST_C = frozenset({"memory.errors"}), frozenset({"ecc.repair_pending", "ecc.rows_remapped"})


def contradictions(report: HealthReport) -> Iterator[str]:
    """What no version can have written. Each begins in the middle of a sentence: "its grade is A, but …"."""
    for check in report.checks:
        if check.verdict is CheckVerdict.PASS and not _is_met(check):
            yield f"its check {check.check_id} is said to be passed with {check.value}, which is beyond its threshold"
    grade, appraisal = report.appraisal.grade, report.appraisal
    if not 0 <= appraisal.confidence_percent <= 100 or (
        appraisal.score is not None and not 0 <= appraisal.score <= 100
    ):
        yield "its score or its confidence is no share of 100"
    if grade in _LETTERS:
        for why in (*_failed_gates(report), *_untested(report)):
            yield f"its grade is {grade.value}, but {why}"
    elif grade is Grade.F and not any(check.verdict is CheckVerdict.FAIL for check in report.checks):
        yield "its grade is F, but no check failed"


def too_good(report: HealthReport) -> Iterator[str]:
    """By how much it is better than the rules of this version make it; another version may have had other rules."""
    appraisal = report.appraisal
    if appraisal.grade in _LETTERS:
        expected = best_grade(report)
        if _LETTERS.index(appraisal.grade) < _LETTERS.index(expected):
            yield f"its grade is {appraisal.grade.value}, where its own checks and score allow {expected.value} at most"
    expected_percent = confidence_percent(report.mode, report.checks)
    if appraisal.confidence_percent > expected_percent:
        yield f"its confidence is {appraisal.confidence_percent} %, where its own checks give {expected_percent} %"


def best_grade(report: HealthReport) -> Grade:
    """The best letter that this version could give for these checks and this score."""
    score = report.appraisal.score or 0
    by_score = next((grade for least, grade in LEAST_SCORE if score >= least), Grade.D)
    bad = {check.check_id for check in report.checks if check.verdict in _BAD}
    has_failed = any(check.verdict is CheckVerdict.FAIL for check in report.checks)
    by_checks = Grade.D if has_failed or bad & _AT_MOST_D else Grade.C if bad & _AT_MOST_C else Grade.A
    return max(by_score, by_checks, key=_LETTERS.index)


def _is_met(check: CheckResult) -> bool:
    if check.threshold is None or not isinstance(check.value, int):
        return True
    return _holds(check.value, check.threshold)


def _holds(value: int, threshold: Threshold) -> bool:
    match threshold.comparison:
        case Comparison.AT_MOST:
            return value <= threshold.value
        case Comparison.AT_LEAST:
            return value >= threshold.value
        case Comparison.BELOW:
            return value < threshold.value
        case Comparison.EQUAL:
            return value == threshold.value


def _failed_gates(report: HealthReport) -> Iterator[str]:
    if report.appraisal.score is None:
        yield "it has no score"
    for check in report.checks:
        if check.verdict is CheckVerdict.FAIL and check.check_id in {*COUNTED_GATES, *LOAD_GATES, IDENTITY}:
            yield f"its check {check.check_id} failed"


def _untested(report: HealthReport) -> Iterator[str]:
    stress = report.stress
    if stress is None or stress.memory is None or stress.engine is None:
        yield "its memory was not tested"
        return
    if stress.memory.errors and stress.memory.errors_again != 0:
        yield f"{stress.memory.errors} words of its memory read back wrong"
    if stress.memory.coverage_percent < LEAST_COVERAGE_PERCENT:
        yield f"only {stress.memory.coverage_percent} % of its memory was tested"
    if stress.compute is not None and stress.compute.mismatches:
        yield f"{stress.compute.mismatches} of its results were wrong"
    if stress.engine.adapter_type is AdapterType.CPU:
        yield "the load ran on no card: on software that stands in for one"
    if stress.engine.adapter_type is AdapterType.SIMULATED and not report.is_simulated:
        yield "the load ran on a simulated card"
