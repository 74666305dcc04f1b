"""The card around a chart: its title, what can be chosen, and the chart."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from argentum_desktop.ui import theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.labels import ElidedLabel


class ChartPanel(QFrame):
    """A card with a heading; panels of one kind add their chart below."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_12)
        self.rows.setSpacing(SPACE_8)

    def add_heading(self, title: str, beside: QWidget) -> None:
        """The first row: the title, and at its right what belongs to the whole chart."""
        heading = ElidedLabel(theme.TITLE)
        heading.setText(title)
        row = QHBoxLayout()
        row.setSpacing(SPACE_8)
        row.addWidget(heading, 1)
        row.addWidget(beside)
        self.rows.addLayout(row)
