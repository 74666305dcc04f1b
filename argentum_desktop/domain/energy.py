"""What a job's electricity cost and what the grid emitted for it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from argentum_desktop.domain.money import Money

# Far above any grid: burning oil shale in an old plant emits some 1400.
MOST_G_PER_KWH = 5000


@dataclass(frozen=True)
class IntensitySpan:
    """What the grid emits from one instant to just before another, both aware."""

    start: datetime
    end: datetime
    mg_per_kwh: int


@dataclass(frozen=True)
class GridCarbon:
    """How much a grid emits for a kilowatt-hour, in milligrams of CO₂e over the whole life of its plants.

    Attributes:
        country: ISO 3166, two letters.
        mg_per_kwh: the mean of a year, for all times about which nothing else is said.
        year: which year that is.
        source: who says so.
        spans: finer figures from the owner's file, in order and without overlaps.
    """

    country: str
    mg_per_kwh: int
    year: int
    source: str
    spans: tuple[IntensitySpan, ...] = ()

    @cached_property
    def starts(self) -> tuple[datetime, ...]:
        """When each span begins, to be searched."""
        return tuple(span.start for span in self.spans)

    def span_at(self, at: datetime) -> IntensitySpan | None:
        """The finer figure for `at`."""
        number = bisect_right(self.starts, at) - 1
        if number < 0 or at >= self.spans[number].end:
            return None
        return self.spans[number]

    @property
    def words(self) -> str:
        """`342 g/kWh (DE, 2024, Ember)`."""
        return f"{self.mg_per_kwh / 1000:.0f} g/kWh ({self.country}, {self.year}, {self.source})"


@dataclass(frozen=True)
class EnergyBill:
    """What the energy of one job came to.

    Attributes:
        energy_mj: millijoules, from the cards' counters where they have one (1 kWh is 3.6e9).
        electricity: what they cost at the tariff in force while the job ran.
        carbon_mg: milligrams of CO₂e emitted for them; None where the owner named no country.
        words: how cost and emission came about.
    """

    energy_mj: int
    electricity: Money
    carbon_mg: int | None = None
    words: str = ""
