"""Spans of the wall clock's own time, without zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime

DatedSpan = tuple[datetime, datetime]


def merged(spans: Iterable[DatedSpan]) -> list[DatedSpan]:
    """The same time without overlaps, in order; spans that touch become one."""
    joined: list[DatedSpan] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def without(spans: Sequence[DatedSpan], taken: Sequence[DatedSpan]) -> list[DatedSpan]:
    """What is left of `spans` outside `taken`; both are merged."""
    left: list[DatedSpan] = []
    ends = [end for _, end in taken]
    for start, end in spans:
        at = start
        for taken_start, taken_end in taken[bisect_right(ends, start) :]:
            if taken_start >= end:
                break
            if at < taken_start:
                left.append((at, taken_start))
            at = taken_end
        if at < end:
            left.append((at, end))
    return left
