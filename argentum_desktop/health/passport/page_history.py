"""What the page needs of a card's life besides `life`: figures of each check, and months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from argentum_desktop.domain.health import HealthReport
from argentum_desktop.domain.passport import DayOfWork
from argentum_desktop.health.passport.page_words import MONTHS_PER_YEAR


def device_mb_s(report: HealthReport) -> int | None:
    """How fast the card copied within its own memory."""
    return report.stress.copy.device_mb_s if report.stress and report.stress.copy else None


def errors(report: HealthReport) -> int | None:
    """Wrong words of memory and wrong results together; None where nothing was tested."""
    stress = report.stress
    if stress is None or (stress.memory is None and stress.compute is None):
        return None
    return (stress.memory.errors if stress.memory else 0) + (stress.compute.mismatches if stress.compute else 0)


@dataclass(frozen=True)
class Month:
    """What a card did in one month (UTC).

    Attributes:
        place: months since the year 0, so that neighbours differ by one.
        ecc: corrected and uncorrected errors of memory together.
    """

    place: int
    days: int
    jobs: int
    job_s: int
    energy_mj: int
    hottest_hour: int | None
    hottest_hour_mean_c: int | None
    hottest_c: int | None
    xids: int
    ecc: int | None
    pcie_replays: int | None


def months_of(days: Sequence[DayOfWork]) -> tuple[Month, ...]:
    """Only months in which there was a day of work, oldest first. A day that no calendar has is left out."""
    by_month: dict[int, list[DayOfWork]] = {}
    for worked in days:
        place = _place(worked.day)
        if place is not None:
            by_month.setdefault(place, []).append(worked)
    return tuple(_month(place, by_month[place]) for place in sorted(by_month))


def _place(day: str) -> int | None:
    try:
        on = date.fromisoformat(day)
    except ValueError:
        return None
    return on.year * MONTHS_PER_YEAR + on.month - 1


def _month(place: int, days: list[DayOfWork]) -> Month:
    hottest = max(
        (worked for worked in days if worked.hottest_hour_mean_c is not None),
        key=lambda worked: worked.hottest_hour_mean_c or 0,
        default=None,
    )
    return Month(
        place=place,
        days=len({worked.day for worked in days}),
        jobs=sum(worked.jobs for worked in days),
        job_s=sum(worked.job_s for worked in days),
        energy_mj=sum(worked.energy_mj for worked in days),
        hottest_hour=hottest.hottest_hour if hottest else None,
        hottest_hour_mean_c=hottest.hottest_hour_mean_c if hottest else None,
        hottest_c=max((worked.hottest_c for worked in days if worked.hottest_c is not None), default=None),
        xids=sum(count for worked in days for _, count in worked.xids),
        ecc=_total(count for worked in days for count in (worked.ecc_corrected, worked.ecc_uncorrected)),
        pcie_replays=_total(worked.pcie_replays for worked in days),
    )


def _total(counts: Iterable[int | None]) -> int | None:
    """None where there was no counter at all."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
