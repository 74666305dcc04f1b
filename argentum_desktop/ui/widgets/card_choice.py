"""One card in the list of cards: its name, what it does, its grade and how warm it is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from argentum_desktop.agent.status import CardStatus, JobView, Status
from argentum_desktop.ui import theme, words
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12
from argentum_desktop.ui.widgets.gpu_card import card_state
from argentum_desktop.ui.widgets.grade_badge import GradeBadge
from argentum_desktop.ui.widgets.labels import ElidedLabel, badge, label
from argentum_desktop.ui.widgets.state_glyph import StateGlyph

_BADGE = 26


class CardChoice(QPushButton):
    """Stays down while its card is the one that is shown."""

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self.setProperty("role", "choice")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._glyph = StateGlyph(theme_)
        self._name = ElidedLabel(theme.BODY_STRONG)
        self._simulated = badge(self.tr("simulated"))
        self._doing = ElidedLabel(theme.LABEL, muted=True)
        self._temperature = label(theme.BODY_STRONG)
        self._confidence = label(theme.LABEL, muted=True)
        self._grade = GradeBadge(theme_, _BADGE)
        self._arrange()

    def show_card(self, card: CardStatus, name: str, job: JobView | None, status: Status) -> None:
        self._glyph.show_state(card_state(card, job, status.state))
        self._name.setText(name.replace(" (simulated)", ""))
        self._simulated.setVisible(card.gpu.is_simulated)
        doing = texts.left(card.checkup) if card.checkup is not None else card.doing
        self._doing.setText(doing)
        reading = card.reading
        warmth = words.temperature(None if reading is None else reading.temperature_c)
        self._temperature.setText(warmth)
        health = card.health
        self._grade.show_grade(None if health is None else health.grade)
        self._confidence.setText(self.tr("not checked") if health is None else words.percent(health.confidence_percent))
        self._confidence.setToolTip("" if health is None else texts.how_sure(health, status.taken_at))
        graded = "" if health is None else f"{texts.grade(health.grade)}, {texts.how_sure(health, status.taken_at)}"
        self.setAccessibleName(", ".join(filter(None, (name, doing, warmth, graded))))

    def sizeHint(self) -> QSize:
        inner = self.layout()
        return super().sizeHint() if inner is None else inner.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(180, self.sizeHint().height())

    def _arrange(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(SPACE_8)
        first.addWidget(self._glyph)
        first.addWidget(self._name, 1)
        first.addWidget(self._simulated)
        first.addWidget(self._temperature)
        second.addWidget(self._doing, 1)
        second.addWidget(self._confidence)
        second.addWidget(self._grade)
        second.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_12, SPACE_12, SPACE_12, SPACE_8)
        column.setSpacing(2)
        column.addLayout(first)
        column.addLayout(second)
        self._confidence.setMinimumHeight(_BADGE)
