"""Honest examples of passports: written with real keys, entry after entry. Tests change one thing about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from health_samples import a_check, a_gpu, a_report, some_readings

from argentum_desktop.domain.health import CardIdentity, HealthReport
from argentum_desktop.domain.passport import DayOfWork, EntryKind, Passport, PassportEntry
from argentum_desktop.health.passport.chain import first_entry, next_entry
from argentum_desktop.health.passport.codec import day_body, repair_body, report_body
from argentum_desktop.health.samples import samples_of
from argentum_desktop.identity.keys import Identity

OPENED_AT = datetime(2026, 1, 4, 9, 30, 0, 123456, tzinfo=UTC)
SELLER = Identity.generate()
BUYER = Identity.generate()
MARKET = Identity.generate()

Step = tuple[EntryKind, dict[str, Any]]


def a_sound_report(**changes: Any) -> HealthReport:
    """Every check of it bears out what it says."""
    warm = a_check(check_id="heat.limit", title="Temperature", value=71, unit="°C", threshold=None, source="driver")
    return a_report(**{"checks": (a_check(), warm)} | changes)


def a_day(name: str = "2026-02-01", **changes: Any) -> DayOfWork:
    made = DayOfWork(
        name, jobs=3, job_s=36_000, energy_mj=10_800_000_000, hottest_hour=14, hottest_hour_mean_c=74, hottest_c=79
    )
    return replace(made, **changes)


def a_passport(
    *steps: Step, card: CardIdentity | None = None, identity: Identity = SELLER, opened_at: datetime = OPENED_AT
) -> Passport:
    """Opened, then one entry a step, an hour apart."""
    described = card or CardIdentity.of(a_gpu())
    return extended(
        Passport(described.gpu_id, (first_entry(described, opened_at, identity),)), *steps, identity=identity
    )


def extended(passport: Passport, *steps: Step, identity: Identity = SELLER) -> Passport:
    entries = list(passport.entries)
    for kind, body in steps:
        entries.append(next_entry(entries[-1], kind, body, entries[-1].at + timedelta(hours=1), identity))
    return replace(passport, entries=tuple(entries))


def checked(report: HealthReport | None = None) -> Step:
    return EntryKind.CHECK, report_body(report or a_sound_report())


def worked(day: DayOfWork | None = None) -> Step:
    return EntryKind.DAY, day_body(day or a_day())


def repaired(words: str = "New paste and pads.") -> Step:
    return EntryKind.REPAIR, repair_body(words)


def a_whole_passport() -> Passport:
    """One entry of every kind that a device writes alone."""
    return a_passport(checked(), worked(), repaired(), worked(a_day("2026-02-02", xids=((13, 2),), ecc_corrected=1)))


def a_long_passport(days: int = 1800, checks: int = 100) -> Passport:
    """Five years: a day entry each day and a check with all its samples every few weeks."""
    return a_passport(*_years(days, checks))


def _years(days: int, checks: int) -> Iterable[Step]:
    samples = samples_of(some_readings(step_s=0.25))
    every = max(1, days // checks)
    begin, made = date(2021, 1, 1), 0
    for number in range(days):
        yield worked(a_day((begin + timedelta(days=number)).isoformat(), xids=((13, 1), (43, 2)), ecc_corrected=0))
        if number % every == 0 and made < checks:
            made += 1
            rows = tuple(a_check(check_id=f"topic.check_{row}") for row in range(30))
            yield checked(a_sound_report(report_id=f"{made:016x}", checks=rows, samples=samples))


def with_entry(passport: Passport, number: int, **changes: Any) -> Passport:
    """The same passport with one entry changed, and nothing else."""
    entries = [replace(entry, **changes) if entry.number == number else entry for entry in passport.entries]
    return replace(passport, entries=tuple(entries))


def without(passport: Passport, *numbers: int) -> Passport:
    kept: tuple[PassportEntry, ...] = tuple(entry for entry in passport.entries if entry.number not in numbers)
    return replace(passport, entries=kept)
