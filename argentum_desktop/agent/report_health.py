"""A health report as text for a terminal and as JSON. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

import msgspec

from argentum_desktop.agent.report_cards import WIDTH, printable
from argentum_desktop.agent.status import CheckupEnded
from argentum_desktop.domain.health import CheckMode, CheckResult, CheckVerdict, Comparison, Grade, HealthReport

# Told by shape alone, where a terminal has no colours or its reader sees none.
SHAPES = {
    CheckVerdict.FAIL: "✕",
    CheckVerdict.WARN: "!",
    CheckVerdict.ERROR: "?",
    CheckVerdict.INFO: "i",
    CheckVerdict.PASS: "✓",
    CheckVerdict.NOT_RUN: "-",
    CheckVerdict.NOT_APPLICABLE: "-",
}
_LOOKED_AT = frozenset(SHAPES) - {CheckVerdict.NOT_RUN, CheckVerdict.NOT_APPLICABLE}
_MODE_WORDS = {
    CheckMode.QUICK: "quick check",
    CheckMode.FULL: "full check",
    CheckMode.PASSIVE: "counters only",
}
_HONEST_WORDS = {
    CheckMode.QUICK: (
        "A minute shows faults of cold memory, of arithmetic and of cooling. It cannot show a fault that comes with"
        " half an hour of heat, or now and then: the full check looks longer."
    ),
    CheckMode.FULL: (
        "Ten minutes show most faults. A fault that comes after hours of heat, or now and then, can still be missed."
    ),
    CheckMode.PASSIVE: "Only the card's own counters were read: nothing was written into its memory, nothing computed.",
}
_COMPARISON_WORDS = {
    Comparison.AT_MOST: "at most",
    Comparison.AT_LEAST: "at least",
    Comparison.BELOW: "below",
    Comparison.EQUAL: "exactly",
}
_MOST_IMPORTANT = 3


def report_text(report: HealthReport, zone: tzinfo, width: int = WIDTH) -> str:
    """The grade first, then the three most important findings, then everything in the order of its weight."""
    return printable(_lines(report, zone, max(40, width)))


def checks_json(ended: Iterable[CheckupEnded]) -> Any:
    """Each card with its report, or why there is none."""
    return msgspec.to_builtins({"checks": list(ended)})


def grade_words(report: HealthReport) -> str:
    """`B, confidence 74 %`; a simulated card's grade is never shown without saying so."""
    grade = report.appraisal.grade
    shown = "Not graded" if grade is Grade.UNGRADED else f"Grade {grade.value}"
    simulated = " (simulated)" if report.is_simulated else ""
    return f"{shown}{simulated}, confidence {report.appraisal.confidence_percent} %"


def value_words(check: CheckResult) -> str:
    """The value with its unit, and what it is held against."""
    if check.value is None:
        return ""
    shown = (
        f"{check.value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if isinstance(check.value, int) else check.value
    )
    unit = f" {check.unit}" if check.unit else ""
    if check.threshold is None:
        return f"{shown}{unit}"
    return f"{shown}{unit} ({_COMPARISON_WORDS[check.threshold.comparison]} {check.threshold.value})"


def _lines(report: HealthReport, zone: tzinfo, width: int) -> Iterator[str]:
    card = f"{report.card.name} (simulated)" if report.is_simulated else report.card.name
    yield f"{card}  [{report.card.gpu_id}]"
    at = report.ended_at.astimezone(zone)
    yield f"{grade_words(report)}, {_MODE_WORDS[report.mode]} of {at:%Y-%m-%d %H:%M}"
    yield from textwrap.wrap(report.appraisal.reason, width)
    yield from _caps(report, width)
    if report.stress is not None and report.stress.words:
        yield from textwrap.wrap(report.stress.words, width)
    important = [check for check in report.findings if check.verdict in _LOOKED_AT][:_MOST_IMPORTANT]
    yield ""
    for check in important:
        yield from _told(check, width)
    rest = [check for check in report.findings if check not in important and check.verdict in _LOOKED_AT]
    if rest:
        yield ""
    titles = max((len(check.title) for check in rest), default=0)
    for check in rest:
        yield f"  {SHAPES[check.verdict]} {check.title:<{titles}}  {value_words(check) or check.words}".rstrip()
    yield from _left_out(report, width)
    yield ""
    yield from textwrap.wrap(_HONEST_WORDS[report.mode], width)


def _told(check: CheckResult, width: int) -> Iterator[str]:
    value = value_words(check)
    yield f"  {SHAPES[check.verdict]} {check.title}{f': {value}' if value else ''}"
    for words in (check.words, check.remedy):
        yield from textwrap.wrap(words, width, initial_indent="      ", subsequent_indent="      ")


def _caps(report: HealthReport, width: int) -> Iterator[str]:
    for cap in report.appraisal.caps:
        yield from textwrap.wrap(cap, width)


def _left_out(report: HealthReport, width: int) -> Iterator[str]:
    """What could not be looked at, by name: it lowers the confidence, and nothing else."""
    for verdict, words in (
        (CheckVerdict.NOT_RUN, "Not looked at"),
        (CheckVerdict.NOT_APPLICABLE, "Does not apply to this card"),
    ):
        titles = _joined(check.title for check in report.checks if check.verdict is verdict)
        if titles:
            yield ""
            yield from textwrap.wrap(f"{words}: {titles}.", width)


def _joined(titles: Iterable[str]) -> str:
    return ", ".join(title if title.startswith("PCIe") else title[:1].lower() + title[1:] for title in titles)
