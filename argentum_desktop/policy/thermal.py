"""A hot card: first less power, then a frozen job. Pure; time is given.

Near its limit a card that works for a market gets less power, a quarter of what the owner allows at a time. One that
reaches the limit all the same gets the least at once and a moment for that to help. Only a card for which that is not
enough is too hot; what becomes of its job then, `policy/handback.py` says. A card that stays well below its limit gets
its power back, a quarter at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

QUARTERS = 4
NEAR_C = 3
# So far beyond the limit nobody waits for less power to help.
TOO_FAR_C = 3
# Power follows a new limit within a second or two; a chip's temperature follows power in most of a minute.
STEP_S = 5.0
HELPS_WITHIN_S = 15.0
COOL_C = 8
COOL_S = 60.0


@dataclass(frozen=True)
class Heat:
    """What is carried from one reading of a card to the next.

    Attributes:
        quarters: how many quarters of what the owner allows are taken away.
        changed_s: when that last changed, on a clock that never goes back.
        cool_s: since when it is well below its limit.
    """

    quarters: int = 0
    changed_s: float | None = None
    cool_s: float | None = None


@dataclass(frozen=True)
class PowerRange:
    """Between what a card's limit may be moved, in milliwatts.

    Attributes:
        original_mw: what was set before anybody here changed it.
        window_mw: the most in the owner's hours of this moment; None where nothing is said of it.
        lower_percent: how far below the original a hot card may be brought.
    """

    original_mw: int
    window_mw: int | None = None
    lower_percent: int = 0

    @property
    def normal_mw(self) -> int:
        """While the card is not hot. A window never raises a limit."""
        return self.original_mw if self.window_mw is None else min(self.original_mw, self.window_mw)

    @property
    def can_lower(self) -> bool:
        return self._lowest_mw < self.normal_mw

    @property
    def _lowest_mw(self) -> int:
        return self.original_mw * (100 - self.lower_percent) // 100

    def limit_mw(self, quarters: int) -> int:
        """The limit with so many quarters taken away."""
        if not self.can_lower:
            return self.normal_mw
        return self.normal_mw - (self.normal_mw - self._lowest_mw) * quarters // QUARTERS


def next_heat(heat: Heat, temperature_c: int | None, limit_c: int, now_s: float, most: int = QUARTERS) -> Heat:
    """What one more reading of a card at work leads to.

    Args:
        most: how many quarters may be taken away; 0 where the owner allows none, or the driver refused.
    """
    if temperature_c is None:
        return replace(heat, cool_s=None)
    if temperature_c >= limit_c and heat.quarters < most:
        return Heat(most, now_s)
    if temperature_c >= limit_c - NEAR_C:
        is_time = heat.changed_s is None or now_s - heat.changed_s >= STEP_S
        if heat.quarters < most and is_time:
            return Heat(heat.quarters + 1, now_s)
        return replace(heat, cool_s=None)
    if temperature_c > limit_c - COOL_C or heat.quarters == 0:
        return replace(heat, cool_s=None)
    cool_s = now_s if heat.cool_s is None else heat.cool_s
    if now_s - cool_s >= COOL_S:
        return Heat(heat.quarters - 1, now_s, now_s)
    return replace(heat, cool_s=cool_s)


def may_still_help(heat: Heat, temperature_c: int | None, limit_c: int, now_s: float) -> bool:
    """Whether a card at its limit is given a moment, because it has just got less power."""
    if temperature_c is None or heat.quarters == 0 or heat.changed_s is None:
        return False
    return temperature_c < limit_c + TOO_FAR_C and now_s - heat.changed_s < HELPS_WITHIN_S
