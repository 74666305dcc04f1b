"""The window as a picture, also where there is no screen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSize

from argentum_desktop.errors import BadInputError
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.main_window import MainWindow

SIZE = QSize(1180, 780)
_PATIENCE_S = 20.0
# Parts that grow with their words tell it upwards, one level a turn.
_LAYOUT_TURNS = 8


async def save_picture(window: MainWindow, bridge: Bridge, path: Path, size: QSize = SIZE) -> None:
    """Write what the window shows as a PNG, once everything it asked for has arrived.

    Raises:
        ArgentumError: the status cannot be had, or the file cannot be written.
    """
    was_visible = window.isVisible()
    window.resize(size)
    window.show()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await bridge.refresh()
            await bridge.settled()
    except TimeoutError:
        pass  # A picture of what is there says more than none.
    for _ in range(_LAYOUT_TURNS):
        QCoreApplication.sendPostedEvents()
    image = window.grab().toImage()
    if not was_visible:
        window.hide()
    if not await asyncio.to_thread(lambda: image.save(str(path), "PNG")):  # type: ignore[call-overload]
        raise BadInputError(
            QCoreApplication.translate("Picture", "The picture could not be written to {path}.").format(path=path),
            QCoreApplication.translate("Picture", "Name a folder that exists and that you may write to."),
        )
