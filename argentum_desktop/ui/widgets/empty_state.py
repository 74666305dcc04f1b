"""What stands where nothing is to be shown yet: what will appear here, why it is not there, what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from argentum_desktop.ui import theme
from argentum_desktop.ui.icons import icon
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_24
from argentum_desktop.ui.widgets.labels import label


class EmptyState(QFrame):
    """A card with an icon, a title and two sentences."""

    def __init__(self, theme_: Theme, icon_name: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._theme = theme_
        self._icon_name = icon_name
        self._sign = QLabel()
        self._sign.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._title = label(theme.TITLE)
        self._reason = label(theme.BODY, muted=True, wraps=True)
        self._remedy = label(theme.BODY, wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_24, SPACE_24, SPACE_24)
        layout.setSpacing(SPACE_8)
        layout.addStretch(1)
        layout.addWidget(self._sign)
        for text in (self._title, self._reason, self._remedy):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(text)
        layout.addStretch(2)
        theme_.changed.connect(self._paint_sign)
        self._paint_sign()

    def show_words(self, title: str, reason: str, remedy: str) -> None:
        self._title.setText(title)
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))
        self._remedy.setText(remedy)
        self._remedy.setVisible(bool(remedy))
        self.setAccessibleName(title)
        self.setAccessibleDescription(f"{reason} {remedy}".strip())

    def _paint_sign(self) -> None:
        self._sign.setPixmap(icon(self._icon_name, self._theme.tokens.muted, 32).pixmap(32, 32))
