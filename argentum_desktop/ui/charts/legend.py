"""The names of the lines beside their colours, on as many rows as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from argentum_desktop.ui import theme
from argentum_desktop.ui.theme import Theme

_ROW = 18
_SWATCH = 16
_GAP = 16


class Legend(QWidget):
    """Names with a piece of their line."""

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self._theme = theme_
        self._entries: Sequence[tuple[str, int]] = ()
        self._font = theme.font(theme.LABEL)
        self._metrics = QFontMetricsF(self._font)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme_.changed.connect(self.update)

    def show_names(self, entries: Sequence[tuple[str, int]]) -> None:
        """Pairs of a name and the index of its colour."""
        if entries != self._entries:
            self._entries = entries
            self.setAccessibleName(self.tr("Lines: {names}").format(names=", ".join(name for name, _ in entries)))
            self.updateGeometry()
            self.update()

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        return int(places[-1].bottom()) if places else 0

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(max(200, self.width())))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        for (name, index), place in zip(self._entries, self._places(self.width()), strict=True):
            is_first_round = index < len(self._theme.tokens.series)
            style = Qt.PenStyle.SolidLine if is_first_round else Qt.PenStyle.DashLine
            painter.setPen(QPen(self._theme.series_color(index), 2.5, style, Qt.PenCapStyle.RoundCap))
            middle = place.center().y()
            painter.drawLine(QPointF(place.left() + 2, middle), QPointF(place.left() + _SWATCH - 4, middle))
            painter.setPen(QColor(self._theme.tokens.muted))
            box = place.adjusted(_SWATCH, 0, 0, 0)
            text = self._metrics.elidedText(name, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)

    def _places(self, width: int) -> list[QRectF]:
        places: list[QRectF] = []
        x, y = 0.0, 0.0
        for name, _ in self._entries:
            needed = min(float(width), _SWATCH + self._metrics.horizontalAdvance(name) + 2)
            if x and x + needed > width:
                x, y = 0.0, y + _ROW
            places.append(QRectF(x, y, needed, _ROW))
            x += needed + _GAP
        return places
