"""How warm the cards were: fetched from the history when it is due, never more often than the range can show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from argentum_desktop.agent.status import Status
from argentum_desktop.errors import ArgentumError
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.charts.legend import Legend
from argentum_desktop.ui.charts.line_chart import LineChart, Series
from argentum_desktop.ui.charts.panel import ChartPanel
from argentum_desktop.ui.charts.ranges import DAY, HOUR, MOST_JOBS, WEEK, Range, bands, points_for, young
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.segments import Segments

_METRIC = "temperature_c"

RANGES = (HOUR, DAY, WEEK)


class TemperaturePanel(ChartPanel):
    """The chart with its choice of range."""

    def __init__(self, bridge: Bridge, theme: Theme) -> None:
        super().__init__()
        name = self.tr("Temperature")
        choices = (
            (self.tr("1 h"), self.tr("one hour")),
            (self.tr("24 h"), self.tr("one day")),
            (self.tr("7 d"), self.tr("one week")),
        )
        self.ranges = Segments(self.tr("Range of the temperature chart"), choices)
        self.add_heading(name, self.ranges)
        self._bridge = bridge
        self._range = RANGES[0]
        self._asked_at: datetime | None = None
        self._request = 0
        self._status: Status | None = None
        self.chart = LineChart(theme, name, "°C")
        self.chart.show_message(self.tr("Reading the history …"))
        self._legend = Legend(theme)
        self.rows.addWidget(self.chart, 1)
        self.rows.addWidget(self._legend)
        self.ranges.chosen.connect(self._choose)

    def show_status(self, status: Status) -> None:
        """Ask for the history again when that is due at the time of this status."""
        cards_changed = self._status is None or _ids(self._status) != _ids(status)
        self._status = status
        is_due = self._asked_at is None or status.taken_at - self._asked_at >= self._range.refresh
        if is_due or cards_changed:
            self._ask(status)

    def _choose(self, index: int) -> None:
        self._range = RANGES[index]
        if self._status is not None:
            self._ask(self._status)

    def _ask(self, status: Status) -> None:
        self._asked_at = status.taken_at
        self._request += 1
        self._bridge.start(self._load(status, self._range, self._request), parent=self, failure=self._show_problem)

    async def _load(self, status: Status, span: Range, request: int) -> None:
        end = status.taken_at
        start = end - span.span
        points = points_for(self.chart.width())
        names = words.card_names(status.cards)
        service = self._bridge.service
        series = await self._series(names, start, end, points)
        if span is RANGES[0] and (begin := young(series, start, end)) > start:
            start, series = begin, await self._series(names, begin, end, points)
        jobs = await self._bridge.call(service.recent_jobs, MOST_JOBS)
        if request != self._request:
            return
        self._legend.show_names([(one.name, one.index) for one in series])
        if any(one.points for one in series):
            self.chart.show_series(series, start, end, bands(jobs, start, end))
        else:
            self.chart.show_message(self._nothing_yet(bool(status.cards)))

    async def _series(self, names: Mapping[str, str], start: datetime, end: datetime, points: int) -> list[Series]:
        load = self._bridge.service.series
        return [
            Series(name, index, await self._bridge.call(load, gpu_id, _METRIC, start, end, points))
            for index, (gpu_id, name) in enumerate(names.items())
        ]

    def _nothing_yet(self, has_cards: bool) -> str:
        if has_cards:
            return self.tr("The first minutes are being recorded; the line begins here shortly.")
        return self.tr("Once a card is found, its temperature is drawn here.")

    def _show_problem(self, error: ArgentumError) -> None:
        self.chart.show_message(f"{error.message} {error.remedy}".strip())


def _ids(status: Status) -> list[str]:
    return [card.gpu.gpu_id for card in status.cards]
