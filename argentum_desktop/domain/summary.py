"""What many readings come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Summary(NamedTuple):
    """One metric over one span: how many readings had it, their lowest, sum and highest. Whole numbers, so exact."""

    n: int
    low: int
    total: int
    high: int

    @property
    def mean(self) -> float:
        return self.total / self.n


class Span(NamedTuple):
    """One card over one span. A metric that no reading had is not in `metrics`.

    Attributes:
        readings: how many there were.
    """

    readings: int
    metrics: Mapping[str, Summary]
