"""Grades, checks and stages as the owner reads them."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QCoreApplication

from argentum_desktop.agent.status import CheckupView
from argentum_desktop.domain.health import (
    CheckMode,
    CheckResult,
    CheckVerdict,
    Comparison,
    Grade,
    HealthReport,
    HealthSummary,
    Stage,
    Threshold,
)
from argentum_desktop.ui import words
from argentum_desktop.ui.words import MINUS, NBSP, UNKNOWN

translate = QCoreApplication.translate

_COMPARISONS = {
    Comparison.AT_MOST: "≤",
    Comparison.AT_LEAST: "≥",
    Comparison.BELOW: "<",
    Comparison.EQUAL: "=",
}
# Units that are words, in the plural.
_COUNTED = {"errors", "pages", "rows", "lanes", "times"}
# What was looked at and answered; the rest of what applies to a card was not.
ANSWERED = {CheckVerdict.PASS, CheckVerdict.INFO, CheckVerdict.WARN, CheckVerdict.FAIL}
NOT_TESTED = {CheckVerdict.NOT_RUN, CheckVerdict.ERROR}


def grade_letter(grade: Grade) -> str:
    """For a badge; a dash where there is no grade."""
    return "–" if grade is Grade.UNGRADED else grade.value


def grade(value: Grade) -> str:
    if value is Grade.UNGRADED:
        return translate("Health", "Not graded")
    return translate("Health", "Grade {letter}").format(letter=value.value)


def mode(value: CheckMode) -> str:
    return {
        CheckMode.QUICK: translate("Health", "quick check"),
        CheckMode.FULL: translate("Health", "full check"),
        CheckMode.PASSIVE: translate("Health", "counters only"),
    }[value]


def mode_title(value: CheckMode) -> str:
    """At the beginning of a line."""
    return {
        CheckMode.QUICK: translate("Health", "Quick check"),
        CheckMode.FULL: translate("Health", "Full check"),
        CheckMode.PASSIVE: translate("Health", "Counters only"),
    }[value]


def stage(value: Stage) -> str:
    return {
        Stage.COUNTERS: translate("Health", "Counters"),
        Stage.BASELINE: translate("Health", "At rest"),
        Stage.HOST_COPY: translate("Health", "Copying"),
        Stage.MEMORY: translate("Health", "Memory"),
        Stage.BANDWIDTH: translate("Health", "Bandwidth"),
        Stage.COMPUTE: translate("Health", "Arithmetic"),
        Stage.COOL_DOWN: translate("Health", "Cooling"),
        Stage.JUDGING: translate("Health", "Judging"),
    }[value]


def verdict(value: CheckVerdict) -> str:
    return {
        CheckVerdict.PASS: translate("Health", "passed"),
        CheckVerdict.INFO: translate("Health", "for information"),
        CheckVerdict.WARN: translate("Health", "warning"),
        CheckVerdict.FAIL: translate("Health", "failed"),
        CheckVerdict.NOT_APPLICABLE: translate("Health", "not for this card"),
        CheckVerdict.NOT_RUN: translate("Health", "not tested"),
        CheckVerdict.ERROR: translate("Health", "could not be read"),
    }[value]


def when(at: datetime, now: datetime) -> str:
    """`today 14:02`, `yesterday 14:02`, `Mon 23 Nov 14:02`."""
    said = words.moment(at, now)
    is_today = at.astimezone().date() == now.astimezone().date()
    return translate("Health", "today {time}").format(time=said) if is_today else said


def how_sure(summary: HealthSummary, now: datetime) -> str:
    """`confidence 74 % · quick check, today 14:02`; a card that is none always says so."""
    text = translate("Health", "confidence {percent} · {mode}, {when}").format(
        percent=words.percent(summary.confidence_percent),
        mode=mode(summary.mode),
        when=when(summary.checked_at, now),
    )
    return translate("Health", "{text} · simulated").format(text=text) if summary.is_simulated else text


def left(view: CheckupView) -> str:
    """`Health check, 40 s left`."""
    if view.stage is Stage.JUDGING or view.remaining_s <= 0:
        return translate("Health", "Health check, almost done")
    return translate("Health", "Health check, {span} left").format(span=words.duration(view.remaining_s))


def amount(value: int | str | None, unit: str) -> str:
    """A value with its unit; a count needs none."""
    if value is None:
        return UNKNOWN
    text = value if isinstance(value, str) else words.number(value).replace("-", MINUS)
    shown = _unit(value, unit)
    return f"{text}{NBSP}{shown}" if shown else text


def _unit(value: int | str, unit: str) -> str:
    if value == 1 and unit in _COUNTED:
        return unit.removesuffix("s")
    return "" if unit == "count" else unit


def threshold(value: Threshold | None, unit: str) -> str:
    """`≥ 640 GB/s`; empty where a check has none."""
    if value is None:
        return ""
    return f"{_COMPARISONS[value.comparison]}{NBSP}{amount(value.value, unit)}"


def difference(then: CheckResult | None, now: CheckResult | None) -> str:
    """How a check's value moved: `+12 MB/s`, `same`, or that it changed."""
    if then is None or now is None or then.value is None or now.value is None:
        return ""
    if then.value == now.value:
        return translate("Health", "same")
    if isinstance(then.value, str) or isinstance(now.value, str) or then.unit != now.unit:
        return translate("Health", "changed")
    step = now.value - then.value
    return f"{'+' if step > 0 else MINUS}{amount(abs(step), now.unit)}"


def coverage(report: HealthReport) -> str:
    """Why the confidence is what it is."""
    answered = sum(check.verdict in ANSWERED for check in report.checks)
    applicable = sum(check.verdict is not CheckVerdict.NOT_APPLICABLE for check in report.checks)
    text = translate("Health", "{n} of the {whole} checks that apply to this card gave an answer.").format(
        n=answered, whole=applicable
    )
    more = {
        CheckMode.QUICK: translate("Health", "A minute of load counts for less than ten: a full check is surer."),
        CheckMode.FULL: "",
        CheckMode.PASSIVE: translate("Health", "Without a load neither memory nor arithmetic was tried."),
    }[report.mode]
    return f"{text} {more}".strip()


def blind_spots(value: CheckMode) -> str:
    """What such a check cannot see, said every time."""
    return {
        CheckMode.QUICK: translate(
            "Health",
            "An honest check of a minute sees bad memory, wrong arithmetic and throttling; "
            "it cannot see faults that come with hours of heat, or only now and then.",
        ),
        CheckMode.FULL: translate(
            "Health",
            "An honest check of ten minutes sees bad memory, wrong arithmetic and weak cooling; "
            "it cannot see faults that come after hours, or only now and then.",
        ),
        CheckMode.PASSIVE: translate(
            "Health", "Counters tell of faults that the card noticed itself; a card that hides them looks well here."
        ),
    }[value]


def not_tested(report: HealthReport) -> str:
    """What applies to this card and gave no answer; empty when all of it did."""
    titles = [check.title for check in report.checks if check.verdict in NOT_TESTED]
    return translate("Health", "Not tested: {titles}.").format(titles=", ".join(titles)) if titles else ""
