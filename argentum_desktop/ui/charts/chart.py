"""What every chart shares: margins, grid, the cursor that reads values, and words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from argentum_desktop.ui import theme
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import RADIUS_CONTROL, SPACE_4, SPACE_8, SPACE_12

_FOOT = 22.0
_HEAD = 10.0


@dataclass(frozen=True)
class ReadoutLine:
    """One line of the box beside the cursor: a name, a value and, where it is a series', its colour."""

    name: str
    value: str
    color: QColor | None = None


class Chart(QWidget):
    """A focusable widget with a plot; the arrow keys move the cursor as the mouse does."""

    def __init__(self, theme_: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme_
        self._message = ""
        self._cursor: int | None = None
        self._drawing: QPixmap | None = None
        self._font = theme.font(theme.LABEL)
        self._metrics = QFontMetricsF(self._font)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme_.changed.connect(self.redraw)

    # What a chart provides.

    def positions(self) -> Sequence[float]:
        """The x of every place where the cursor can stand, ascending."""
        return ()

    def readout(self, index: int) -> tuple[str, Sequence[ReadoutLine]]:
        """What is read at a place: a heading and lines."""
        raise NotImplementedError

    def draw(self, painter: QPainter, plot: QRectF) -> None:
        """Draw axes and data."""
        raise NotImplementedError

    # What a chart is given.

    def show_message(self, message: str) -> None:
        """Words in place of data; empty takes them away."""
        self._message = message
        self.setAccessibleDescription(message)
        self.redraw()

    def redraw(self) -> None:
        """Draw anew from the data; a moving cursor alone needs no more than the last drawing."""
        self._drawing = None
        self.update()

    @property
    def message(self) -> str:
        return self._message

    def plot(self) -> QRectF:
        left = self.axis_width() + SPACE_8
        return QRectF(left, _HEAD, max(1.0, self.width() - left - SPACE_8), max(1.0, self.height() - _HEAD - _FOOT))

    def axis_width(self) -> float:
        return 40.0

    def text_width(self, text: str) -> float:
        return self._metrics.horizontalAdvance(text)

    def draw_value_line(self, painter: QPainter, plot: QRectF, y: float, text: str) -> None:
        """A grid line with its value at the left."""
        painter.setPen(QPen(QColor(self._theme.tokens.line), 1))
        painter.drawLine(QPointF(plot.left(), round(y) + 0.5), QPointF(plot.right(), round(y) + 0.5))
        painter.setPen(QColor(self._theme.tokens.muted))
        box = QRectF(0, y - 10, plot.left() - SPACE_8, 20)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)

    def draw_limit(self, painter: QPainter, plot: QRectF, y: float, text: str) -> None:
        """A dashed line that is better not reached, with its name above its right end."""
        color = QColor(self._theme.tokens.attention)
        painter.setPen(QPen(color, 1.2, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(plot.left(), round(y) + 0.5), QPointF(plot.right(), round(y) + 0.5))
        is_high = y - plot.top() < self._metrics.height() + 2
        box = QRectF(plot.left(), y + 3 if is_high else y - 3 - self._metrics.height(), plot.width() - SPACE_4, 16)
        painter.setPen(color)
        painter.drawText(box, _RIGHT, text)

    def draw_foot_text(self, painter: QPainter, plot: QRectF, x: float, text: str) -> None:
        """A word under the plot, centred at `x` and kept inside the widget."""
        width = self.text_width(text) + 2
        left = min(max(0.0, x - width / 2), self.width() - width)
        painter.setPen(QColor(self._theme.tokens.muted))
        painter.drawText(QRectF(left, plot.bottom() + SPACE_4, width, _FOOT - SPACE_4), _CENTER, text)

    # Qt's own.

    def sizeHint(self) -> QSize:
        return QSize(360, 210)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        plot = self.plot()
        if self._message:
            painter.setPen(QColor(self._theme.tokens.muted))
            painter.setFont(theme.font(theme.BODY))
            painter.drawText(QRectF(self.rect()).adjusted(16, 0, -16, 0), _CENTER | _WRAP, self._message)
        else:
            painter.drawPixmap(0, 0, self._drawn(plot))
            self._draw_cursor(painter, plot)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS_CONTROL, RADIUS_CONTROL)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.redraw()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        places = self.positions()
        x = event.position().x()
        nearest = min(range(len(places)), key=lambda index: abs(places[index] - x), default=None)
        self._set_cursor(nearest if self.plot().adjusted(-8, -8, 8, 8).contains(event.position()) else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._set_cursor(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self.positions()) - 1
        here = self._cursor if self._cursor is not None else last + 1
        moves = {
            Qt.Key.Key_Left: max(0, here - 1),
            Qt.Key.Key_Right: min(last, here + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if key in moves and last >= 0:
            self._set_cursor(moves[key])
        elif key == Qt.Key.Key_Escape and self._cursor is not None:
            self._set_cursor(None)
        else:
            super().keyPressEvent(event)

    def _set_cursor(self, index: int | None) -> None:
        if index != self._cursor:
            self._cursor = index
            self.update()

    def _drawn(self, plot: QRectF) -> QPixmap:
        ratio = self.devicePixelRatioF()
        if self._drawing is None or self._drawing.devicePixelRatio() != ratio:
            self._drawing = QPixmap(self.size() * ratio)
            self._drawing.setDevicePixelRatio(ratio)
            self._drawing.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._drawing)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(self._font)
            self.draw(painter, plot)
            painter.end()
        return self._drawing

    def _draw_cursor(self, painter: QPainter, plot: QRectF) -> None:
        places = self.positions()
        if self._cursor is None or self._cursor >= len(places):
            return
        x = places[self._cursor]
        painter.setPen(QPen(QColor(self._theme.tokens.muted), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        heading, lines = self.readout(self._cursor)
        self._draw_readout(painter, x, heading, lines)

    def _draw_readout(self, painter: QPainter, x: float, heading: str, lines: Sequence[ReadoutLine]) -> None:
        row = self._metrics.height() + 3
        inner = max(
            [self.text_width(heading)]
            + [self.text_width(line.name) + self.text_width(line.value) + 38 for line in lines]
        )
        width, height = inner + 2 * SPACE_12, row * (len(lines) + 1) + 2 * SPACE_8
        left = x + SPACE_12 if x + SPACE_12 + width < self.width() else max(0.0, x - SPACE_12 - width)
        box = QRectF(left, _HEAD, width, height)
        tokens = self._theme.tokens
        painter.setPen(QPen(QColor(tokens.line), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(box, RADIUS_CONTROL, RADIUS_CONTROL)
        line_box = QRectF(box.left() + SPACE_12, box.top() + SPACE_8, inner, row)
        painter.setPen(QColor(tokens.muted))
        painter.drawText(line_box, _LEFT, heading)
        for line in lines:
            line_box.translate(0, row)
            indent = 0.0
            if line.color is not None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(line.color)
                painter.drawEllipse(QPointF(line_box.left() + 4, line_box.center().y()), 4, 4)
                indent = 14.0
            painter.setPen(QColor(tokens.muted))
            painter.drawText(line_box.adjusted(indent, 0, 0, 0), _LEFT, line.name)
            painter.setPen(QColor(tokens.text))
            painter.drawText(line_box, _RIGHT, line.value)


_CENTER = int(Qt.AlignmentFlag.AlignCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_WRAP = int(Qt.TextFlag.TextWordWrap)
