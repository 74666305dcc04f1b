"""Work that goes on for as long as the application does, each piece on its own feet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from argentum_desktop.clock import Clock
from argentum_desktop.errors import ArgentumError, StoreError

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 5.0


class Loops:
    """Starts work and starts it again when it fails: one part's fault must not end the others.

    Args:
        store_failed: told when the database was the reason.
    """

    def __init__(self, clock: Clock, store_failed: Callable[[StoreError], None]) -> None:
        self._clock = clock
        self._store_failed = store_failed
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        self._tasks.append(asyncio.create_task(self._again_and_again(work, *arguments)))

    async def end(self) -> None:
        await end_all(self._tasks)

    async def _again_and_again(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        name = getattr(work, "__name__", work)
        while True:
            try:
                await work(*arguments)
                return
            except StoreError as error:
                log.info("%s: %s; again in %g s", name, error, AGAIN_AFTER_S)
                self._store_failed(error)
            except ArgentumError as error:
                log.info("%s: %s; again in %g s", name, error, AGAIN_AFTER_S)
            except Exception:
                log.exception("%s failed; again in %g s", name, AGAIN_AFTER_S)
            await self._clock.sleep(AGAIN_AFTER_S)


async def end_all(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: what waits for several things at once can miss a single cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)
    await asyncio.gather(*tasks, return_exceptions=True)
