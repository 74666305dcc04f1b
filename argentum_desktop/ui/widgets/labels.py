"""Text in the few sizes and tones the design knows. Never read as markup: some of it comes from strangers."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from argentum_desktop.ui import theme, words
from argentum_desktop.ui.theme import Type


def label(kind: Type = theme.BODY, text: str = "", *, muted: bool = False, wraps: bool = False) -> QLabel:
    """A plain label."""
    made = QLabel(text)
    _dress(made, kind, muted=muted)
    made.setWordWrap(wraps)
    return made


def badge(text: str) -> QLabel:
    """A small outlined word beside a name."""
    made = label(theme.LABEL, text)
    made.setProperty("role", "badge")
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return made


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where it does not fit; the whole is in the tool tip and for screen readers."""

    def __init__(self, kind: Type = theme.BODY, *, muted: bool = False) -> None:
        super().__init__()
        _dress(self, kind, muted=muted)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        if text != self.text():
            super().setText(text)
            self.setToolTip(words.plain(text))

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self.text()) + 2, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


def _dress(made: QLabel, kind: Type, *, muted: bool) -> None:
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFont(theme.font(kind))
    if muted:
        made.setProperty("role", "muted")
