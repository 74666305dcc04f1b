"""One letter for a card, and how sure it is. Pure.

What fails the card (memory, arithmetic, its own counters, a lost card, a dead fan) is F. A card that is not what it
says is X. Without a finished test of the memory, or without the driver's word, there is no grade. Else a score of
speed (40), heat (30), history (20) and link (10) decides, and what failed or was mended caps it. What is not known
counts in full: it lowers the confidence, never the grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from argentum_desktop.domain.health import Appraisal, CheckMode, CheckResult, CheckVerdict, Grade
from argentum_desktop.domain.stress import StressEnd
from argentum_desktop.health.checks import WEIGHTS
from argentum_desktop.health.checks.memory import LEAST_COVERAGE_PERCENT
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import (
    all_readings,
    has_telemetry,
    is_software,
    losses,
    most,
    own_limit_c,
    was_on_this_card,
)
from argentum_desktop.health.score import lost_by, score_of

# By their own counters; the others speak of what the load did, and only count when it was on this card.
COUNTED_GATES = frozenset(
    {"answers.always", "ecc.uncorrected", "ecc.remap_failed", "ecc.pages_retired", "ecc.sram", "fan.turns"}
)
LOAD_GATES = frozenset({"memory.errors", "compute.exact"})
IDENTITY = "identity.card"

LEAST_SCORE = ((85, Grade.A), (70, Grade.B), (55, Grade.C))
_BEST_FIRST = (Grade.A, Grade.B, Grade.C, Grade.D)
_MODE_PERCENT = {CheckMode.QUICK: 60, CheckMode.FULL: 100, CheckMode.PASSIVE: 60}
_RAN = {CheckVerdict.PASS, CheckVerdict.INFO, CheckVerdict.WARN, CheckVerdict.FAIL}
_PRAISE = {
    Grade.B: "It is good, and not at its best",
    Grade.C: "It works, and is far from its best",
    Grade.D: "It works, and is weak",
}
_COSTS = {
    "speed": "its speed",
    "heat": "its heat",
    "history": "its history",
    "link": "its link to the computer",
}
# The warnings that cap a grade, the gravest first.
_CAPPING = ("memory.errors", "ecc.rows_remapped", "ecc.pages_retired", "ecc.repair_pending")
_UNKNOWN = "The test of its memory has no result that could be judged."
_NO_LIMIT = "It became too warm to finish the check, and it names no limit of its own to judge that by."
_ENDED = {
    StressEnd.CANCELLED: "The check was stopped before it was finished.",
    StressEnd.TOO_HOT: "The card became too hot before its memory was tested.",
    StressEnd.CRASHED: "The test itself failed, which says nothing about the card; check again.",
    StressEnd.NO_ROOM: "Other programs held its memory; close them and check again.",
    StressEnd.NO_ENGINE: "Nothing on this computer can compute on this card: a graphics driver with Vulkan is missing.",
    StressEnd.UNWATCHED: "The driver stopped reporting, and a card is not tested unwatched.",
    StressEnd.WRONG_CARD: "It could not be shown that the right card was tested.",
}


def appraise(evidence: Evidence, results: Sequence[CheckResult]) -> Appraisal:
    """What the checks together say of the card."""
    confidence = confidence_percent(evidence.mode, results)
    by_id = {result.check_id: result for result in results}
    if failed := _gate(evidence, results):
        return Appraisal(Grade.F, confidence, failed.words)
    doubted = by_id.get(IDENTITY)
    if doubted is not None and doubted.verdict is CheckVerdict.FAIL:
        return Appraisal(Grade.X, confidence, doubted.words)
    tested = by_id.get("memory.errors")
    is_unknown = tested is None or tested.verdict in {CheckVerdict.NOT_RUN, CheckVerdict.ERROR}
    if reason := ungraded_because(evidence) or (_UNKNOWN if is_unknown else ""):
        return Appraisal(Grade.UNGRADED, confidence, reason)
    score = score_of(evidence)
    best, caps = _cap(evidence, by_id)
    by_score = next((grade for least, grade in LEAST_SCORE if score >= least), Grade.D)
    if _BEST_FIRST.index(best) > _BEST_FIRST.index(by_score):
        return Appraisal(best, confidence, _capped_because(results), score, caps)
    return Appraisal(by_score, confidence, _reason(by_score, evidence, results), score)


def confidence_percent(mode: CheckMode, results: Sequence[CheckResult], weights: Mapping[str, int] = WEIGHTS) -> int:
    """The weight of the checks that ran, of all that apply to such a card; less for a short check."""
    applicable = [result for result in results if result.verdict is not CheckVerdict.NOT_APPLICABLE]
    total = sum(weights.get(result.check_id, 1) for result in applicable)
    ran = sum(weights.get(result.check_id, 1) for result in applicable if result.verdict in _RAN)
    return ran * _MODE_PERCENT[mode] // total if total else 0


def ungraded_because(evidence: Evidence) -> str:
    """Why a card that did not fail gets no grade; empty when it gets one."""
    if evidence.mode is CheckMode.PASSIVE:
        return "A check without a load cannot grade a card; it found nothing that fails it."
    stress = evidence.stress
    if stress is None:
        return "The load did not begin, so there is nothing to grade."
    if is_software(evidence):
        return "A program computed in the place of the card; such a test grades nothing."
    if not was_on_this_card(evidence):
        return _ENDED[StressEnd.WRONG_CARD]
    if not has_telemetry(evidence):
        return "The driver reported nothing about the card under load, so there is nothing to grade."
    covered = stress.memory.coverage_percent if stress.memory else 0
    if stress.end is StressEnd.TOO_HOT and covered >= LEAST_COVERAGE_PERCENT:
        return "" if own_limit_c(evidence.gpu) is not None else _NO_LIMIT
    if stress.end is not StressEnd.COMPLETED:
        return _ENDED.get(stress.end, "The load did not end as it should.")
    if stress.memory is None:
        return "Its memory was not tested."
    if covered < LEAST_COVERAGE_PERCENT:
        return f"Only {covered} % of its memory could be tested; a grade needs {LEAST_COVERAGE_PERCENT} %."
    return ""


def _gate(evidence: Evidence, results: Sequence[CheckResult]) -> CheckResult | None:
    """The first check that fails the card."""
    gates = COUNTED_GATES | LOAD_GATES
    if not was_on_this_card(evidence):
        gates = COUNTED_GATES if losses(evidence) else COUNTED_GATES - {"answers.always"}
    failed = (result for result in results if result.check_id in gates and result.verdict is CheckVerdict.FAIL)
    return next(failed, None)


def _cap(evidence: Evidence, by_id: Mapping[str, CheckResult]) -> tuple[Grade, tuple[str, ...]]:
    """The best grade that is left, and why."""

    def is_at_least_warn(check_id: str) -> bool:
        result = by_id.get(check_id)
        return result is not None and result.verdict in {CheckVerdict.WARN, CheckVerdict.FAIL}

    at_most_d = [f"{result.title}: at most D" for result in by_id.values() if result.verdict is CheckVerdict.FAIL]
    if is_at_least_warn("memory.errors"):
        at_most_d.append("memory errors that did not come back: at most D")
    at_most_c = []
    if is_at_least_warn("ecc.repair_pending"):
        at_most_c.append("a repair of its memory waits for a restart: at most C")
    if is_at_least_warn("ecc.rows_remapped"):
        at_most_c.append("rows of its memory were replaced after losing data: at most C")
    if most(all_readings(evidence), "retired_pages_dbe"):
        at_most_c.append("pages of its memory were retired after losing data: at most C")
    best = Grade.D if at_most_d else Grade.C if at_most_c else Grade.A
    return best, (*at_most_d, *at_most_c)


def _capped_because(results: Sequence[CheckResult]) -> str:
    failed = [result for result in results if result.verdict is CheckVerdict.FAIL]
    warned = [result for result in results if result.verdict is CheckVerdict.WARN and result.check_id in _CAPPING]
    return (failed or sorted(warned, key=lambda result: _CAPPING.index(result.check_id)))[0].words


def _reason(grade: Grade, evidence: Evidence, results: Sequence[CheckResult]) -> str:
    """One sentence: the worst that was found, else what the grade means."""
    failed = [result for result in results if result.verdict is CheckVerdict.FAIL]
    has_warning = any(result.verdict is CheckVerdict.WARN for result in results)
    if failed:
        return failed[0].words
    if grade is Grade.A:
        return "Nothing serious was found." if has_warning else "Nothing wrong was found."
    lost = lost_by(evidence)
    return f"{_PRAISE[grade]}; {_COSTS[max(lost, key=lambda part: lost[part])]} costs it most."
