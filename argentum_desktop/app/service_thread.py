"""The service beside the window: plain asyncio on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # loaded on the thread, beside a window that is already there
    from argentum_desktop.agent.local_service import LocalService
    from argentum_desktop.app.core import Core

T = TypeVar("T")


class ServiceThread:
    """Runs a `Core` until `stop`.

    Args:
        make_core: builds it; called on the thread.
    """

    def __init__(self, make_core: Callable[[], Core]) -> None:
        self._make_core = make_core
        self._started: Future[Core] = Future()
        self._over: asyncio.Event | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="service")

    def start(self) -> Core:
        """Wait until it has begun.

        Raises:
            ArgentumError: it could not begin.
        """
        self._thread.start()
        try:
            return self._started.result()
        except BaseException:
            self._thread.join()
            raise

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine over there."""
        if self.loop is None:
            raise RuntimeError("the service has not begun")
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def stop(self) -> None:
        """End it in good order and wait for that; no harm when it has ended."""
        if self.loop is not None and self._over is not None and self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def service(self) -> LocalService:
        return self._started.result().service

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self.loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            core = self._make_core()
            await core.open()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits in `start`
            self._started.set_exception(error)
            return
        self._started.set_result(core)
        try:
            await self._over.wait()
        finally:
            await core.close()
