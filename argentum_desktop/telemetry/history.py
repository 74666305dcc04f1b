"""What the cards did, from the last seconds to years ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Point:
    """One metric over one span that begins at `at`: its lowest, mean and highest value, in the metric's unit."""

    at: datetime
    span_s: int
    low: float
    mean: float
    high: float
