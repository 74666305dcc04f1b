"""Renders every scene in both themes: `python tests/ui/make_pictures.py FOLDER`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import qasync
from fake_service import FakeClock, FakeService, Scene, ServiceThread
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.main_window import MainWindow
from argentum_desktop.ui.picture import save_picture
from argentum_desktop.ui.theme import Theme, ThemeChoice

SIZES = {"large": QSize(1180, 780), "small": QSize(900, 600)}


async def main(folder: Path, wanted: list[str]) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    theme = Theme(application)
    thread = ServiceThread()
    for choice in (ThemeChoice.DARK, ThemeChoice.LIGHT):
        theme.choose(choice)
        for scene in Scene:
            if wanted and scene not in wanted:
                continue
            bridge = Bridge(FakeService(scene), thread.loop)
            window = MainWindow(bridge, theme, FakeClock(), lambda: None)
            window.set_tray_available(scene is not Scene.FIRST_MINUTE)
            for index, page in enumerate(("overview", "jobs")):
                window.open_page(index)
                for name, size in SIZES.items():
                    await save_picture(window, bridge, folder / f"{page}-{scene}-{choice}-{name}.png", size)
                if page == "overview" and scene is Scene.WORKING:
                    window.overview.temperature.ranges.buttons()[1].click()
                    await save_picture(window, bridge, folder / f"{page}-day-{choice}.png")
                    window.overview.temperature.ranges.buttons()[2].click()
                    await save_picture(window, bridge, folder / f"{page}-week-{choice}.png")
            await bridge.close()
            window.end()
            window.deleteLater()
    thread.stop()


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication(sys.argv[:1])
    loop = qasync.QSelectorEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(main(Path(sys.argv[1]), sys.argv[2:]))
