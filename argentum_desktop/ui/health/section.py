"""The health of the chosen card: never checked, being checked, or how it was judged; and what can be begun."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from argentum_desktop.agent.status import CardStatus, Notice
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.health import CheckMode, HealthReport
from argentum_desktop.ui import theme
from argentum_desktop.ui.health.checkups import Checkup
from argentum_desktop.ui.health.progress import CheckupProgress
from argentum_desktop.ui.health.result import HealthResult
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.notices import NoticeStack
from argentum_desktop.ui.widgets.section import Section, button

_NO_RESULT = "check-without-result"


class HealthSection(Section):
    """`check_wanted` tells the `CheckMode`."""

    check_wanted = Signal(object)
    cancel_wanted = Signal()
    latest_wanted = Signal()

    def __init__(self, theme_: Theme) -> None:
        super().__init__(self.tr("Health"))
        self.latest = button(self.tr("Show the latest check"), "small")
        self.head.addWidget(self.latest)
        self.latest.clicked.connect(self.latest_wanted)
        self.problem = NoticeStack(theme_, is_calm=True)
        self.progress = CheckupProgress(theme_)
        self.progress.cancel_wanted.connect(self.cancel_wanted)
        self.result = HealthResult(theme_)
        self.never = label(theme.BODY, muted=True, wraps=True)
        self.quick = button(self.tr("&Quick check, 1 min"), "primary")
        self.full = button(self.tr("&Full check, 10 min"))
        self.passive = button(self.tr("&Counters only"))
        self.buttons = self._button_row()
        for part in (self.problem, self.progress, self.result, self.never, self.buttons):
            self.rows.addWidget(part)

    def show_health(
        self, card: CardStatus, checkup: Checkup | None, report: HealthReport | None, *, is_latest: bool, now: datetime
    ) -> None:
        """A check under way stands before everything else."""
        is_checking = checkup is not None
        self.progress.setVisible(is_checking)
        self.result.setVisible(report is not None and not is_checking)
        self.never.setVisible(report is None and not is_checking)
        self.buttons.setVisible(not is_checking)
        self.latest.setVisible(not is_latest and not is_checking)
        if checkup is not None:
            self.progress.show_checkup(checkup)
        elif report is not None:
            self.result.show_report(report, now, card.gpu.temperature_slowdown_c)
        else:
            self.never.setText(self._why_check() if card.health is None else self.tr("Reading its checks …"))
        self._show_reach(card)

    def show_problem(self, words: str) -> None:
        """Why the last check ended without a result; empty takes it away."""
        notice = Notice(_NO_RESULT, self.tr("The check ended without a result."), words)
        self.problem.show_notices([notice] if words else [])

    def _show_reach(self, card: CardStatus) -> None:
        is_ready = card.gpu.state is GpuState.READY
        for one in (self.quick, self.full, self.passive):
            one.setEnabled(is_ready)
            one.setToolTip("" if is_ready else self.tr("This card does not answer, so it cannot be checked."))

    def _why_check(self) -> str:
        return self.tr(
            "This card was never checked. A minute of memory patterns, arithmetic and heat tells whether it is sound: "
            "you get a grade from A to F, what is wrong and what helps, and the card's passport begins."
        )

    def _button_row(self) -> QWidget:
        modes = ((self.quick, CheckMode.QUICK), (self.full, CheckMode.FULL), (self.passive, CheckMode.PASSIVE))
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, SPACE_8, 0, 0)
        row.setSpacing(SPACE_8)
        for one, mode in modes:
            one.clicked.connect(lambda _=False, mode=mode: self.check_wanted.emit(mode))
            row.addWidget(one)
        row.addStretch(1)
        return both
