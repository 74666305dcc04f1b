"""The tray icon and the window, over the service on its own thread."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import qasync
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from argentum_desktop.agent.control import call
from argentum_desktop.agent.service import QuitRequested, ShowRequested
from argentum_desktop.app.core import Core
from argentum_desktop.app.headless import on_ending
from argentum_desktop.app.service_thread import ServiceThread
from argentum_desktop.clock import SystemClock
from argentum_desktop.errors import AlreadyRunningError, ArgentumError, BadInputError
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.dialogs.message import show_error
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.theme import Theme, ThemeChoice
from argentum_desktop.ui.tray import TrayController

log = logging.getLogger(__name__)

T = TypeVar("T")


def has_display() -> bool:
    """Whether a window can be shown at all; Qt ends the process when it is asked to and cannot."""
    if sys.platform in {"win32", "darwin"} or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run_desktop(
    home: Home, settings: Settings, *, hidden: bool, beside: Callable[[Core], Coroutine[Any, Any, object]] | None = None
) -> int:
    """The application as its owner knows it; a second start shows the first one's window.

    Args:
        beside: started on the service's loop once it runs; its fault is shown to the owner.

    Raises:
        BadInputError: there is no display.
    """
    if not has_display():
        raise BadInputError("There is no display.", "Use `argentum-desktop agent` on a machine without a screen.")
    thread = ServiceThread(lambda: Core(home, settings))

    async def main(application: QApplication) -> int:
        try:
            core = await asyncio.to_thread(thread.start)
        except AlreadyRunningError:
            await asyncio.to_thread(call, home.control_file, "show")
            return 0
        except ArgentumError as error:
            await show_error(None, error)
            return error.exit_code
        try:
            desktop = Desktop(application, thread, settings)
            if beside is not None:
                desktop.bridge.start(desktop.bridge.call(beside, core), parent=desktop.window)
            await desktop.live(opened=not hidden)
        finally:
            await asyncio.to_thread(thread.stop)
        return 0

    return on_qt(main)


def on_qt(main: Callable[[QApplication], Awaitable[T]]) -> T:
    """Run `main` on a Qt application whose event loop is also asyncio's."""
    qInstallMessageHandler(_log_qt_message)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Argentum")
    application.setDesktopFileName("argentum-desktop")
    application.setQuitOnLastWindowClosed(False)
    # The selector loop on every system: qasync's own loop for Windows wakes up a hundred times a second.
    loop = qasync.QSelectorEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        result: T = loop.run_until_complete(main(application))
    return result


def _log_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """Qt's own remarks belong in the log, not on the owner's terminal."""
    is_grave = kind in {QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg}
    log.log(logging.ERROR if is_grave else logging.INFO, "Qt: %s", text)


class Desktop:
    """The window and the tray of one running service."""

    def __init__(self, application: QApplication, thread: ServiceThread, settings: Settings) -> None:
        if thread.loop is None:
            raise RuntimeError("the service has not begun")
        self.over = asyncio.Event()
        self.theme = Theme(application, ThemeChoice(settings.window.theme))
        self.bridge = Bridge(thread.service, thread.loop)
        clock = SystemClock()
        self.window = MainWindow(self.bridge, self.theme, clock, self.over.set)
        self.tray = TrayController(self.bridge, self.theme, clock, self.window.open, self.over.set)
        self.tray.availability_changed.connect(self._tray_changed)
        loop, events = asyncio.get_running_loop(), thread.service.events
        self._subscriptions = [
            events.subscribe(ShowRequested, lambda _: loop.call_soon_threadsafe(self.window.open)),
            events.subscribe(QuitRequested, lambda _: loop.call_soon_threadsafe(self.over.set)),
        ]
        on_ending(self.over)

    async def live(self, *, opened: bool) -> None:
        """Until the owner quits."""
        self.window.set_tray_available(self.tray.is_available)
        if opened or not self.tray.is_available:
            self.window.open()
        try:
            await self.over.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self.tray.close()
        self.window.end()
        await self.bridge.close()

    def _tray_changed(self, is_available: bool) -> None:
        self.window.set_tray_available(is_available)
        if not is_available:
            self.window.open()
