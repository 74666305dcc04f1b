"""Every dialog is opened and awaited; one that ran a loop of its own would lose tasks of the window's loop."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QDialog


async def opened(dialog: QDialog) -> bool:
    """Open it, wait until the owner is done with it, and take it away; what it holds can be read until then.

    Returns:
        Whether it was accepted.
    """
    finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finish(result: int) -> None:
        if not finished.done():
            finished.set_result(result)

    dialog.finished.connect(finish)
    dialog.open()
    if dialog.parentWidget() is None:
        dialog.raise_()
        dialog.activateWindow()
    try:
        return await finished == QDialog.DialogCode.Accepted
    finally:
        dialog.close()
        dialog.deleteLater()
