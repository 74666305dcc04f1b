"""The tray's hexagon inside the window, in the theme's colours."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from argentum_desktop.agent.status import AgentState
from argentum_desktop.ui import words
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tray_icon import state_pixmap


class StateGlyph(QWidget):
    """Shows a state by shape and colour, and says it to a screen reader."""

    def __init__(self, theme: Theme, size: int = 16) -> None:
        super().__init__()
        self._theme = theme
        self._state = AgentState.STARTING
        self.setFixedSize(size, size)
        self.show_state(self._state)
        theme.changed.connect(self.update)

    def show_state(self, state: AgentState) -> None:
        self._state = state
        self.setAccessibleName(words.agent_state(state))
        self.setToolTip(words.agent_state(state))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        color = self._theme.state_color(self._state)
        QPainter(self).drawPixmap(0, 0, state_pixmap(self._state, self.width(), color, ratio=self.devicePixelRatioF()))
