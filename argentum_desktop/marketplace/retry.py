"""How long to wait before asking again. The one place that knows."""

from __future__ import annotations

import random
from collections.abc import Callable

from argentum_desktop.errors import MarketError
from argentum_desktop.marketplace.errors import MarketBusyError

FIRST_S = 1.0
LONGEST_S = 64.0
LONGEST_ASKED_S = 600.0


class Backoff:
    """Full jitter: a random wait below a ceiling that doubles from 1 to 64 s, so that a fleet never moves as one."""

    def __init__(
        self,
        first_s: float = FIRST_S,
        longest_s: float = LONGEST_S,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._draw = draw
        self._failures = 0

    def reset(self) -> None:
        """It worked: begin anew."""
        self._failures = 0

    def delay_s(self, error: MarketError) -> float:
        """The wait after one more failure, and at least what the market asked for."""
        ceiling = min(self._longest_s, self._first_s * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        delay = self._draw(0.0, ceiling)
        if isinstance(error, MarketBusyError) and error.retry_after_s is not None:
            delay += min(max(error.retry_after_s, 0.0), LONGEST_ASKED_S)
        return delay
