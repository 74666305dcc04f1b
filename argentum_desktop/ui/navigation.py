"""The list of pages at the left, and at its foot whether the markets can be reached."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from argentum_desktop.agent.status import MarketStatus
from argentum_desktop.ui import theme, words
from argentum_desktop.ui.icons import application_icon, icon
from argentum_desktop.ui.pages.page import Page
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_4, SPACE_8, SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.dot import Dot
from argentum_desktop.ui.widgets.labels import ElidedLabel, label

_WIDTH = 188


class Navigation(QWidget):
    """Tells the index of the chosen page."""

    chosen = Signal(int)

    def __init__(self, theme_: Theme, pages: Sequence[Page]) -> None:
        super().__init__()
        self.setProperty("role", "navigation")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Pages"))
        self.setFixedWidth(_WIDTH)
        self._theme = theme_
        self._pages = pages
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.chosen)
        self._dot = Dot(theme_)
        self._connection = ElidedLabel(theme.LABEL, muted=True)
        self._count = ElidedLabel(theme.LABEL, muted=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_12, SPACE_16, SPACE_12, SPACE_16)
        column.setSpacing(SPACE_4)
        column.addLayout(self._head())
        column.addSpacing(SPACE_12)
        for index, page in enumerate(pages):
            column.addWidget(self._button(index, page))
        column.addStretch(1)
        column.addLayout(self._foot())
        theme_.changed.connect(self._color_icons)
        self.select(0)

    def select(self, index: int) -> None:
        self._group.button(index).setChecked(True)
        self._color_icons()

    def show_markets(self, markets: Sequence[MarketStatus]) -> None:
        """The foot: connected, or what is wrong."""
        lost = [market for market in markets if not market.is_connected]
        self._dot.show_good(bool(markets) and not lost)
        if not markets:
            self._connection.setText(self.tr("No market"))
        elif lost:
            self._connection.setText(self.tr("Not connected"))
        else:
            self._connection.setText(self.tr("Connected"))
        if len(markets) == 1:
            market = markets[0]
            self._count.setText(self.tr("{name} (local)").format(name=market.name) if market.is_local else market.name)
        else:
            self._count.setText(self.tr("%n market(s)", "", len(markets)))
        problems = [f"{market.name}: {market.problem}" for market in lost]
        details = "\n".join(problems or [f"{market.name}: {market.url}" for market in markets])
        self._count.setToolTip(words.plain(details))
        self._connection.setToolTip(words.plain(details))
        self._connection.setAccessibleDescription(details)

    def _head(self) -> QHBoxLayout:
        sign = QLabel()
        sign.setPixmap(application_icon().pixmap(QSize(24, 24), self.devicePixelRatioF()))
        row = QHBoxLayout()
        row.setContentsMargins(SPACE_8, 0, 0, 0)
        row.setSpacing(SPACE_8)
        row.addWidget(sign)
        row.addWidget(label(theme.TITLE, "Argentum"), 1)
        return row

    def _foot(self) -> QHBoxLayout:
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(self._connection)
        text.addWidget(self._count)
        row = QHBoxLayout()
        row.setContentsMargins(SPACE_8, 0, 0, 0)
        row.setSpacing(SPACE_8)
        row.addWidget(self._dot, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)
        return row

    def _button(self, index: int, page: Page) -> QPushButton:
        button = QPushButton(f"  {page.title()}")
        button.setProperty("role", "navigation")
        button.setCheckable(True)
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(page.title())
        button.toggled.connect(self._color_icons)
        self._group.addButton(button, index)
        return button

    def _color_icons(self) -> None:
        tokens = self._theme.tokens
        for index, page in enumerate(self._pages):
            button = self._group.button(index)
            if button is not None:
                button.setIcon(icon(page.icon_name, tokens.accent if button.isChecked() else tokens.muted))
