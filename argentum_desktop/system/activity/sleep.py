"""Before the computer sleeps, and after: logind's word on Linux, and a clock's jump where nobody tells."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable

from argentum_desktop.system.activity.bus import Bus
from argentum_desktop.system.activity.sessions import LOGIND
from argentum_desktop.system.activity.signal import SignalUnknownError

log = logging.getLogger(__name__)

# Less may be a busy computer that gave us no time.
SLEPT_AT_LEAST_S = 10.0
# logind waits five seconds for all who asked it to (InhibitDelayMaxSec).
READY_WITHIN_S = 4.0
TRY_AGAIN_AFTER_S = 10.0

Suspending = Callable[[], Awaitable[None]]


class SleepGauge:
    """Sees from a clock that counts sleep that the computer has slept: more time went by than was waited."""

    def __init__(self, elapsed_s: float) -> None:
        self._at_s = elapsed_s

    def slept_s(self, elapsed_s: float, waited_s: float) -> float:
        """How long it slept since the look before; 0 when it did not.

        Args:
            waited_s: how long the caller meant to wait between the two.
        """
        passed_s, self._at_s = elapsed_s - self._at_s, elapsed_s
        over_s = passed_s - waited_s
        return over_s if over_s >= SLEPT_AT_LEAST_S else 0.0


class LogindSleep:
    """Holds sleep up for the moment that is needed to make ready for it.

    Args:
        before: awaited before the computer sleeps, for at most `READY_WITHIN_S`.
        after: called when it is awake again, or stayed awake after all.
    """

    def __init__(self, system_bus: Bus, before: Suspending, after: Callable[[], None]) -> None:
        self._bus = system_bus
        self._before = before
        self._after = after
        self._delay: int | None = None
        self._making_ready: asyncio.Task[None] | None = None
        self._is_listening = False
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Keep asking for the delay until it is given; it is lost with logind, and asked for again."""
        try:
            while True:
                await self._prepare()
                self._woken.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TRY_AGAIN_AFTER_S):
                        await self._woken.wait()
        finally:
            self._release()
            if self._making_ready is not None:
                self._making_ready.cancel()

    async def _prepare(self) -> None:
        with contextlib.suppress(SignalUnknownError):
            if not self._is_listening:
                self._is_listening = True
                await self._bus.listen(LOGIND, "PrepareForSleep", self._heard)
            if self._delay is None and not self._is_making_ready:
                self._delay = await self._take_delay()

    @property
    def _is_making_ready(self) -> bool:
        return self._making_ready is not None and not self._making_ready.done()

    async def _take_delay(self) -> int:
        return await self._bus.ask_for_file(
            LOGIND,
            "Inhibit",
            "ssss",
            "sleep",
            "Argentum Desktop",
            "A job is frozen before the computer sleeps.",
            "delay",
        )

    def _heard(self, is_about_to_sleep: bool) -> None:
        if is_about_to_sleep:
            self._making_ready = asyncio.create_task(self._make_ready(), name="before sleep")
        else:
            self._woken.set()
            self._after()

    async def _make_ready(self) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await self._before()
        except TimeoutError:
            log.info("the computer goes to sleep before everything was made ready for it")
        finally:
            self._release()

    def _release(self) -> None:
        delay, self._delay = self._delay, None
        if delay is not None:
            with contextlib.suppress(OSError):
                os.close(delay)
