"""How far back a chart of the history can look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argentum_desktop.agent.status import JobView
from argentum_desktop.ui.charts.line_chart import Band, Series

MOST_POINTS = 720
# As many jobs as may be marked behind the lines.
MOST_JOBS = 200
_YOUNGEST = timedelta(minutes=2)


@dataclass(frozen=True)
class Range:
    """How far back, and how often it is worth asking anew."""

    span: timedelta
    refresh: timedelta


HOUR = Range(timedelta(hours=1), timedelta(seconds=5))
DAY = Range(timedelta(hours=24), timedelta(minutes=1))
WEEK = Range(timedelta(days=7), timedelta(minutes=10))
YEAR = Range(timedelta(days=365), timedelta(hours=1))


def points_for(width_px: int) -> int:
    """As many points as a chart of this width can show."""
    return min(MOST_POINTS, max(60, width_px // 2))


def young(series: Sequence[Series], start: datetime, end: datetime) -> datetime:
    """Where to begin while less than the shortest range is known: an hour that is mostly empty shows nothing."""
    first = min((one.points[0].at for one in series if one.points), default=start)
    return max(start, min(first, end - _YOUNGEST))


def bands(jobs: Sequence[JobView], start: datetime, end: datetime) -> list[Band]:
    """The jobs that ran between two instants."""
    made = (Band(job.title, job.accepted_at, job.accepted_at + timedelta(seconds=job.elapsed_s)) for job in jobs)
    return [band for band in made if band.end > start and band.start < end]
