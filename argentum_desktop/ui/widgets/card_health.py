"""One line of a card about its health: how it was judged, how far a check is, or that there was none yet."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from argentum_desktop.agent.status import CardStatus
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.health import Grade
from argentum_desktop.ui import theme
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8
from argentum_desktop.ui.widgets.grade_badge import GradeBadge
from argentum_desktop.ui.widgets.labels import ElidedLabel

_BADGE = 22


class CardHealthLine(QWidget):
    """Asks for a check where there was none."""

    wanted = Signal()

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self._badge = GradeBadge(theme_, _BADGE)
        self._words = ElidedLabel(theme.LABEL, muted=True)
        self.check = QPushButton(self.tr("Check its health"))
        self.check.setProperty("role", "small")
        self.check.setFont(theme.font(theme.LABEL))
        self.check.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.check.clicked.connect(self.wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_8)
        row.addWidget(self._badge)
        row.addWidget(self._words, 1)
        row.addWidget(self.check)
        self.setMinimumHeight(28)

    def show_card(self, card: CardStatus, name: str, now: datetime) -> None:
        is_checking = card.checkup is not None
        health = card.health
        self.check.setAccessibleName(self.tr("Check the health of {card}").format(card=name))
        self.check.setVisible(health is None and not is_checking and card.gpu.state is GpuState.READY)
        self._badge.show_grade(None if health is None or is_checking else health.grade)
        if card.checkup is not None:
            self._words.setText(texts.left(card.checkup))
        elif health is None:
            self._words.setText(self.tr("Its health was never checked."))
        else:
            graded = f"{texts.grade(health.grade)} · " if health.grade is Grade.UNGRADED else ""
            self._words.setText(self.tr("Health: {text}").format(text=graded + texts.how_sure(health, now)))
