"""A card of a page with its heading."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from argentum_desktop.ui import theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.labels import ElidedLabel


class Section(QFrame):
    """`head` is the line of the heading, `rows` is where the parts below it go."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        heading = ElidedLabel(theme.TITLE)
        heading.setText(title)
        self.head = QHBoxLayout()
        self.head.setSpacing(SPACE_8)
        self.head.addWidget(heading, 1)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_16)
        self.rows.setSpacing(SPACE_8)
        self.rows.addLayout(self.head)


def button(text: str, role: str = "") -> QPushButton:
    """A button that is reached with the Tab key; `&` in its text marks its letter."""
    made = QPushButton(text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if role:
        made.setProperty("role", role)
    if role == "primary":
        made.setFont(theme.font(theme.BODY_STRONG))
    if role in {"small", "link"}:
        made.setFont(theme.font(theme.LABEL))
    return made
