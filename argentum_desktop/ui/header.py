"""The top of every page: its title, the sentence, and the two buttons that give the computer back."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from argentum_desktop.agent.status import AgentState, Status
from argentum_desktop.ui import theme
from argentum_desktop.ui.icons import icon
from argentum_desktop.ui.owner_actions import OwnerActions, running
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_16, SPACE_24
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.state_glyph import StateGlyph


class Header(QWidget):
    """Says what is happening, until when and why, in the same words as the tray."""

    def __init__(self, theme_: Theme, actions: OwnerActions) -> None:
        super().__init__()
        self._theme = theme_
        self._glyph = StateGlyph(theme_, 18)
        self.title = label(theme.PAGE_TITLE)
        self.sentence = label(theme.BODY, muted=True, wraps=True)
        self.pause = self._button(self.tr("Pause"), self.tr("Pause: choose for how long"), is_primary=True)
        self.resume = self._button(self.tr("Resume"), self.tr("Resume work"), is_primary=True)
        self.stop = self._button(self.tr("Stop now"), self.tr("Stop the running jobs now"), is_primary=False)
        self.pause_menu = QMenu(self)
        actions.fill_pause_menu(self.pause_menu)
        self.pause.clicked.connect(self._open_pause_menu)
        self.resume.clicked.connect(actions.resume)
        self.stop.clicked.connect(actions.stop_jobs)
        # The arrow that promises a menu stands behind the word.
        self.pause.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._arrange()
        theme_.changed.connect(self._color_icons)
        self._color_icons()

    def show_status(self, status: Status) -> None:
        is_paused = status.state is AgentState.PAUSED
        self._glyph.show_state(status.state)
        self.say(status.sentence)
        self.pause.setVisible(not is_paused)
        self.resume.setVisible(is_paused)
        self.stop.setEnabled(bool(running(status.jobs)))
        self.stop.setToolTip("" if self.stop.isEnabled() else self.tr("No job is running."))

    def say(self, sentence: str) -> None:
        if sentence != self.sentence.text():
            self.sentence.setText(sentence)
            self.sentence.setAccessibleName(sentence)

    def _open_pause_menu(self) -> None:
        self.pause_menu.setMinimumWidth(self.pause.width())
        self.pause_menu.popup(self.pause.mapToGlobal(QPoint(0, self.pause.height() + 4)))

    def _button(self, text: str, spoken: str, *, is_primary: bool) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(spoken)
        button.setIconSize(QSize(16, 16))
        if is_primary:
            button.setProperty("role", "primary")
            button.setFont(theme.font(theme.BODY_STRONG))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _arrange(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(SPACE_8)
        line.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.sentence, 1)
        text = QVBoxLayout()
        text.setSpacing(6)
        text.addWidget(self.title)
        text.addLayout(line)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_24, SPACE_16, SPACE_24, SPACE_16)
        row.setSpacing(SPACE_8)
        row.addLayout(text, 1)
        row.addSpacing(SPACE_16)
        for button in (self.stop, self.pause, self.resume):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.resume.setVisible(False)

    def _color_icons(self) -> None:
        tokens = self._theme.tokens
        self.pause.setIcon(icon("chevron", tokens.on_accent))
        self.resume.setIcon(icon("resume", tokens.on_accent))
        self.stop.setIcon(icon("stop", tokens.muted))
