"""A day of work from what was measured in it. Pure; all times in UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from argentum_desktop.domain.passport import DayOfWork
from argentum_desktop.domain.summary import Span, Summary

_TEMPERATURE = "temperature_c"
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class JobTime:
    """When a job ran on the card.

    Attributes:
        energy_mj: of the card, in the whole of this time.
    """

    started_at: datetime
    ended_at: datetime
    energy_mj: int


def day_of_work(
    day: date,
    jobs: Iterable[JobTime],
    hours: Mapping[int, Span],
    xids: Iterable[int] = (),
    before: Span | None = None,
) -> DayOfWork | None:
    """What the card did on `day`; None where nothing is known of it.

    A job counts for the day on which it began; its seconds and its energy for the days in which they were spent.

    Args:
        hours: what was measured in each clock hour (0 to 23) of the day.
        xids: the error numbers that came in the day, each as often as it came.
        before: the last hour before the day, from which the counters are counted.
    """
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = begin + timedelta(days=1)
    touching = [job for job in jobs if job.started_at < end and job.ended_at > begin]
    errors = tuple(sorted(Counter(xids).items()))
    if not (touching or hours or errors):
        return None
    hottest = _hottest(hours)
    spans = [hours[hour] for hour in sorted(hours)]
    return DayOfWork(
        day=day.isoformat(),
        jobs=sum(1 for job in touching if job.started_at >= begin),
        job_s=_covered_s([(max(job.started_at, begin), min(job.ended_at, end)) for job in touching]),
        energy_mj=sum(_share_mj(job, begin, end) for job in touching),
        hottest_hour=hottest[0] if hottest else None,
        hottest_hour_mean_c=hottest[1] if hottest else None,
        hottest_c=max(
            (span.metrics[_TEMPERATURE].high for span in spans if _TEMPERATURE in span.metrics), default=None
        ),
        xids=errors,
        ecc_corrected=growth("ecc_corrected", spans, before),
        ecc_uncorrected=growth("ecc_uncorrected", spans, before),
        pcie_replays=growth("pcie_replays", spans, before),
    )


def growth(metric: str, spans: Sequence[Span], before: Span | None = None) -> int | None:
    """By how much a counter grew over these hours, oldest first; one that fell back began again from zero."""
    found = [span.metrics[metric] for span in spans if metric in span.metrics]
    if not found:
        return None
    last = before.metrics[metric].high if before is not None and metric in before.metrics else found[0].low
    grown = 0
    for summary in found:
        grown += summary.high - last if summary.high >= last else summary.high
        last = summary.high
    return grown


def _hottest(hours: Mapping[int, Span]) -> tuple[int, int] | None:
    """The clock hour with the highest mean, the earliest of equals, and that mean."""
    means = {hour: span.metrics[_TEMPERATURE] for hour, span in hours.items() if _TEMPERATURE in span.metrics}
    if not means:
        return None
    hour = max(sorted(means), key=lambda hour: means[hour].mean)
    return hour, _rounded_mean(means[hour])


def _rounded_mean(summary: Summary) -> int:
    return (2 * summary.total + summary.n) // (2 * summary.n)


def _covered_s(spans: list[tuple[datetime, datetime]]) -> int:
    """Whole seconds in which at least one of them lay."""
    covered, reached = timedelta(), datetime.min.replace(tzinfo=UTC)
    for begin, end in sorted(spans):
        if end > reached:
            covered += end - max(begin, reached)
            reached = end
    return covered // _SECOND


def _share_mj(job: JobTime, begin: datetime, end: datetime) -> int:
    """The shares of all days add up to the whole: each is what had been used by its end less what had by its start."""
    return _used_mj(job, end) - _used_mj(job, begin)


def _used_mj(job: JobTime, until: datetime) -> int:
    whole = job.ended_at - job.started_at
    if until >= job.ended_at:
        return job.energy_mj
    if until <= job.started_at:
        return 0
    return (
        job.energy_mj * ((until - job.started_at) // timedelta(microseconds=1)) // (whole // timedelta(microseconds=1))
    )
