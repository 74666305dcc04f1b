"""One metric over some time as so many points: which rows show it best, and how they become points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection

from argentum_desktop.domain.summary import Summary
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.store.readings import Names
from argentum_desktop.telemetry.rollup import DAY_S, HOUR_S
from argentum_desktop.telemetry.summaries import begin, spans

# The finest rows that still make a picture of a span. "The last hour" is a little more than an hour once both its ends
# are whole seconds.
_SLACK_S = 2
_LONGEST_S = {Level.SECONDS: HOUR_S + _SLACK_S, Level.MINUTES: 7 * DAY_S + _SLACK_S, Level.HOURS: 92 * DAY_S + _SLACK_S}

Samples = dict[int, Summary]


@dataclass(frozen=True)
class Point:
    """One metric over one span that begins at `at`: its lowest, mean and highest value, in the metric's unit."""

    at: datetime
    span_s: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Question:
    """What is to be shown.

    Attributes:
        recent: the card's values still in memory, by second.
    """

    gpu_id: str
    metric: str
    first_s: int
    last_s: int
    recent: Mapping[int, int | None]


def picture(connection: Connection, question: Question, most: int) -> list[Point]:
    """At most `most` points (of which there must be two), oldest first; no point where nothing was recorded.

    Points lie on a grid that does not move with the question's begin. What lies before the card's history began is no
    reason to show the rest of it less finely.
    """
    names = rows.read_names(connection)
    card = names.cards.get(question.gpu_id)
    known = [*question.recent, *(() if card is None else [begin(connection, names, card)])]
    first_s = max(question.first_s, min((at for at in known if at is not None), default=question.last_s))
    if first_s >= question.last_s:
        return []
    level, found = _best(connection, names, card, question, first_s)
    fresh = question.recent.keys() - _kept_seconds(connection, names, card, question)
    values = {at: value for at in fresh if (value := question.recent[at]) is not None}
    samples = [*found.items(), *((at, Summary(1, value, value, value)) for at, value in values.items())]
    span_s = level.step_s
    first_s = first_s // span_s * span_s
    step_s = max(span_s, math.ceil((question.last_s - first_s) / (max(2, most) - 1) / span_s) * span_s)
    return _binned(sorted(samples), step_s)


def level_for(span_s: int) -> Level:
    """The finest rows that still make a picture of so long a time."""
    return next((level for level, longest_s in _LONGEST_S.items() if span_s <= longest_s), Level.DAYS)


def _best(
    connection: Connection, names: Names, card: int | None, question: Question, first_s: int
) -> tuple[Level, Samples]:
    best = level_for(question.last_s - first_s)
    if card is None:
        return best, {}
    found = _samples(connection, names, card, best, question, first_s)
    for level in [level for level in Level if level > best]:
        # Fine rows are forgotten first: of a time long ago only the rougher ones know.
        if found and next(iter(found)) < first_s + level.step_s:
            break
        rougher = _samples(connection, names, card, level, question, first_s)
        if rougher and (not found or next(iter(rougher)) + level.step_s <= next(iter(found))):
            best, found = level, rougher
    return best, found


def _samples(
    connection: Connection, names: Names, card: int, level: Level, question: Question, first_s: int
) -> Samples:
    """By begin, in order of time."""
    metric = question.metric
    if level is not Level.SECONDS:
        begin_s = first_s // level.step_s * level.step_s
        found = spans(connection, names, level, card, begin_s, question.last_s, (metric,))
        return {at: span.metrics[metric] for at, span in found.items() if metric in span.metrics}
    samples: Samples = {}
    for raw in rows.get_raw(connection, names, card, first_s, question.last_s, (metric,)):
        for second, value in zip(raw.seconds, raw.columns.get(metric, ()), strict=False):
            if value is not None and first_s <= raw.start_s + second < question.last_s:
                samples[raw.start_s + second] = Summary(1, value, value, value)
    return samples


def _kept_seconds(connection: Connection, names: Names, card: int | None, question: Question) -> set[int]:
    """Which seconds around those in memory are on disk, whether they have the metric or not."""
    if card is None or not question.recent:
        return set()
    raws = rows.get_raw(connection, names, card, min(question.recent), max(question.recent) + 1, ())
    return {raw.start_s + second for raw in raws for second in raw.seconds}


def _binned(samples: Iterable[tuple[int, Summary]], step_s: int) -> list[Point]:
    bins: dict[int, list[Summary]] = {}
    for at, summary in samples:
        bins.setdefault(at // step_s * step_s, []).append(summary)
    return [_point(at, step_s, group) for at, group in bins.items()]


def _point(at: int, step_s: int, group: Sequence[Summary]) -> Point:
    counts, lows, totals, highs = zip(*group, strict=True)
    return Point(datetime.fromtimestamp(at, UTC), step_s, min(lows), sum(totals) / sum(counts), max(highs))
