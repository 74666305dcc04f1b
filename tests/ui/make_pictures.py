"""Renders every scene in both themes: `python tests/ui/make_pictures.py FOLDER`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import qasync
from fake_service import FakeClock, FakeService, Scene, ServiceThread
from health_pictures import draw_health
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
    folder.mkdir(parents=True, exist_ok=True)
    theme, thread = Theme(application), ServiceThread()
    try:
        for choice in (ThemeChoice.DARK, ThemeChoice.LIGHT):
            theme.choose(choice)
            for scene in Scene:
                if not wanted or scene in wanted:
                    await draw(scene, choice, theme, thread, folder)
            if not wanted or "health" in wanted:
                await draw_health(theme, choice, thread, folder)
    finally:
        thread.stop()


async def draw(scene: Scene, choice: ThemeChoice, theme: Theme, thread: ServiceThread, folder: Path) -> None:
    """Every page of one scene, in both sizes."""
    bridge = Bridge(FakeService(scene), thread.loop)
    window = MainWindow(bridge, theme, FakeClock(), lambda: None)
    window.set_tray_available(scene is not Scene.FIRST_MINUTE)
    for index, page in ((0, "overview"), (2, "jobs")):
        window.open_page(index)
        for name, size in SIZES.items():
            await save_picture(window, bridge, folder / f"{page}-{scene}-{choice}-{name}.png", size)
    if scene is Scene.WORKING:
        window.open_page(0)
        for number, span in ((1, "day"), (2, "week")):
            window.overview.temperature.ranges.buttons()[number].click()
            await save_picture(window, bridge, folder / f"overview-{span}-{choice}.png")
    await bridge.close()
    window.end()
    window.deleteLater()


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication(sys.argv[:1])
    loop = qasync.QSelectorEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(main(Path(sys.argv[1]), sys.argv[2:]))
