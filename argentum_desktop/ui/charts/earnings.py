"""What the last fourteen days brought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from argentum_desktop.agent.status import Status
from argentum_desktop.domain.money import total
from argentum_desktop.errors import ArgentumError
from argentum_desktop.ledger.earnings import DayEarnings
from argentum_desktop.ui import theme, words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.charts.bar_chart import EarningsChart
from argentum_desktop.ui.charts.panel import ChartPanel
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.labels import label

DAYS = 14
_REFRESH = timedelta(minutes=1)


class EarningsPanel(ChartPanel):
    """The chart with its sum; asked for anew each minute and whenever a job was settled."""

    def __init__(self, bridge: Bridge, theme_: Theme) -> None:
        super().__init__()
        title = self.tr("Net earnings, {n} days").format(n=DAYS)
        self._sum = label(theme.LABEL, muted=True)
        self.add_heading(title, self._sum)
        self._bridge = bridge
        self._asked_at: datetime | None = None
        self._gross_today: int | None = None
        self.chart = EarningsChart(theme_, title)
        self.chart.show_message(self.tr("Reading the ledger …"))
        self.rows.addWidget(self.chart, 1)

    def show_status(self, status: Status) -> None:
        """Ask the ledger again when that is due at the time of this status."""
        gross = status.today.gross.micros
        is_due = self._asked_at is None or status.taken_at - self._asked_at >= _REFRESH
        if not is_due and gross == self._gross_today:
            return
        self._asked_at, self._gross_today = status.taken_at, gross
        self._bridge.start(
            self._bridge.call(self._bridge.service.earnings, DAYS),
            parent=self,
            success=self._show_days,
            failure=self._show_problem,
        )

    def _show_days(self, days: Sequence[DayEarnings]) -> None:
        if not any(day.totals.gross.micros or day.totals.electricity.micros for day in days):
            self._sum.setText("")
            self.chart.show_message(self.tr("The first paid job appears here, with its costs already taken off."))
            return
        nets = [day.totals.net for day in days]
        self._sum.setText(self.tr("{amount} in all").format(amount=words.money(total(nets, nets[0].currency))))
        self.chart.show_days(days)

    def _show_problem(self, error: ArgentumError) -> None:
        self.chart.show_message(f"{error.message} {error.remedy}".strip())
