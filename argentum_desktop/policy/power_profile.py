"""What a card draws while jobs run on it: a histogram of its minutes at work, and the middle one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

# So much is needed before a measured figure stands for the card; until then its limit does.
ENOUGH_MINUTES = 30
# Twenty days of work; what is older weighs half, and half again, so that other jobs and a lower limit show in time.
MOST_MINUTES = 20 * 24 * 60
# A minute with fewer readings than this says little about its mean.
READINGS_FOR_A_MINUTE = 30
_MOST_WATTS = 5000


@dataclass(frozen=True)
class PowerProfile:
    """How many minutes a card drew how many watts on average."""

    minutes_by_watts: Mapping[int, int] = field(default_factory=dict)

    @property
    def minutes(self) -> int:
        return sum(self.minutes_by_watts.values())

    @property
    def median_mw(self) -> int | None:
        """The lower of the two in the middle where there are two; None without any."""
        watts = sorted(self.minutes_by_watts)
        if not watts:
            return None
        middle = (self.minutes + 1) // 2
        reached = accumulate(self.minutes_by_watts[at] for at in watts)
        return next(at for at, count in zip(watts, reached, strict=True) if count >= middle) * 1000

    @property
    def power_mw(self) -> int | None:
        """What to reckon with; None while too little was measured."""
        return self.median_mw if self.minutes >= ENOUGH_MINUTES else None

    def with_minute(self, mean_power_mw: float) -> PowerProfile:
        """One more minute at work."""
        watts = min(_MOST_WATTS, max(0, round(mean_power_mw / 1000)))
        counts = dict(self.minutes_by_watts)
        if self.minutes >= MOST_MINUTES:
            counts = {at: count // 2 for at, count in counts.items() if count > 1}
        counts[watts] = counts.get(watts, 0) + 1
        return PowerProfile(counts)


def is_plausible(profile: PowerProfile) -> bool:
    """Whether what was kept can have been counted."""
    counts = profile.minutes_by_watts
    return all(0 <= watts <= _MOST_WATTS and count > 0 for watts, count in counts.items())
