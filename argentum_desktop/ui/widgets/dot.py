"""A sign that something is well or not: a full disc or an open ring."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from argentum_desktop.ui.theme import Theme

_SIZE = 16


class Dot(QWidget):
    """Full and green while all is well, a ring in the colour of attention otherwise."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._is_good = False
        self.setFixedSize(_SIZE, _SIZE)
        theme.changed.connect(self.update)

    def show_good(self, is_good: bool) -> None:
        self._is_good = is_good
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(self._theme.tokens.working if self._is_good else self._theme.tokens.attention)
        painter.setPen(QPen(color, 2))
        painter.setBrush(color if self._is_good else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(_SIZE / 2, _SIZE / 2), 3.5, 3.5)
