"""What a check says, as a sign that is told by its shape alone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from argentum_desktop.domain.health import CheckVerdict
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.theme import Theme

SIZE = 18
# Everything is drawn in a box of 24 units.
_BOX = 24.0
_RATIOS = (1, 2, 3)
_TRIANGLE = QPolygonF([QPointF(12, 3), QPointF(22, 21), QPointF(2, 21)])
_OCTAGON = QPolygonF(
    [QPointF(x, y) for x, y in ((8, 2), (16, 2), (22, 8), (22, 16), (16, 22), (8, 22), (2, 16), (2, 8))]
)


def verdict_color(theme: Theme, verdict: CheckVerdict) -> QColor:
    tokens = theme.tokens
    return QColor(
        {
            CheckVerdict.PASS: tokens.working,
            CheckVerdict.INFO: tokens.accent,
            CheckVerdict.WARN: tokens.attention,
            CheckVerdict.FAIL: tokens.fault,
        }.get(verdict, tokens.muted)
    )


def verdict_icon(theme: Theme, verdict: CheckVerdict) -> QIcon:
    """For a table's cell, sharp at 100, 200 and 300 %; it keeps its colour in a chosen row."""
    made = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        for ratio in _RATIOS:
            made.addPixmap(verdict_pixmap(verdict, SIZE, verdict_color(theme, verdict), ratio), mode)
    return made


def verdict_pixmap(verdict: CheckVerdict, size: int, color: QColor, ratio: float = 1.0) -> QPixmap:
    """One picture of `size` device-independent pixels."""
    pixels = round(size * ratio)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(pixels / _BOX, pixels / _BOX)
    painter.setPen(QPen(color, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    _DRAWINGS[verdict](painter, color)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class VerdictGlyph(QWidget):
    """The sign as a widget, with its word for a screen reader."""

    def __init__(self, theme: Theme, verdict: CheckVerdict) -> None:
        super().__init__()
        self._theme = theme
        self._verdict = verdict
        self.setFixedSize(SIZE, SIZE)
        self.setAccessibleName(texts.verdict(verdict))
        self.setToolTip(texts.verdict(verdict))
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        color = verdict_color(self._theme, self._verdict)
        QPainter(self).drawPixmap(0, 0, verdict_pixmap(self._verdict, SIZE, color, self.devicePixelRatioF()))


def _passed(painter: QPainter, _color: QColor) -> None:
    painter.drawPolyline(QPolygonF([QPointF(4, 13), QPointF(9.5, 18.5), QPointF(20, 6)]))


def _informed(painter: QPainter, _color: QColor) -> None:
    painter.drawEllipse(QPointF(12, 12), 9, 9)
    painter.drawLine(QPointF(12, 11), QPointF(12, 16.5))
    painter.drawPoint(QPointF(12, 7.5))


def _warned(painter: QPainter, _color: QColor) -> None:
    painter.drawPolygon(_TRIANGLE)
    painter.drawLine(QPointF(12, 10), QPointF(12, 14.5))
    painter.drawPoint(QPointF(12, 17.8))


def _failed(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    painter.drawPolygon(_OCTAGON)
    # The cross is cut out, so that whatever lies behind shows through.
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setPen(QPen(Qt.GlobalColor.black, 2.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(8, 8), QPointF(16, 16))
    painter.drawLine(QPointF(16, 8), QPointF(8, 16))


def _not_for_it(painter: QPainter, _color: QColor) -> None:
    painter.drawLine(QPointF(6, 12), QPointF(18, 12))


def _not_run(painter: QPainter, color: QColor) -> None:
    painter.setPen(QPen(color, 2, Qt.PenStyle.DotLine, Qt.PenCapStyle.FlatCap))
    painter.drawEllipse(QPointF(12, 12), 8, 8)


def _unreadable(painter: QPainter, _color: QColor) -> None:
    painter.drawRoundedRect(QRectF(3, 3, 18, 18), 3, 3)
    painter.drawArc(QRectF(8.7, 6.4, 6.6, 6.6), -40 * 16, 220 * 16)
    painter.drawLine(QPointF(12, 13.6), QPointF(12, 14))
    painter.drawPoint(QPointF(12, 17.6))


_DRAWINGS: dict[CheckVerdict, Callable[[QPainter, QColor], None]] = {
    CheckVerdict.PASS: _passed,
    CheckVerdict.INFO: _informed,
    CheckVerdict.WARN: _warned,
    CheckVerdict.FAIL: _failed,
    CheckVerdict.NOT_APPLICABLE: _not_for_it,
    CheckVerdict.NOT_RUN: _not_run,
    CheckVerdict.ERROR: _unreadable,
}
