"""One card of the machine: what it does, how it is, and why it does not work when it does not."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout

from argentum_desktop.agent.status import AgentState, CardStatus, JobView, Status
from argentum_desktop.ui import theme, words
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.card_health import CardHealthLine
from argentum_desktop.ui.widgets.labels import ElidedLabel, badge, label
from argentum_desktop.ui.widgets.live_figures import LiveFigures
from argentum_desktop.ui.widgets.meter import Meter
from argentum_desktop.ui.widgets.state_glyph import StateGlyph


class GpuCard(QFrame):
    """Shows one `CardStatus`; made once per card and kept. `check_wanted` tells its id."""

    check_wanted = Signal(str)

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self._gpu_id = ""
        self.setProperty("role", "card")
        self._glyph = StateGlyph(theme_)
        self._name = ElidedLabel(theme.TITLE)
        self._simulated = badge(self.tr("simulated"))
        self._simulated.setToolTip(
            self.tr("Not a real card: it moves as one would, and only the local market sees it.")
        )
        self._earned = label(theme.LABEL, muted=True)
        self._doing = ElidedLabel(theme.BODY)
        self._left = label(theme.LABEL, muted=True)
        self._progress = Meter(theme_, self.tr("Progress of the job"), is_accented=True)
        self._money = ElidedLabel(theme.LABEL, muted=True)
        self._because = label(theme.BODY, muted=True, wraps=True)
        self._remedy = label(theme.BODY, wraps=True)
        self.health = CardHealthLine(theme_)
        self.health.wanted.connect(lambda: self.check_wanted.emit(self._gpu_id))
        self._figures = LiveFigures(theme_)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_16)
        layout.setSpacing(SPACE_8)
        layout.addLayout(self._header())
        layout.addLayout(self._work())
        layout.addStretch(1)
        layout.addWidget(self.health)
        layout.addWidget(self._figures)

    def show_card(self, card: CardStatus, name: str, job: JobView | None, status: Status) -> None:
        """Show how the card is now; `status` is that of the whole machine."""
        self._gpu_id = card.gpu.gpu_id
        self.setAccessibleName(name)
        self._name.setText(name.replace(" (simulated)", ""))
        self._simulated.setVisible(card.gpu.is_simulated)
        earned = card.earned_today
        self._earned.setText("" if earned is None else self.tr("{amount} today").format(amount=words.money(earned)))
        self._earned.setVisible(earned is not None)
        self._glyph.show_state(card_state(card, job, status.state))
        self._show_work(card, job)
        self.health.show_card(card, name, status.taken_at)
        self._figures.show_card(card)

    def _show_work(self, card: CardStatus, job: JobView | None) -> None:
        self._doing.setText(card.doing if job is None else job.title)
        self._left.setText("" if job is None else self._how_far(job))
        self._progress.setVisible(job is not None)
        self._money.setVisible(job is not None)
        if job is not None:
            self._money.setText(self._worth(job))
            self._progress.show_share(None if job.progress_percent is None else job.progress_percent / 100)
        because = card.because.removeprefix("because ")
        self._because.setText(self.tr("Because: {reason}").format(reason=because))
        self._because.setVisible(bool(because))
        self._remedy.setText(card.remedy)
        self._remedy.setVisible(bool(card.remedy))
        self.setAccessibleDescription(" ".join(filter(None, (card.doing, card.because, card.remedy))))

    def _how_far(self, job: JobView) -> str:
        parts = [words.job_state(job) if job.is_frozen or job.progress_percent is None else ""]
        if job.progress_percent is not None:
            parts.append(words.percent(job.progress_percent))
        parts.append(words.time_left(job))
        return " · ".join(filter(None, parts))

    def _worth(self, job: JobView) -> str:
        state = self.tr("{amount} settled") if job.is_settled else self.tr("{amount} accrued")
        parts = (
            self.tr("{span} so far").format(span=words.duration(job.elapsed_s)),
            words.money_per_hour(job.price_per_hour),
            state.format(amount=words.money(job.earned)),
        )
        return " · ".join(parts)

    def _header(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_8)
        row.addWidget(self._glyph)
        row.addWidget(self._name, 1)
        row.addWidget(self._simulated)
        row.addWidget(self._earned)
        return row

    def _work(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_12)
        grid.setVerticalSpacing(SPACE_8)
        grid.addWidget(self._doing, 0, 0)
        grid.addWidget(self._left, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._progress, 1, 0, 1, 2)
        grid.addWidget(self._money, 2, 0, 1, 2)
        grid.addWidget(self._because, 3, 0, 1, 2)
        grid.addWidget(self._remedy, 4, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        return grid


def card_state(card: CardStatus, job: JobView | None, overall: AgentState) -> AgentState:
    """The shape beside a card's name."""
    if card.reading is not None and card.reading.is_lost:
        return AgentState.FAULT
    if job is not None:
        return AgentState.PAUSED if job.is_frozen else AgentState.WORKING
    if not card.because:
        return AgentState.IDLE
    return AgentState.OUTSIDE_HOURS if overall is AgentState.OUTSIDE_HOURS else AgentState.PAUSED
