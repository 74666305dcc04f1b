"""One large honest number with its name above and its meaning below."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout

from argentum_desktop.ui import theme
from argentum_desktop.ui.tokens import SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.labels import ElidedLabel, label


class Tile(QFrame):
    """A card with a figure."""

    def __init__(self, name: str, explanation: str = "") -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setToolTip(explanation)
        self._name = name
        self._figure = ElidedLabel(theme.FIGURE)
        self._note = ElidedLabel(theme.LABEL, muted=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_12)
        layout.setSpacing(2)
        layout.addWidget(label(theme.LABEL, name, muted=True))
        layout.addWidget(self._figure)
        layout.addWidget(self._note)

    def show_figure(self, figure: str, note: str) -> None:
        self._figure.setText(figure)
        self._note.setText(note)
        self.setAccessibleName(f"{self._name}: {figure}")
        self.setAccessibleDescription(note)
