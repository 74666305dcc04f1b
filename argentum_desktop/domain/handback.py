"""How quickly the machine was given back to its owner: what was measured each time, and what was promised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

FROZEN_WITHIN_MS = 250
# What the engine may need to bury what was killed, beyond the time that a job has to save.
FREED_MARGIN_MS = 1000
KEPT = 100


@dataclass(frozen=True)
class HandBack:
    """One job that made room: frozen, or ended.

    Attributes:
        rule: the rule that wanted the machine.
        signal_at: when the application learned of it.
        frozen_ms: from then until the job stood still; None when it was ended.
        freed_ms: from then until nothing of it was left on the card; None when it was frozen.
        freed_within_ms: what was promised for that.
    """

    lease_id: str
    rule: str
    signal_at: datetime
    frozen_ms: int | None = None
    freed_ms: int | None = None
    freed_within_ms: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether it was as quick as promised."""
        in_time = self.frozen_ms is None or self.frozen_ms <= FROZEN_WITHIN_MS
        return in_time and (self.freed_ms is None or self.freed_ms <= self.freed_within_ms + FREED_MARGIN_MS)


@dataclass(frozen=True)
class Spread:
    """Several measurements in short; 95 of a hundred took no longer than `p95_ms`."""

    count: int = 0
    median_ms: int | None = None
    p95_ms: int | None = None


@dataclass(frozen=True)
class HandBackFigures:
    """The last hundred of each kind.

    Attributes:
        frozen: from the signal until the job stood still.
        freed: from the signal until the card's memory was free.
        promises: how many hand-backs there were.
        kept: how many of them were as quick as promised.
    """

    frozen: Spread = Spread()
    freed: Spread = Spread()
    promises: int = 0
    kept: int = 0

    @property
    def is_kept(self) -> bool:
        return self.kept == self.promises


def figures(made: Sequence[HandBack]) -> HandBackFigures:
    """All of these in short."""
    return HandBackFigures(
        frozen=spread([one.frozen_ms for one in made if one.frozen_ms is not None]),
        freed=spread([one.freed_ms for one in made if one.freed_ms is not None]),
        promises=len(made),
        kept=sum(one.is_kept for one in made),
    )


def spread(values_ms: Sequence[int]) -> Spread:
    """Median and 95th percentile; the latter is a value that was measured, never one in between."""
    if not values_ms:
        return Spread()
    ordered = sorted(values_ms)
    return Spread(len(ordered), round(median(ordered)), ordered[math.ceil(0.95 * len(ordered)) - 1])
