"""A choice of one among few, all of them in sight."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from argentum_desktop.ui import theme


class Segments(QWidget):
    """Buttons of which exactly one is down; `chosen` tells its index."""

    chosen = Signal(int)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], selected: int = 0) -> None:
        """`choices` are pairs of what the button shows and what a screen reader says."""
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for index, (text, spoken) in enumerate(choices):
            button = QPushButton(text)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setChecked(index == selected)
            button.setFont(theme.font(theme.LABEL))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"{name}: {spoken}")
            self._group.addButton(button, index)
            row.addWidget(button)
        self._group.idClicked.connect(self.chosen)

    def buttons(self) -> list[QPushButton]:
        return [button for button in self._group.buttons() if isinstance(button, QPushButton)]
