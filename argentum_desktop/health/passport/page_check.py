"""The part of a passport's page that tells of one check."""

from __future__ import annotations

from datetime import tzinfo

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, HealthReport
from argentum_desktop.domain.stress import StressResult
from argentum_desktop.health.passport.page_check_chart import check_chart
from argentum_desktop.health.passport.page_parts import Block, Cell, Column, Facts, Finding, Paragraph, Section, Table
from argentum_desktop.health.passport.page_words import (
    MODE_WORDS,
    VERDICT_TONE,
    VERDICT_WORDS,
    clean,
    duration,
    memory,
    moment,
    number,
    quantity,
    threshold,
)

MOST_FINDINGS = 3
# A hostile file must not make a book of itself.
MOST_CHECKS = 200
TEMPERATURE_CHECK = "heat.limit"
_CHECK_COLUMNS = (
    Column("Check", 32),
    Column("Found", 12, is_number=True),
    Column("Must be", 17, is_number=True),
    Column("Verdict", 17),
    Column("Why this limit", 22),
)
_NOT_LOOKED_AT = {CheckVerdict.NOT_RUN, CheckVerdict.NOT_APPLICABLE}
_WITH_REMEDY = {CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.ERROR}
_LIMITS = {Comparison.AT_MOST, Comparison.BELOW}


def findings(report: HealthReport) -> Section:
    """The three that matter most."""
    chosen = [check for check in report.findings if check.verdict not in _NOT_LOOKED_AT][:MOST_FINDINGS]
    if not chosen:
        return Section("What matters most", (Paragraph("Nothing could be looked at in this check."),))
    return Section("What matters most", tuple(_finding(check) for check in chosen))


def _finding(check: CheckResult) -> Finding:
    return Finding(
        VERDICT_TONE[check.verdict],
        VERDICT_WORDS[check.verdict],
        clean(check.title),
        clean(check.words),
        clean(check.remedy),
    )


def all_checks(report: HealthReport) -> Section:
    """Every check with what it found."""
    rows = tuple(_row(check) for check in report.checks[:MOST_CHECKS])
    blocks: list[Block] = [Table(_CHECK_COLUMNS, rows, stacks=True)]
    if len(report.checks) > MOST_CHECKS:
        blocks.append(Paragraph(f"{len(report.checks) - MOST_CHECKS} more stand in the file.", is_muted=True))
    return Section("Every check", tuple(blocks))


def _row(check: CheckResult) -> tuple[Cell, ...]:
    remedy = check.remedy if check.verdict in _WITH_REMEDY else ""
    return (
        Cell(clean(check.title), clean(f"{check.words} {remedy}")),
        Cell(quantity(check.value, check.unit)),
        Cell(threshold(check.threshold, check.unit)),
        Cell(VERDICT_WORDS[check.verdict], tone=VERDICT_TONE[check.verdict]),
        Cell(clean(check.basis, 200)),
    )


def second_by_second(report: HealthReport, zone: tzinfo) -> Section:
    """What the card did meanwhile, and with what it was loaded."""
    chart = check_chart(report.samples, temperature_limit_c(report))
    no_chart = Paragraph("The card reported neither temperature nor power nor clock.", is_muted=True)
    seconds = int((report.ended_at - report.started_at).total_seconds()) if _is_dated(report) else 0
    pairs = [
        ("Kind", MODE_WORDS[report.mode]),
        ("Began", moment(report.started_at, zone)),
        ("Took", duration(seconds)),
        *(_stress_pairs(report.stress) if report.stress else ()),
        ("Compared with", clean(report.reference_row, 120) or "no model of the reference table"),
        ("Made by", clean(f"Argentum Desktop {report.app_version}, {report.operating_system}".rstrip(", "), 160)),
    ]
    if report.challenge:
        asked = moment(report.challenge.issued_at, zone)
        pairs.append(("Answers", f"a question that {clean(report.challenge.issuer, 120)} asked on {asked}"))
    return Section("This check, second by second", (chart or no_chart, Facts(tuple(pairs))))


def temperature_limit_c(report: HealthReport) -> int | None:
    """Below which the check of its temperature wanted it to stay."""
    return next(
        (
            check.threshold.value
            for check in report.checks
            if check.check_id == TEMPERATURE_CHECK and check.threshold and check.threshold.comparison in _LIMITS
        ),
        None,
    )


def _is_dated(report: HealthReport) -> bool:
    return (report.started_at.tzinfo is None) == (report.ended_at.tzinfo is None)


def _stress_pairs(stress: StressResult) -> list[tuple[str, str]]:
    pairs = [("Load", clean(stress.words) or "ran to its end")]
    engine, tested, copy = stress.engine, stress.memory, stress.copy
    if engine:
        told = f"{engine.version}, {engine.backend}, on {engine.adapter_name} ({engine.adapter_type.value})"
        pairs.append(("Computed with", clean(told, 200)))
    if tested:
        share = f"{tested.coverage_percent} % of {memory(tested.total_bytes)}"
        spilled = f"; {memory(tested.spilled_bytes)} were not the card's own" if tested.spilled_bytes else ""
        pairs.append(("Memory tested", f"{share}, {number(tested.passes)} patterns, {_errors(tested.errors)}{spilled}"))
    if stress.compute:
        runs = f"{number(stress.compute.dispatches)} runs, {_errors(stress.compute.mismatches)}"
        pairs.append(("Arithmetic", runs))
    if copy:
        rates = [
            f"{words} {quantity(rate, 'MB/s')}"
            for words, rate in (
                ("within the card", copy.device_mb_s),
                ("to the card", copy.host_to_card_mb_s),
                ("from the card", copy.card_to_host_mb_s),
            )
            if rate is not None
        ]
        pairs += [("Copied", "; ".join(rates))] if rates else []
    return pairs


def _errors(count: int) -> str:
    return "no error" if count == 0 else f"{number(count)} errors" if count > 1 else "1 error"
