"""Does the memory keep what is written into it?"""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.domain.stress import MemoryTest
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence

LEAST_COVERAGE_PERCENT = 75

ERRORS = Subject(
    "memory.errors",
    "Memory",
    "load",
    "memtest_vulkan: any error is a fault of the hardware, or of an overclock",
    "errors",
    Threshold(Comparison.AT_MOST, 0),
)
COVERAGE = Subject(
    "memory.coverage",
    "Memory tested",
    "load",
    "NVIDIA DCGM's memory test covers at least 75 %",
    "%",
    Threshold(Comparison.AT_LEAST, LEAST_COVERAGE_PERCENT),
)


_REMEDY = "Take back any overclock of its memory, let it cool, and make a full check."


def memory_errors(evidence: Evidence) -> CheckResult:
    test = evidence.stress.memory if evidence.stress else None
    if test is None:
        return ERRORS.without_load(evidence)
    if test.errors:
        # A failed test is repeated once before it is believed: what did not come back is a warning, and caps the grade.
        verdict = CheckVerdict.WARN if test.errors_again == 0 else CheckVerdict.FAIL
        return ERRORS.says(verdict, _error_words(test), test.errors, _REMEDY)
    if test.tested_bytes <= 0:
        return ERRORS.not_run("None of its memory could be tested.")
    return ERRORS.passes("Everything that was written into its memory came back as it was.", 0)


def memory_coverage(evidence: Evidence) -> CheckResult:
    test = evidence.stress.memory if evidence.stress else None
    if test is None:
        return COVERAGE.without_load(evidence)
    percent = test.coverage_percent
    if percent >= LEAST_COVERAGE_PERCENT:
        return COVERAGE.passes(f"{percent} % of its memory was tested.", percent)
    words = f"Only {percent} % of its memory could be tested."
    if test.spilled_bytes:
        words += " The driver put part of the test into the computer's memory."
    return COVERAGE.says(CheckVerdict.WARN, words, percent, "Close what uses the card, then check again.")


def _error_words(test: MemoryTest) -> str:
    words = f"{_counted(test.errors, 'value')} came back from its memory other than written"
    if test.first_bad_address is not None:
        words += f", the first at {test.first_bad_address:#x}"
    if test.bad_bits:
        words += f", {_counted(test.bad_bits.bit_count(), 'bit')} of 32 touched"
    if test.errors_again is None:
        return f"{words}."
    return f"{words}. A second test found {test.errors_again or 'none'}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
