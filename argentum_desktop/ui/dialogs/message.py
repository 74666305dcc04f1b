"""One way to tell the owner of a fault, and one to ask a question. Both are opened and awaited."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget

from argentum_desktop.errors import ArgentumError
from argentum_desktop.ui.dialogs.opened import opened
from argentum_desktop.ui.icons import icon

_ICON_PX = 32


async def show_error(parent: QWidget | None, error: ArgentumError) -> None:
    """Say what happened and what to do, and wait until it was read."""
    box = _box(parent, "attention", error.message, error.remedy)
    box.addButton(QCoreApplication.translate("Message", "Close"), QMessageBox.ButtonRole.AcceptRole)
    await _answered(box)


async def ask(parent: QWidget | None, question: str, detail: str, answers: Sequence[str], dismiss: str) -> str | None:
    """Offer `answers` and one way out, `dismiss`, which is also what the Escape key and the Return key give.

    Returns:
        The chosen answer, None when the owner went out.
    """
    box = _box(parent, "info", question, detail)
    buttons: dict[QAbstractButton, str] = {}
    for answer in answers:
        buttons[box.addButton(answer, QMessageBox.ButtonRole.ActionRole)] = answer
    way_out = box.addButton(dismiss, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(way_out)
    box.setEscapeButton(way_out)
    clicked = await _answered(box)
    return None if clicked is None else buttons.get(clicked)


def _box(parent: QWidget | None, icon_name: str, text: str, detail: str) -> QMessageBox:
    box = QMessageBox(parent)
    box.setIconPixmap(icon(icon_name, box.palette().accent().color(), _ICON_PX).pixmap(_ICON_PX, _ICON_PX))
    box.setWindowTitle("Argentum")
    # Words from a market may stand in here; they are never read as markup.
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setInformativeText(detail)
    box.setAccessibleName(text)
    box.setAccessibleDescription(detail)
    return box


async def _answered(box: QMessageBox) -> QAbstractButton | None:
    await opened(box)
    return box.clickedButton()
