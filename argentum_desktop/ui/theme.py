"""Colours, sizes and type, in one place, and the look that is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from argentum_desktop.agent.status import AgentState
from argentum_desktop.ui.stylesheet import stylesheet
from argentum_desktop.ui.tokens import DARK, LIGHT, Tokens

# The first that the computer has. Inter is what the window was drawn with.
FAMILIES = ("Inter", "Segoe UI Variable Text", "Segoe UI", "Cantarell", "Noto Sans", "Ubuntu", "DejaVu Sans")


class ThemeChoice(StrEnum):
    """What the owner may choose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Type:
    """A size in device-independent pixels and a weight."""

    size_px: int
    weight: QFont.Weight = QFont.Weight.Normal
    is_fixed_pitch: bool = False


LABEL = Type(12)
LABEL_MONO = Type(12, is_fixed_pitch=True)
BODY = Type(14)
BODY_STRONG = Type(14, QFont.Weight.DemiBold)
TITLE = Type(16, QFont.Weight.DemiBold)
PAGE_TITLE = Type(22, QFont.Weight.DemiBold)
FIGURE = Type(30, QFont.Weight.DemiBold)


def font(kind: Type) -> QFont:
    """A font of this size whose digits are all equally wide, so that figures do not dance."""
    if kind.is_fixed_pitch:
        made = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    else:
        made = QFont()
        made.setFamilies(list(FAMILIES))
    made.setPixelSize(kind.size_px)
    made.setWeight(kind.weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


class Theme(QObject):
    """The look of the whole application: follows the owner's choice and, where that is `system`, the desktop."""

    changed = Signal()

    def __init__(self, application: QApplication, choice: ThemeChoice = ThemeChoice.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        self.tokens = LIGHT
        application.setStyle("Fusion")
        application.setFont(font(BODY))
        application.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def choose(self, choice: ThemeChoice) -> None:
        self._choice = choice
        self._apply()

    def state_color(self, state: AgentState) -> QColor:
        """The colour of a state; its shape tells the same."""
        return QColor(
            {
                AgentState.WORKING: self.tokens.working,
                AgentState.IDLE: self.tokens.accent,
                AgentState.ATTENTION: self.tokens.attention,
                AgentState.FAULT: self.tokens.fault,
            }.get(state, self.tokens.paused)
        )

    def series_color(self, index: int) -> QColor:
        return QColor(self.tokens.series[index % len(self.tokens.series)])

    def _apply(self) -> None:
        self.tokens = DARK if self._is_dark() else LIGHT
        self._application.setPalette(_palette(self.tokens))
        self._application.setStyleSheet(stylesheet(self.tokens))
        self.changed.emit()

    def _is_dark(self) -> bool:
        if self._choice is ThemeChoice.SYSTEM:
            # Many desktops do not say (Unknown); light is what their owners expect then.
            return self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self._choice is ThemeChoice.DARK


def _palette(tokens: Tokens) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.ground,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.surface,
        QPalette.ColorRole.AlternateBase: tokens.raised,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.Button: tokens.raised,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.BrightText: tokens.fault,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.on_accent,
        QPalette.ColorRole.ToolTipBase: tokens.raised,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Link: tokens.accent,
        QPalette.ColorRole.Accent: tokens.accent,
        QPalette.ColorRole.Mid: tokens.line,
    }
    for role, value in roles.items():
        palette.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return palette
