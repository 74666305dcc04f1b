"""How much work goes to the card at once, so that no driver ever takes it for hung. Pure: it is told the time.

Windows resets a card whose work takes two seconds, and a desktop on the same card stutters long before that.
"""

from __future__ import annotations

AIM_S = 0.05
LONGEST_S = 0.1
GROWTH = 2.0
LEAST_DUTY = 0.25


class Pace:
    """The size of the next portion, from how long the last one took.

    Args:
        units: of the first portion, which must be tiny: nothing is known of the card yet.
        most: of any portion.
    """

    def __init__(self, units: int, most: int) -> None:
        self._most = most
        self._units = float(max(1, min(units, most)))

    @property
    def units(self) -> int:
        return int(self._units)

    def took(self, units: int, seconds: float) -> None:
        """A portion of so many units took so long."""
        if units < self.units // 2 and seconds < AIM_S:
            return  # the last bit of something says nothing about a whole portion
        wanted = units * AIM_S / max(seconds, 1e-6)
        self._units = min(max(1.0, min(wanted, self._units * GROWTH)), self._most)


class Ramp:
    """The share of the time that the card works: a quarter at first, all of it after the ramp."""

    def __init__(self, began_s: float, ramp_s: float) -> None:
        self._began_s = began_s
        self._ramp_s = ramp_s

    def is_over(self, now_s: float) -> bool:
        return now_s - self._began_s >= self._ramp_s

    def rest_s(self, now_s: float, worked_s: float) -> float:
        """How long to leave the card alone after work of this length."""
        if self.is_over(now_s):
            return 0.0
        duty = LEAST_DUTY + (1.0 - LEAST_DUTY) * max(0.0, now_s - self._began_s) / self._ramp_s
        # The first time a program runs, the driver still builds it: that is no work of the card's.
        return min(worked_s, LONGEST_S) * (1.0 - duty) / duty
