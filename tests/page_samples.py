"""Passports to be shown: of a card with years behind it, of one that is simulated, of one whose file is hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from health_samples import a_check, a_gpu, a_report, a_stress_result

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import (
    Appraisal,
    CardIdentity,
    CheckResult,
    CheckVerdict,
    Comparison,
    Grade,
    HealthReport,
    Threshold,
)
from argentum_desktop.domain.passport import DayOfWork, EntryKind, Passport, PassportEntry
from argentum_desktop.domain.stress import CopyRates
from argentum_desktop.health.passport.chain import first_entry, next_entry
from argentum_desktop.health.passport.codec import day_body, repair_body, report_body
from argentum_desktop.health.passport.verify import Verification, verify_passport
from argentum_desktop.identity.keys import Identity

OPENED_AT = datetime(2026, 1, 3, 9, 30, tzinfo=UTC)
HOSTILE = "</title><script>alert(1)</script>\"'<img src=x onerror=alert(2)>\u202e\x00&amp;"

EVERY_VERDICT: tuple[CheckResult, ...] = (
    a_check(),
    a_check(
        check_id="memory.coverage",
        title="Memory tested",
        words="91 % of its memory was tested.",
        value=91,
        unit="%",
        threshold=Threshold(Comparison.AT_LEAST, 75),
        basis="NVIDIA DCGM's memory test covers at least 75 %",
    ),
    a_check(
        check_id="speed.bandwidth",
        title="Memory bandwidth",
        verdict=CheckVerdict.WARN,
        words="It copies within its memory at 79 % of what healthy ones of its model reach.",
        value=679_000,
        unit="MB/s",
        threshold=Threshold(Comparison.AT_LEAST, 731_000),
        basis="85 % of this application's own measurements of the model",
        remedy="Let it cool, take back any underclock of its memory, and check again.",
    ),
    a_check(
        check_id="heat.limit",
        title="Temperature",
        words="It stayed well below its own limit.",
        value=71,
        unit="°C",
        threshold=Threshold(Comparison.BELOW, 95),
        basis="the card's own slowdown temperature",
    ),
    a_check(
        check_id="power.limit",
        title="Power limit",
        verdict=CheckVerdict.INFO,
        words="It is limited to less than it came with.",
        value=280_000,
        unit="mW",
        threshold=None,
        basis="the limit that the card came with",
    ),
    a_check(
        check_id="ecc.uncorrected",
        title="Uncorrectable errors",
        verdict=CheckVerdict.NOT_APPLICABLE,
        words="The card does not report this.",
        value=None,
        unit="",
        threshold=Threshold(Comparison.AT_MOST, 0),
        basis="NVIDIA's Xid 48, 94 and 95",
    ),
    a_check(
        check_id="xid.history",
        title="Errors in the last 30 days",
        verdict=CheckVerdict.NOT_RUN,
        words="This account may not read the kernel's log.",
        value=None,
        unit="",
        threshold=None,
    ),
    a_check(
        check_id="bus.width",
        title="PCIe lanes",
        verdict=CheckVerdict.ERROR,
        words="The bus answered with nonsense.",
        value=None,
        unit="",
        threshold=Threshold(Comparison.EQUAL, 16),
    ),
    a_check(
        check_id="compute.exact",
        title="Arithmetic",
        verdict=CheckVerdict.FAIL,
        words="3 results of its arithmetic were wrong.",
        value=3,
        basis="every bit of the result is known beforehand; WGSL permits two ways of rounding fma",
        remedy="Take back any overclock, let it cool, and check again.",
    ),
)


class Writing:
    """Writes a passport, entry after entry."""

    def __init__(self, card: CardIdentity | None = None) -> None:
        self.identity = Identity.generate()
        self.card = card or CardIdentity.of(a_gpu())
        self.entries: list[PassportEntry] = [first_entry(self.card, OPENED_AT, self.identity)]

    def add(self, kind: EntryKind, body: dict[str, Any], at: datetime) -> None:
        self.entries.append(next_entry(self.entries[-1], kind, body, at, self.identity))

    def check(self, report: HealthReport) -> None:
        self.add(EntryKind.CHECK, report_body(report), report.ended_at)

    @property
    def passport(self) -> Passport:
        return Passport(self.card.gpu_id, tuple(self.entries))

    @property
    def verified(self) -> Verification:
        return verify_passport(self.passport)


def a_day(on: date, **changes: Any) -> DayOfWork:
    number = on.toordinal()
    made = DayOfWork(
        day=on.isoformat(),
        jobs=1 + number % 4,
        job_s=3600 * (2 + number % 9) + number % 3600,
        energy_mj=1_150_000_000 * (2 + number % 9),
        hottest_hour=14 + number % 6,
        hottest_hour_mean_c=62 + number % 7 + (6 if 5 < on.month < 9 else 0),
        hottest_c=70 + number % 8 + (6 if 5 < on.month < 9 else 0),
        xids=((13, 1),) if number % 97 == 0 else (),
        pcie_replays=number % 5,
    )
    return replace(made, **changes)


def a_report_at(at: datetime, number: int, **changes: Any) -> HealthReport:
    """A report that differs a little from the one before."""
    stress = a_stress_result(copy=CopyRates(858_000 - 700 * number, 24_100, 25_300))
    grade = Grade.A if number < 6 else Grade.B
    appraisal = Appraisal(grade, 55, "Nothing wrong was found.", 91 if number < 6 else 78)
    made = a_report(
        report_id=f"{number:016x}",
        checks=EVERY_VERDICT[:7],
        started_at=at,
        ended_at=at + timedelta(seconds=60),
        appraisal=appraisal,
        stress=stress,
    )
    return replace(made, **changes)


def a_long_life(days: int, check_every: int = 30) -> Verification:
    """A card that worked most days, was checked now and then and repaired once a year."""
    writing = Writing()
    for number in range(days):
        at = OPENED_AT + timedelta(days=number)
        if number % check_every == 0:
            writing.check(a_report_at(at, number // check_every))
        if number % 365 == 200:
            writing.add(EntryKind.REPAIR, repair_body("New paste between chip and cooler; both fans cleaned."), at)
        if number % 6:
            writing.add(EntryKind.DAY, day_body(a_day(at.date())), at + timedelta(hours=14))
    return writing.verified


def a_failed_life() -> Verification:
    """A card that was sound and then was not."""
    writing = Writing()
    writing.check(a_report_at(OPENED_AT, 1))
    at = OPENED_AT + timedelta(days=40)
    reason = "3 results of its arithmetic were wrong, so its results cannot be relied on."
    failed = Appraisal(Grade.F, 53, reason)
    writing.check(a_report_at(at, 2, checks=EVERY_VERDICT, appraisal=failed))
    return writing.verified


def a_simulated_life() -> Verification:
    gpu = a_gpu(gpu_id="SIM-0", name="Simulated RTX 3090", vendor=Vendor.SIMULATED)
    card = CardIdentity.of(gpu)
    writing = Writing(card)
    writing.check(a_report_at(OPENED_AT, 1, card=card))
    return writing.verified


def a_hostile_life() -> Verification:
    """Every text of the file tries to be more than text."""
    card = replace(CardIdentity.of(a_gpu()), name=HOSTILE, serial=HOSTILE, vbios_version=HOSTILE, vendor=HOSTILE)
    writing = Writing(card)
    check = a_check(title=HOSTILE, words=HOSTILE, value=HOSTILE, unit=HOSTILE, basis=HOSTILE, remedy=HOSTILE,
                    verdict=CheckVerdict.FAIL)  # fmt: skip
    appraisal = Appraisal(Grade.F, 10**15, HOSTILE, caps=(HOSTILE,))
    report = a_report(card=card, checks=(check,), appraisal=appraisal, operating_system=HOSTILE, reference_row=HOSTILE)
    samples = replace(report.samples, phase=(HOSTILE,) * len(report.samples.phase),
                      reasons=(HOSTILE,) * len(report.samples.reasons))  # fmt: skip
    writing.check(replace(report, samples=samples))
    writing.add(EntryKind.REPAIR, {"words": HOSTILE}, OPENED_AT)
    writing.add(EntryKind.DAY, day_body(a_day(date(2026, 2, 1), day=HOSTILE)), OPENED_AT)
    writing.add(EntryKind.DAY, day_body(a_day(date(1, 1, 1), job_s=-5, hottest_c=-(2**50))), OPENED_AT)
    writing.add(EntryKind.MATCHED, {"words": HOSTILE, "verdict": HOSTILE}, OPENED_AT)
    writing.add(EntryKind.WITNESSED, {"words": HOSTILE}, OPENED_AT)
    return writing.verified
