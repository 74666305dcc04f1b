"""A grade as a letter in a hexagon: the letter tells it, the colour only helps."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from argentum_desktop.domain.health import Grade
from argentum_desktop.ui import theme
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.theme import Theme, Type

_FILLED = {Grade.F, Grade.X}
_LETTER_SHARE = 0.46


class GradeBadge(QWidget):
    """Shows one grade; a card that failed or is not what it says stands out filled."""

    def __init__(self, theme_: Theme, size: int) -> None:
        super().__init__()
        self._theme = theme_
        self._grade: Grade | None = None
        self.setFixedSize(size, size)
        self.setVisible(False)
        theme_.changed.connect(self.update)

    @property
    def grade(self) -> Grade | None:
        return self._grade

    def show_grade(self, grade: Grade | None) -> None:
        """None takes it away."""
        self._grade = grade
        self.setVisible(grade is not None)
        if grade is not None:
            self.setAccessibleName(texts.grade(grade))
            self.setToolTip(texts.grade(grade))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._grade is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self._color(self._grade)
        size = float(self.width())
        stroke = max(1.5, size / 22)
        style = Qt.PenStyle.DashLine if self._grade is Grade.UNGRADED else Qt.PenStyle.SolidLine
        painter.setPen(QPen(color, stroke, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.RoundJoin))
        is_filled = self._grade in _FILLED
        painter.setBrush(color if is_filled else Qt.BrushStyle.NoBrush)
        painter.drawPolygon(_hexagon(size / 2, size / 2 - stroke))
        painter.setPen(QColor(self._theme.tokens.ground) if is_filled else color)
        painter.setFont(theme.font(Type(round(size * _LETTER_SHARE), theme.FIGURE.weight)))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), texts.grade_letter(self._grade))

    def _color(self, grade: Grade) -> QColor:
        tokens = self._theme.tokens
        return QColor(
            {
                Grade.A: tokens.working,
                Grade.B: tokens.working,
                Grade.C: tokens.accent,
                Grade.D: tokens.attention,
                Grade.F: tokens.fault,
                Grade.X: tokens.fault,
                Grade.UNGRADED: tokens.muted,
            }[grade]
        )


def _hexagon(middle: float, radius: float) -> QPolygonF:
    angles = [math.radians(sixth * 60 - 90) for sixth in range(6)]
    return QPolygonF([QPointF(middle + radius * math.cos(a), middle + radius * math.sin(a)) for a in angles])
