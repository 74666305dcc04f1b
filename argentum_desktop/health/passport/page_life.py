"""The part of a passport's page that tells of the card's life: all checks, months of work, repairs, comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from argentum_desktop.domain.passport import EntryKind, PassportEntry
from argentum_desktop.health.passport.life import Life, Written
from argentum_desktop.health.passport.page_charts import history_chart, work_chart
from argentum_desktop.health.passport.page_history import Month, device_mb_s, errors, months_of
from argentum_desktop.health.passport.page_parts import Block, Cell, Column, Facts, Paragraph, Section, Table
from argentum_desktop.health.passport.page_words import (
    GRADE_TONE,
    UNKNOWN,
    calendar_day,
    clean,
    energy,
    hours,
    moment,
    month,
    number,
    quantity,
)
from argentum_desktop.health.passport.trust import Testimony
from argentum_desktop.health.passport.verify import Verification

# The newest of each are shown; the charts and the file have them all.
MOST_CHECKS = 24
MOST_MONTHS = 72
MOST_NOTES = 100
_CHECK_COLUMNS = (
    Column("When", 33),
    Column("Kind", 10),
    Column("Grade", 14),
    Column("Confidence", 12, is_number=True),
    Column("Bandwidth", 14, is_number=True),
    Column("Errors", 10, is_number=True),
    Column("Entry", 8, is_number=True),
)
_MONTH_COLUMNS = (
    Column("Month", 13),
    Column("Days", 8, is_number=True),
    Column("Jobs", 9, is_number=True),
    Column("Job hours", 12, is_number=True),
    Column("Energy", 13, is_number=True),
    Column("Hottest hour, mean", 19, is_number=True),
    Column("Peak", 10, is_number=True),
    Column("Driver errors", 12, is_number=True),
    Column("ECC errors", 11, is_number=True),
    Column("PCIe replays", 12, is_number=True),
)
_NOTE_COLUMNS = (Column("When", 30), Column("What", 60), Column("Entry", 10, is_number=True))


def earlier_checks(life: Life, zone: tzinfo) -> Iterator[Section]:
    if not life.reports:
        return
    blocks: list[Block] = []
    if chart := history_chart([written.report for written in life.reports], zone):
        blocks.append(chart)
    newest = tuple(reversed(life.reports))[:MOST_CHECKS]
    blocks.append(Table(_CHECK_COLUMNS, tuple(_check_row(written, zone) for written in newest)))
    blocks += _left_out(len(life.reports), MOST_CHECKS, "older checks are in the chart and in the file")
    yield Section("All checks of its life", tuple(blocks))


def _check_row(written: Written, zone: tzinfo) -> tuple[Cell, ...]:
    report = written.report
    appraisal = report.appraisal
    count = errors(report)
    return (
        Cell(moment(report.ended_at, zone)),
        Cell(report.mode.value),
        Cell(appraisal.grade.value, tone=GRADE_TONE[appraisal.grade]),
        Cell(quantity(appraisal.confidence_percent, "%")),
        Cell(quantity(device_mb_s(report), "MB/s")),
        Cell(UNKNOWN if count is None else number(count)),
        Cell(number(written.number)),
    )


def work(life: Life) -> Section:
    title = "Work"
    months = months_of(life.days)
    if not months:
        return Section(title, (Paragraph("No day of work is recorded."),))
    hottest = life.hottest_hour
    pairs = [
        ("Days of work", number(len(life.days))),
        ("Jobs", f"{number(life.jobs)}, {hours(life.job_s)} together"),
        ("Energy in jobs", energy(life.energy_mj)),
    ]
    if hottest:
        pairs.append(
            ("Hottest hour", f"{calendar_day(hottest.day)}, {_hour(hottest.hottest_hour, hottest.hottest_hour_mean_c)}")
        )
    if life.xids:
        told = ", ".join(f"Xid {xid}: {number(count)}" for xid, count in life.xids[:20])
        pairs.append(("Driver errors", told))
    blocks: list[Block] = [Facts(tuple(pairs))]
    if chart := work_chart(months):
        blocks.append(chart)
    blocks.append(_month_table(tuple(reversed(months))[:MOST_MONTHS]))
    blocks += _left_out(len(months), MOST_MONTHS, "older months are in the file")
    blocks.append(Paragraph("Days, months and hours are counted in UTC.", is_muted=True))
    return Section(title, tuple(blocks))


def _month_table(months: Sequence[Month]) -> Table:
    """Without the columns of counters that this card never had."""
    rows = tuple(_month_row(one) for one in months)
    kept = [
        place
        for place, column in enumerate(_MONTH_COLUMNS)
        if place <= _LAST_SURE_COLUMN or any(row[place].text != UNKNOWN for row in rows)
    ]
    return Table(
        tuple(_MONTH_COLUMNS[place] for place in kept), tuple(tuple(row[place] for place in kept) for row in rows)
    )


_LAST_SURE_COLUMN = 4


def _month_row(one: Month) -> tuple[Cell, ...]:
    return (
        Cell(month(one.place)),
        Cell(number(one.days)),
        Cell(number(one.jobs)),
        Cell(hours(one.job_s)),
        Cell(energy(one.energy_mj)),
        Cell(_hour(one.hottest_hour, one.hottest_hour_mean_c)),
        Cell(quantity(one.hottest_c, "°C")),
        Cell(number(one.xids) if one.xids else UNKNOWN),
        Cell(quantity(one.ecc)),
        Cell(quantity(one.pcie_replays)),
    )


def _hour(hour: int | None, mean_c: int | None) -> str:
    if mean_c is None:
        return UNKNOWN
    return quantity(mean_c, "°C") if hour is None else f"{quantity(mean_c, '°C')} at {hour:02}:00"


def repairs(life: Life, zone: tzinfo) -> Section:
    title = "Repairs"
    if not life.repairs:
        return Section(title, (Paragraph("None is recorded."),))
    newest = tuple(reversed(life.repairs))[:MOST_NOTES]
    rows = tuple((Cell(moment(one.at, zone)), Cell(clean(one.words)), Cell(number(one.number))) for one in newest)
    told = Paragraph("In the owner's own words.", is_muted=True)
    left = _left_out(len(life.repairs), MOST_NOTES, "older ones are in the file")
    return Section(title, (told, Table(_NOTE_COLUMNS, rows, stacks=True), *left))


def comparisons(verified: Verification, zone: tzinfo) -> Iterator[Section]:
    """What others added."""
    told = {testimony.number: testimony for testimony in verified.testimonies}
    entries = (*verified.life.matched, *verified.life.witnessed)
    newest = sorted(entries, key=lambda entry: entry.number, reverse=True)[:MOST_NOTES]
    if newest:
        rows = tuple(
            (Cell(moment(entry.at, zone)), _other_cell(entry, told.get(entry.number), zone), Cell(number(entry.number)))
            for entry in newest
        )
        left = _left_out(len(entries), MOST_NOTES, "older ones are in the file")
        yield Section("Comparisons and witnesses", (Table(_NOTE_COLUMNS, rows, stacks=True), *left))


def _other_cell(entry: PassportEntry, testimony: Testimony | None, zone: tzinfo) -> Cell:
    if entry.kind is EntryKind.MATCHED:
        words = entry.body.get("words")
        told = clean(words) if isinstance(words, str) else ""
        return Cell("A computer checked the card itself and compared it with its passport.", told)
    if testimony is None:
        return Cell("A witness's statement that does not count.")
    seen = f"{moment(testimony.witness.received_at, zone)} it saw the report of entry {testimony.report_number}."
    unknown = "" if testimony.is_known else " Its key is not known to the computer that made this page."
    return Cell(f"Witness {clean(testimony.witness.market, 120)}: {seen}", f"Key {testimony.key_id}.{unknown}")


def _left_out(count: int, most: int, words: str) -> list[Block]:
    return [Paragraph(f"{number(count - most)} {words}.", is_muted=True)] if count > most else []
