"""The one place where the window's thread and the service's thread meet.

Calls go in and are awaited; what the service publishes comes out as a Qt signal on the window's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, ParamSpec, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from argentum_desktop.agent.service import OwnerService
from argentum_desktop.agent.status import CheckupEnded, CheckupProgressed, Status, StatusChanged
from argentum_desktop.errors import ArgentumError, NotRunningError
from argentum_desktop.ui.dialogs.message import show_error
from argentum_desktop.ui.inbox import Inbox

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Bridge(QObject):
    """Made and used on the window's thread, where a `qasync.QSelectorEventLoop` runs.

    Attributes:
        service: what may be asked; its coroutines are only ever started through `call`.
        latest: the newest status known here, None before the first.
        checkup_progressed: tells a `CheckupView`; `checkup_ended` a `CheckupEnded`.
    """

    status_changed = Signal(object)
    checkup_progressed = Signal(object)
    checkup_ended = Signal(object)

    def __init__(
        self, service: OwnerService, service_loop: asyncio.AbstractEventLoop, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.service = service
        self.latest: Status | None = None
        self._loop = service_loop
        self._inbox = Inbox(_key_of, self._hear, self)
        self._is_closed = False
        self._subscriptions: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        service_loop.call_soon_threadsafe(self._subscribe)

    async def call(self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a coroutine of the service on its own thread and await what it returns.

        Raises:
            ArgentumError: as the service raised it.
        """
        coroutine = function(*args, **kwargs)
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as error:
            coroutine.close()
            raise NotRunningError("Argentum is closing.") from error
        return await asyncio.wrap_future(future, loop=asyncio.get_running_loop())

    async def refresh(self) -> Status:
        """Ask for the status now; everybody who listens to `status_changed` hears the answer."""
        return await self.change(self.service.status)

    async def change(
        self, function: Callable[P, Coroutine[Any, Any, Status]], *args: P.args, **kwargs: P.kwargs
    ) -> Status:
        """Run a coroutine of the service that answers with the new status, and spread that."""
        status = await self.call(function, *args, **kwargs)
        self._spread(status)
        return status

    def start(
        self,
        work: Coroutine[Any, Any, T],
        *,
        parent: QWidget | None = None,
        success: Callable[[T], None] | None = None,
        failure: Callable[[ArgentumError], None] | None = None,
    ) -> None:
        """Begin `work` from a slot, where nothing can be awaited.

        Args:
            parent: whom the result concerns; once it is gone nobody is told.
            success: called with the result.
            failure: called with a known fault; without it the fault is shown to the owner.
        """
        if self._is_closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(self._run(work, parent, success, failure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step never gets to its work.
        task.add_done_callback(lambda _: work.close())

    async def settled(self) -> None:
        """Wait until nothing that was started is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Hear nothing more and drop what is under way."""
        self._is_closed = True
        self._inbox.close()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_subscription)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self,
        work: Coroutine[Any, Any, T],
        parent: QWidget | None,
        success: Callable[[T], None] | None,
        failure: Callable[[ArgentumError], None] | None,
    ) -> None:
        has_parent = parent is not None
        try:
            result = await work
        except ArgentumError as error:
            fault = error
        except Exception:
            log.exception("an action of the window failed")
            fault = ArgentumError(
                self.tr("Something inside Argentum went wrong."),
                self.tr("Your cards and earnings are not affected. The log file tells more."),
            )
        else:
            if success is not None and not (has_parent and not shiboken6.isValid(parent)):
                success(result)
            return
        if has_parent and not shiboken6.isValid(parent):
            return
        if failure is not None:
            failure(fault)
        else:
            await show_error(parent, fault)

    def _spread(self, status: Status) -> None:
        self.latest = status
        self.status_changed.emit(status)

    def _hear(self, event: StatusChanged | CheckupProgressed | CheckupEnded) -> None:
        match event:
            case StatusChanged(status):
                self._spread(status)
            case CheckupProgressed(view):
                self.checkup_progressed.emit(view)
            case CheckupEnded():
                self.checkup_ended.emit(event)

    # From here on: on the service's thread.

    def _subscribe(self) -> None:
        if not self._is_closed:
            events = self.service.events
            self._subscriptions = [
                events.subscribe(StatusChanged, self._inbox.put),
                events.subscribe(CheckupProgressed, self._inbox.put),
                events.subscribe(CheckupEnded, self._inbox.put),
            ]

    def _end_subscription(self) -> None:
        for unsubscribe in self._subscriptions:
            unsubscribe()


def _key_of(event: StatusChanged | CheckupProgressed | CheckupEnded) -> Hashable:
    """Of a status only the newest matters, of a check's progress the newest for its card."""
    match event:
        case StatusChanged():
            return StatusChanged
        case CheckupProgressed(view):
            return CheckupProgressed, view.gpu_id
        case CheckupEnded(gpu_id):
            return CheckupEnded, gpu_id
