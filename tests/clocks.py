"""A clock that moves only when a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# How often everything else gets the floor before the clock moves on: more than any chain of awaits without a thread.
_TURNS = 50


class FakeClock:
    """Sleepers wake in the order of their time, each at exactly its instant, as `advance` passes it."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._elapsed_s = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return self._now

    def elapsed_s(self) -> float:
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, next(self._numbers), waker))
        await waker

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, waking whoever sleeps for less."""
        await self.settle()
        end_s = self._elapsed_s + seconds
        while self._sleepers and self._sleepers[0][0] <= end_s:
            at_s, _, waker = heapq.heappop(self._sleepers)
            self._move_to(max(at_s, self._elapsed_s))
            if not waker.done():
                waker.set_result(None)
                await self.settle()
        self._move_to(end_s)
        await self.settle()

    async def settle(self) -> None:
        """Give everything that is ready the floor."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def set_wall_clock(self, now: datetime) -> None:
        """What a correction of the computer's clock does: the spans run on."""
        self._now = now

    def _move_to(self, elapsed_s: float) -> None:
        self._now += timedelta(seconds=elapsed_s - self._elapsed_s)
        self._elapsed_s = elapsed_s
