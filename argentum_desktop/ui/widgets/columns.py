"""A grid that takes as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from argentum_desktop.ui.tokens import SPACE_12


class Columns(QWidget):
    """Lays out its children side by side while each keeps `least_width`, in rows otherwise.

    Args:
        stretches: how the width is shared when all children stand in one row; equal shares without it.
    """

    def __init__(self, least_width: int, most_columns: int, stretches: Sequence[int] = ()) -> None:
        super().__init__()
        self._least_width = least_width
        self._most_columns = most_columns
        self._stretches = tuple(stretches)
        self._children: list[QWidget] = []
        self._count = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACE_12)

    def place(self, children: Sequence[QWidget]) -> None:
        """Show these and nothing else; whoever is no longer among them is let go."""
        for child in self._children:
            if child not in children:
                self._grid.removeWidget(child)
                child.setParent(None)
                child.deleteLater()
        self._children = list(children)
        self._count = 0
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        # One column is the least: otherwise today's columns would keep the window from getting narrower.
        widest = max((child.minimumSizeHint().width() for child in self._children), default=0)
        return QSize(widest, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        fitting = max(1, (self.width() + SPACE_12) // (self._least_width + SPACE_12))
        count = max(1, min(fitting, self._most_columns, len(self._children) or 1))
        # Four figures as three and one would look like a mistake; two and two does not.
        while count > 1 and len(self._children) % count and len(self._children) <= self._most_columns:
            count -= 1
        if count == self._count:
            return
        self._count = count
        for index, child in enumerate(self._children):
            self._grid.addWidget(child, index // count, index % count)
        in_one_row = count == len(self._stretches)
        for column in range(self._most_columns):
            share = self._stretches[column] if in_one_row else 1
            self._grid.setColumnStretch(column, share if column < count else 0)
