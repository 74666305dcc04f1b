"""What the owner should know, calmly: a message and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from argentum_desktop.agent.status import Notice
from argentum_desktop.ui import theme
from argentum_desktop.ui.icons import icon
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.labels import label

_MOST = 3


class NoticeBanner(QFrame):
    """One notice."""

    def __init__(self, theme_: Theme, notice: Notice, *, is_calm: bool) -> None:
        super().__init__()
        self.setProperty("role", "notice")
        self.setAccessibleName(notice.message)
        self.setAccessibleDescription(notice.remedy)
        self._theme = theme_
        self._is_calm = is_calm
        self._sign = QLabel()
        message = label(theme.BODY_STRONG, notice.message, wraps=True)
        remedy = label(theme.BODY, notice.remedy, muted=True, wraps=True)
        remedy.setVisible(bool(notice.remedy))
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(message)
        text.addWidget(remedy)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_12)
        row.setSpacing(SPACE_12)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)
        theme_.changed.connect(self._paint_sign)
        self._paint_sign()

    def _paint_sign(self) -> None:
        tokens = self._theme.tokens
        made = icon("info", tokens.accent, 20) if self._is_calm else icon("attention", tokens.attention, 20)
        self._sign.setPixmap(made.pixmap(20, 20))


class NoticeStack(QWidget):
    """The notices of a status; takes no room when there is none.

    Args:
        is_calm: these only inform; nothing needs to be done.
    """

    def __init__(self, theme_: Theme, *, is_calm: bool = False) -> None:
        super().__init__()
        self._theme = theme_
        self._is_calm = is_calm
        self._shown: tuple[Notice, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_8)
        self.setVisible(False)

    def show_notices(self, notices: Sequence[Notice]) -> None:
        """Show the first few; the rest is counted, not hidden."""
        if tuple(notices) == self._shown:
            return
        self._shown = tuple(notices)
        while (item := self._layout.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.setParent(None)
                old.deleteLater()
        for notice in self._shown[:_MOST]:
            self._layout.addWidget(NoticeBanner(self._theme, notice, is_calm=self._is_calm))
        more = len(self._shown) - _MOST
        if more > 0:
            self._layout.addWidget(label(theme.LABEL, self.tr("%n more notice(s)", "", more), muted=True))
        self.setVisible(bool(self._shown))
