"""Does it compute right?"""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence

EXACT = Subject(
    "compute.exact",
    "Arithmetic",
    "load",
    "every bit of the result is known beforehand; WGSL permits two ways of rounding fma",
    "errors",
    Threshold(Comparison.AT_MOST, 0),
)
NEITHER = "neither"


def compute_exact(evidence: Evidence) -> CheckResult:
    test = evidence.stress.compute if evidence.stress else None
    if test is None:
        return EXACT.without_load(evidence)
    remedy = "Take back any overclock, let it cool, and check again."
    if test.mismatches:
        words = f"{test.mismatches} results of its arithmetic were wrong."
        return EXACT.says(CheckVerdict.FAIL, words, test.mismatches, remedy)
    if test.rounding == NEITHER:
        words = "Its arithmetic rounds in a way that no card is allowed to."
        return EXACT.says(CheckVerdict.FAIL, words, test.rounding, remedy)
    if test.dispatches <= 0:
        return EXACT.not_run("No arithmetic was run on it.")
    return EXACT.passes("Every result of its arithmetic was right, to the last bit.", 0)
