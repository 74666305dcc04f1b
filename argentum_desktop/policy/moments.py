"""The instants from now on at which a rule may come to another word by the time alone."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from argentum_desktop.domain.offer import Offer
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.tariff import stretches

# What repeats each week has shown itself by then, with a day on which the clock jumps.
WEEKLY_HORIZON = timedelta(days=9)
# Far enough for a holiday or two in which nothing runs, and for a long pause.
HORIZON = timedelta(days=35)


def moments(offer: Offer | None, at: Circumstances) -> Iterator[datetime]:
    """Each once, in order, after `at.now`; the last one ends the search."""
    end = at.now.astimezone(UTC) + (HORIZON if _has_dates(at) else WEEKLY_HORIZON)
    sources = [_single(at), _windows(at, end), _grid(at)]
    is_by_source = at.settings.prices.only_on_solar or at.settings.energy.cleaner_than_g_per_kwh > 0
    if offer is not None or is_by_source:
        sources.append(_prices(at, at.now, end))
    if offer is not None:
        # An hour begins to count when the job's end comes to it.
        wall = timedelta(seconds=offer.counted_s)
        # From then on it would not end with the window any more.
        sources.append(moment - wall for moment in _windows(at, end))
        sources.append(moment - wall for moment in _prices(at, at.now + wall, end + wall))
    before = at.now
    for moment in takewhile(lambda moment: moment < end, heapq.merge(*sources)):
        if moment > before:
            yield moment
            before = moment
    yield end


def _has_dates(at: Circumstances) -> bool:
    """Whether anything differs from week to week."""
    is_long_pause = at.pause is not None and at.pause.until is not None and at.pause.until - at.now > timedelta(days=1)
    has_spans = bool(at.ready.tariff.spans) or (at.grid is not None and bool(at.grid.spans))
    first, last = at.now.date() - timedelta(days=2), (at.now + HORIZON).date()
    dated = [one.when for one in at.settings.availability.exceptions]
    return is_long_pause or has_spans or any(when.first <= last and first <= when.last for when in dated)


def _single(at: Circumstances) -> Iterator[datetime]:
    found = []
    if at.pause is not None and at.pause.until is not None:
        found.append(at.pause.until)
    minutes, activity = at.settings.presence.idle_minutes, at.activity
    if minutes and activity is not None and activity.idle_s is not None:
        found.append(at.now + timedelta(seconds=minutes * 60 - activity.idle_s))
    yield from sorted(found)


def _windows(at: Circumstances, end: datetime) -> Iterator[datetime]:
    """The ends of openings and of gaps, and where one window's floor or limit gives way to another's."""
    moment: datetime | None = at.now
    while moment is not None and moment < end:
        ends = (at.ready.opening(at.gpu.gpu_id, moment).until, at.ready.in_force(at.gpu.gpu_id, moment).until)
        moment = min((until for until in ends if until is not None), default=None)
        if moment is not None:
            yield moment


def _prices(at: Circumstances, start: datetime, end: datetime) -> Iterator[datetime]:
    tariff = at.ready.tariff
    if not tariff.is_flat:
        for part in stretches(tariff, at.zone, start, end):
            yield part.end


def _grid(at: Circumstances) -> Iterator[datetime]:
    if at.grid is not None:
        for span in at.grid.spans:
            if span.end > at.now:
                yield from (span.start, span.end)
