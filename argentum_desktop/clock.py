"""Time, given and never fetched. The only module that may ask the operating system what time it is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What every part that needs time is given."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since an arbitrary start; never goes back and counts the time the machine was asleep."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give others the floor for `seconds`."""
        ...


class SystemClock:
    """The computer's own clock."""

    # A lease runs on while the laptop sleeps, so spans must count suspend. Linux's CLOCK_MONOTONIC does not.
    _BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        if self._BOOTTIME is not None:
            return time.clock_gettime(self._BOOTTIME)
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
