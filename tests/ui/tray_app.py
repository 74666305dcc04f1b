"""The real tray over a fake service, as a program of its own: `tray_app.py LOG_FILE`, driven from outside by a mouse.

Each line of the log is a JSON object: what was clicked, where the icon and the menus are.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TextIO

import qasync
from fake_service import FakeService, ServiceThread
from PySide6.QtCore import QRect, QTimer
from PySide6.QtWidgets import QApplication, QMenu

from argentum_desktop.clock import SystemClock
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.theme import Theme, ThemeChoice
from argentum_desktop.ui.tray import TrayController


class Reporter:
    """Writes what happened and where things are."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._last: dict[str, object] = {}

    def say(self, name: str, value: object) -> None:
        if self._last.get(name) != value:
            self._last[name] = value
            print(json.dumps({name: value}), file=self._file, flush=True)


def rectangle(rect: QRect) -> list[int]:
    return [rect.x(), rect.y(), rect.width(), rect.height()]


def entries(menu: QMenu) -> dict[str, list[int]]:
    if not menu.isVisible():
        return {}
    return {
        action.text(): rectangle(
            QRect(menu.mapToGlobal(menu.actionGeometry(action).topLeft()), menu.actionGeometry(action).size())
        )
        for action in menu.actions()
        if action.text() and action.isVisible()
    }


async def main(log: TextIO) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    ended = asyncio.Event()
    report = Reporter(log)
    thread, service = ServiceThread(), FakeService()
    bridge = Bridge(service, thread.loop)
    theme = Theme(application, ThemeChoice.DARK)
    window = MainWindow(bridge, theme, SystemClock(), ended.set)
    tray = TrayController(bridge, theme, SystemClock(), window.open, ended.set, on_check=window.ask_to_check)
    tray.availability_changed.connect(window.set_tray_available)
    window.set_tray_available(tray.is_available)

    def look() -> None:
        report.say("available", tray.is_available)
        report.say("icon", rectangle(tray.icon.geometry()))
        report.say("menu", entries(tray.menu))
        report.say("pause_menu", entries(tray.pause_menu))
        report.say("window", window.isVisible())
        report.say("tip", tray.icon.toolTip())
        report.say("calls", [call[0] for call in service.calls if call[0] in ("pause", "resume", "stop_jobs")])

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    await bridge.refresh()
    await ended.wait()
    report.say("ended", True)
    timer.stop()
    tray.close()
    window.end()
    await bridge.close()
    thread.stop()


if __name__ == "__main__":
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    loop = qasync.QSelectorEventLoop(application)
    asyncio.set_event_loop(loop)
    with Path(sys.argv[1]).open("w", encoding="utf-8") as log, loop:
        loop.run_until_complete(main(log))
