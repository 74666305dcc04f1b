"""The start with a screen: first the icon in the tray, then, behind it, everything else.

What is imported here decides how soon the icon is seen, so the service and the window are loaded on other threads.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import qasync
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from argentum_desktop.agent.status import AgentState
from argentum_desktop.app.ending import on_ending
from argentum_desktop.app.service_thread import ServiceThread
from argentum_desktop.errors import AlreadyRunningError, ArgentumError, BadInputError
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.display import has_display
from argentum_desktop.system.single_instance import InstanceLock
from argentum_desktop.ui.garbage import GarbageCollector
from argentum_desktop.ui.tray_icon import tray_icon

if TYPE_CHECKING:
    from argentum_desktop.app.core import Core
    from argentum_desktop.app.shell import Desktop

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        raise BadInputError(
            "There is no display that answers.", "Use `argentum-desktop agent` on a machine without a screen."
        )
    if _is_running(home):
        return _show_the_other(home)
    thread = ServiceThread(lambda: _load_core()(home, settings))

    async def main(application: QApplication) -> int:
        icon, over = _first_icon(), asyncio.Event()
        on_ending(over)  # at once, so that an end while everything is being loaded is a good one too
        try:
            core, desktop_class = await asyncio.gather(
                asyncio.to_thread(thread.start), asyncio.to_thread(_load_desktop)
            )
        except AlreadyRunningError:
            return await asyncio.to_thread(_show_the_other, home)
        except ArgentumError as error:
            from argentum_desktop.ui.dialogs.message import show_error

            await show_error(None, error)
            return error.exit_code
        try:
            desktop = desktop_class(application, thread, settings, over, icon)
            if beside is not None:
                desktop.bridge.start(desktop.bridge.call(beside, core), parent=desktop.window)
            await desktop.live(opened=not hidden)
        finally:
            await asyncio.to_thread(thread.stop)
        return 0

    return on_qt(main)


def _first_icon() -> QSystemTrayIcon:
    """A sign of life while the rest is loaded; it cannot do anything yet."""
    icon = QSystemTrayIcon(tray_icon(AgentState.STARTING))
    icon.setToolTip("Argentum")
    icon.show()
    return icon


def _is_running(home: Home) -> bool:
    try:
        InstanceLock(home.lock_file).release()
    except AlreadyRunningError:
        return True
    return False


def _show_the_other(home: Home) -> int:
    from argentum_desktop.agent.control import call

    call(home.control_file, "show")
    return 0


def _load_core() -> type[Core]:
    from argentum_desktop.app.core import Core

    return Core


def _load_desktop() -> type[Desktop]:
    from argentum_desktop.app.shell import Desktop

    return Desktop


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
    collector = GarbageCollector(application)
    try:
        with loop:
            result: T = loop.run_until_complete(main(application))
    finally:
        collector.stop()
    return result


def _log_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """Qt's own remarks belong in the log, not on the owner's terminal."""
    is_grave = kind in {QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg}
    log.log(logging.ERROR if is_grave else logging.INFO, "Qt: %s", text)
