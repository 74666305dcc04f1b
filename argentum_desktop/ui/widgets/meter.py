"""A thin bar, and a figure with its name and bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from argentum_desktop.ui import theme
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.labels import ElidedLabel, label

_HEIGHT = 6
_LEAST_WIDTH = 40


class Meter(QProgressBar):
    """A progress bar six pixels high; screen readers hear its name and its percentage."""

    def __init__(self, theme_: Theme, name: str, *, is_accented: bool = False) -> None:
        super().__init__()
        self._theme = theme_
        self._is_accented = is_accented
        self.setAccessibleName(name)
        self.setTextVisible(False)
        self.setRange(0, 1000)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme_.changed.connect(self.update)

    def minimumSizeHint(self) -> QSize:
        # Qt would keep room for a text that is not there.
        return QSize(_LEAST_WIDTH, _HEIGHT)

    def show_share(self, share: float | None) -> None:
        """Fill this share, from 0 to 1; None leaves it empty."""
        self.setValue(0 if share is None else round(1000 * min(1.0, max(0.0, share))))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        radius = self.height() / 2
        whole = QRectF(self.rect())
        painter.setBrush(QColor(tokens.track))
        painter.drawRoundedRect(whole, radius, radius)
        share = self.value() / self.maximum()
        if share > 0:
            painter.setBrush(QColor(tokens.accent if self._is_accented else tokens.muted))
            filled = QRectF(whole)
            filled.setWidth(max(self.height(), whole.width() * share))
            painter.drawRoundedRect(filled, radius, radius)


class Measure(QWidget):
    """A small name, a figure with its unit, a second word beside it, and a bar for its share of the whole."""

    def __init__(self, theme_: Theme, name: str) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._name = name
        self._figure = ElidedLabel(theme.TITLE)
        self._note = ElidedLabel(theme.LABEL, muted=True)
        self._bar = Meter(theme_, name)
        layout.addWidget(label(theme.LABEL, name, muted=True))
        layout.addWidget(self._figure)
        layout.addWidget(self._note)
        layout.addSpacing(3)
        layout.addWidget(self._bar)
        layout.addStretch(1)

    def show_figure(self, figure: str, note: str = "", share: float | None = None, why_absent: str = "") -> None:
        """Show a figure; one that is not there (a dash) says why when pointed at."""
        self._figure.setText(figure)
        self._figure.setToolTip(why_absent)
        self.setToolTip(why_absent)
        self._figure.setAccessibleName(f"{self._name}: {figure}")
        self._figure.setAccessibleDescription(why_absent or note)
        self._note.setText(note)
        self._bar.show_share(share)
