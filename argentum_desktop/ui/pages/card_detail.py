"""Everything about one card, from top to bottom; its checks are asked for when it is chosen and when one has ended."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from argentum_desktop.agent.status import CardStatus, Status
from argentum_desktop.domain.health import HealthReport
from argentum_desktop.errors import ArgentumError
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.charts.card_history import CardHistoryPanel
from argentum_desktop.ui.health.checkups import Checkups
from argentum_desktop.ui.health.history import CheckHistory
from argentum_desktop.ui.health.section import HealthSection
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_12
from argentum_desktop.ui.widgets.card_facts import CardFacts
from argentum_desktop.ui.widgets.live_figures import LiveFigures
from argentum_desktop.ui.widgets.section import Section

_CHECKS = 50


class CardDetail(QWidget):
    """Shows one card after another; what was chosen of one is forgotten with it."""

    def __init__(self, bridge: Bridge, theme: Theme, checkups: Checkups, *, can_export: bool) -> None:
        super().__init__()
        self._bridge = bridge
        self._checkups = checkups
        self._card: CardStatus | None = None
        self._status: Status | None = None
        self._reports: Sequence[HealthReport] = ()
        self._asked_for: tuple[str, str] | None = None
        self._picked = ""
        self.live = LiveFigures(theme, is_whole=True)
        self.health = HealthSection(theme)
        self.chart = CardHistoryPanel(bridge, theme)
        self.history = CheckHistory(can_export=can_export)
        self.facts = CardFacts()
        self._arrange()
        checkups.changed.connect(self._checkup_changed)
        checkups.ended.connect(self._checkup_ended)
        self.history.chosen.connect(self._pick)
        self.health.latest_wanted.connect(lambda: self._pick(None))

    def show_card(self, card: CardStatus, status: Status) -> None:
        if self._card is None or self._card.gpu.gpu_id != card.gpu.gpu_id:
            self._reports, self._picked = (), ""
            self.history.say("")
        self._card, self._status = card, status
        self.live.show_card(card)
        self.facts.show_card(card)
        self.chart.show_card(card, status)
        latest = (card.gpu.gpu_id, "" if card.health is None else card.health.report_id)
        if latest != self._asked_for:
            self._asked_for = latest
            self._ask_for_checks(card.gpu.gpu_id)
        self._show_health()

    def _checkup_changed(self, gpu_id: str) -> None:
        # A page out of sight is brought up to date when it is opened.
        if self._card is not None and self._card.gpu.gpu_id == gpu_id and self.isVisible():
            self._show_health()

    def _checkup_ended(self, gpu_id: str) -> None:
        if self._card is not None and self._card.gpu.gpu_id == gpu_id:
            self._picked = ""
            self._ask_for_checks(gpu_id)

    def _ask_for_checks(self, gpu_id: str) -> None:
        self._bridge.start(self._load_checks(gpu_id), parent=self, failure=self._show_problem)

    async def _load_checks(self, gpu_id: str) -> None:
        reports = await self._bridge.call(self._bridge.service.checks, gpu_id, _CHECKS)
        if self._card is not None and self._card.gpu.gpu_id == gpu_id:
            self._reports = reports
            self._show_health()

    def _show_problem(self, error: ArgentumError) -> None:
        self.history.say(str(error))

    def _pick(self, report: HealthReport | None) -> None:
        self._picked = "" if report is None else report.report_id
        self._show_health()

    def _show_health(self) -> None:
        if self._card is None or self._status is None:
            return
        gpu_id = self._card.gpu.gpu_id
        latest = next(iter(self._reports), None)
        shown = next((report for report in self._reports if report.report_id == self._picked), latest)
        checkup = self._checkups.running(gpu_id)
        now = self._status.taken_at
        self.health.show_health(self._card, checkup, shown, is_latest=shown is latest, now=now)
        self.health.show_problem("" if checkup is not None else self._checkups.problem(gpu_id))
        self.history.show_reports(self._reports, now)

    def _arrange(self) -> None:
        now = Section(self.tr("Now"))
        now.rows.addWidget(self.live)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_12)
        for part in (now, self.health, self.history, self.chart, self.facts):
            column.addWidget(part)
        column.addStretch(1)
