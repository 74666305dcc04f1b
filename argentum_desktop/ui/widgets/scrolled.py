"""The body of a page: parts from top to bottom, scrolled as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from argentum_desktop.ui.tokens import SPACE_12, SPACE_24


def scrolled(name: str, parts: Sequence[QWidget]) -> QScrollArea:
    """The last part takes what height is left."""
    body = QWidget()
    body.setProperty("role", "page")
    column = QVBoxLayout(body)
    column.setContentsMargins(SPACE_24, 0, SPACE_24, SPACE_24)
    column.setSpacing(SPACE_12)
    for part in parts:
        column.addWidget(part, 1 if part is parts[-1] else 0)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(body)
    area.setAccessibleName(name)
    return area
