"""A card's life as its passport tells it: sums and extremes over all entries. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.health import CardIdentity, HealthReport, HealthSummary
from argentum_desktop.domain.passport import DayOfWork, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import PassportError
from argentum_desktop.health.passport.codec import card_of, day_of, repair_words, report_of


@dataclass(frozen=True)
class Written:
    """A report and when it was entered.

    Attributes:
        number: of its entry.
    """

    number: int
    at: datetime
    report: HealthReport


@dataclass(frozen=True)
class Repair:
    """What the owner says was done."""

    number: int
    at: datetime
    words: str


@dataclass(frozen=True)
class Life:
    """All that a passport tells, in the order of its entries.

    Attributes:
        card: as it was when the passport was opened last; None where no entry tells it.
        unreadable: entries whose contents could not be read, a sentence each.
    """

    card: CardIdentity | None
    reports: tuple[Written, ...] = ()
    days: tuple[DayOfWork, ...] = ()
    repairs: tuple[Repair, ...] = ()
    matched: tuple[PassportEntry, ...] = ()
    witnessed: tuple[PassportEntry, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def is_simulated(self) -> bool:
        cards = [written.report.card for written in self.reports]
        return any(card.is_simulated for card in (*cards, *((self.card,) if self.card else ())))

    @property
    def standing(self) -> Written | None:
        """The check that counts."""
        found: Written | None = None
        for written in self.reports:
            before = HealthSummary.of(found.report) if found else None
            if HealthSummary.of(written.report).stands_after(before):
                found = written
        return found

    @property
    def jobs(self) -> int:
        return sum(day.jobs for day in self.days)

    @property
    def job_s(self) -> int:
        return sum(day.job_s for day in self.days)

    @property
    def energy_mj(self) -> int:
        return sum(day.energy_mj for day in self.days)

    @property
    def hottest_hour(self) -> DayOfWork | None:
        """The day with the highest mean of an hour."""
        return max(
            (day for day in self.days if day.hottest_hour_mean_c is not None),
            key=lambda day: day.hottest_hour_mean_c or 0,
            default=None,
        )

    @property
    def hottest_c(self) -> int | None:
        return max((day.hottest_c for day in self.days if day.hottest_c is not None), default=None)

    @property
    def xids(self) -> tuple[tuple[int, int], ...]:
        """NVIDIA's error numbers in all days, each with how often it came, in order."""
        counts: Counter[int] = Counter()
        for day in self.days:
            counts.update(dict(day.xids))
        return tuple(sorted(counts.items()))

    @property
    def ecc_corrected(self) -> int | None:
        return _total(day.ecc_corrected for day in self.days)

    @property
    def ecc_uncorrected(self) -> int | None:
        return _total(day.ecc_uncorrected for day in self.days)

    @property
    def pcie_replays(self) -> int | None:
        return _total(day.pcie_replays for day in self.days)


def life_of(passport: Passport) -> Life:
    """Read every entry once. What cannot be read is told and left out."""
    card: CardIdentity | None = None
    reports: list[Written] = []
    days: list[DayOfWork] = []
    repairs: list[Repair] = []
    unreadable: list[str] = []
    for entry in passport.entries:
        try:
            match entry.kind:
                case EntryKind.OPENED:
                    card = card_of(entry.body)
                case EntryKind.CHECK:
                    reports.append(Written(entry.number, entry.at, report_of(entry.body)))
                case EntryKind.DAY:
                    days.append(day_of(entry.body))
                case EntryKind.REPAIR:
                    repairs.append(Repair(entry.number, entry.at, repair_words(entry.body)))
                case EntryKind.MATCHED | EntryKind.WITNESSED:
                    pass
        except PassportError as error:
            unreadable.append(f"Entry {entry.number} cannot be read: {error.message}")
    return Life(
        card,
        tuple(reports),
        tuple(days),
        tuple(repairs),
        _of(passport, EntryKind.MATCHED),
        _of(passport, EntryKind.WITNESSED),
        tuple(unreadable),
    )


def _of(passport: Passport, kind: EntryKind) -> tuple[PassportEntry, ...]:
    return tuple(entry for entry in passport.entries if entry.kind is kind)


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
