"""The window and the tray of one running service."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from argentum_desktop.agent.service import QuitRequested, ShowRequested
from argentum_desktop.app.passport_export import PassportExport
from argentum_desktop.app.service_thread import ServiceThread
from argentum_desktop.clock import SystemClock
from argentum_desktop.settings.schema import Settings
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.theme import Theme, ThemeChoice
from argentum_desktop.ui.tray import TrayController


class Desktop:
    """What the owner sees; made on Qt's thread.

    Args:
        over: set from elsewhere, too, when the process is to end.
        icon: the one that is in the tray already.
    """

    def __init__(
        self,
        application: QApplication,
        thread: ServiceThread,
        settings: Settings,
        over: asyncio.Event | None = None,
        icon: QSystemTrayIcon | None = None,
    ) -> None:
        if thread.loop is None:
            raise RuntimeError("the service has not begun")
        self.over = over or asyncio.Event()
        self.theme = Theme(application, ThemeChoice(settings.window.theme))
        self.bridge = Bridge(thread.service, thread.loop)
        clock = SystemClock()
        self.window = MainWindow(self.bridge, self.theme, clock, self.over.set, PassportExport(self.bridge))
        self.tray = TrayController(
            self.bridge, self.theme, clock, self.window.open, self.over.set, icon, self.window.ask_to_check
        )
        self.tray.availability_changed.connect(self._tray_changed)
        loop, events = asyncio.get_running_loop(), thread.service.events
        self._subscriptions = [
            events.subscribe(ShowRequested, lambda _: loop.call_soon_threadsafe(self.window.open)),
            events.subscribe(QuitRequested, lambda _: loop.call_soon_threadsafe(self.over.set)),
        ]

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
