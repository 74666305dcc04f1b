"""A thread for calls that may hang: whoever waits gives up in time, and the program can end without it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from argentum_desktop.system.activity.signal import SignalUnknownError

Answer = TypeVar("Answer")


class OwnThread:
    """Begun by the first call; a second call is refused while the first one hangs.

    Args:
        begin: called first on the thread, for libraries that want to be opened where they are used.
    """

    def __init__(self, name: str, begin: Callable[[], object] = lambda: None) -> None:
        self._name = name
        self._begin = begin
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._is_begun = False
        self._is_busy = False

    async def call(self, work: Callable[[], Answer], within_s: float) -> Answer:
        """What `work` returns or raises.

        Raises:
            SignalUnknownError: it takes longer.
        """
        if self._is_busy:
            raise SignalUnknownError("The system has not answered an earlier question.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._is_busy = True
        if not self._is_begun:
            self._is_begun = True
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()
        self._calls.put(lambda: self._carry_out(work, loop, future))
        try:
            async with asyncio.timeout(within_s):
                return await future
        except TimeoutError:
            raise SignalUnknownError("The system does not answer.") from None

    def end(self) -> None:
        """No more calls; one that hangs is left behind."""
        self._calls.put(None)

    def _serve(self) -> None:
        self._begin()
        while (call := self._calls.get()) is not None:
            call()

    def _carry_out(
        self, work: Callable[[], Answer], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Answer]
    ) -> None:
        answer: Answer | None = None
        fault: BaseException | None = None
        try:
            answer = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            fault = error
        self._is_busy = False

        def tell() -> None:
            if future.done():
                return
            if fault is not None:
                future.set_exception(fault)
            else:
                future.set_result(answer)  # type: ignore[arg-type]  # what `work` returned

        if not loop.is_closed():
            loop.call_soon_threadsafe(tell)
