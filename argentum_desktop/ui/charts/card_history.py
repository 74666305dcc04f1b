"""What one card reported over time: one metric at a time, over one of four ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout, QWidget

from argentum_desktop.agent.status import CardStatus, Status
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.errors import ArgentumError
from argentum_desktop.telemetry.history import Point
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.charts.line_chart import Limit, LineChart, Series
from argentum_desktop.ui.charts.panel import ChartPanel
from argentum_desktop.ui.charts.ranges import DAY, HOUR, MOST_JOBS, WEEK, YEAR, Range, bands, points_for, young
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_16
from argentum_desktop.ui.widgets.segments import Segments

RANGES = (HOUR, DAY, WEEK, YEAR)
_GIB = 1024**3
_CHART_HEIGHT = 230


@dataclass(frozen=True)
class Shown:
    """How a metric is drawn.

    Attributes:
        scale: what it is divided by for the unit that is shown.
        limit: of a card, in the metric's own unit.
    """

    metric: str
    unit: str
    scale: int
    decimals: int
    limit: Callable[[Gpu], int | None]


SHOWN = (
    Shown("temperature_c", "°C", 1, 0, lambda gpu: gpu.temperature_slowdown_c),
    Shown("power_mw", "W", 1000, 0, lambda gpu: gpu.power_limit_mw),
    Shown("clock_sm_mhz", "MHz", 1, 0, lambda _: None),
    Shown("memory_used_bytes", "GiB", _GIB, 1, lambda gpu: gpu.memory_total_bytes),
    Shown("fan_percent", "%", 1, 0, lambda _: None),
)


class CardHistoryPanel(ChartPanel):
    """The chart with its two choices; they stay when another card is chosen."""

    def __init__(self, bridge: Bridge, theme: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._names = (
            self.tr("Temperature"),
            self.tr("Power"),
            self.tr("Clock"),
            self.tr("Memory"),
            self.tr("Fan"),
        )
        self.metrics = Segments(self.tr("What the chart shows"), [(name, name) for name in self._names])
        ranges = (
            (self.tr("1 h"), self.tr("one hour")),
            (self.tr("24 h"), self.tr("one day")),
            (self.tr("7 d"), self.tr("one week")),
            (self.tr("1 y"), self.tr("one year")),
        )
        self.ranges = Segments(self.tr("Range of the history"), ranges)
        self.add_heading(self.tr("History"), self._choices())
        self.chart = LineChart(theme, self._names[0], SHOWN[0].unit)
        self.chart.setMinimumHeight(_CHART_HEIGHT)
        self.rows.addWidget(self.chart, 1)
        self._metric = 0
        self._range = RANGES[0]
        self._card: CardStatus | None = None
        self._status: Status | None = None
        self._asked_at: datetime | None = None
        self._request = 0
        self.metrics.chosen.connect(self._choose_metric)
        self.ranges.chosen.connect(self._choose_range)

    def show_card(self, card: CardStatus, status: Status) -> None:
        """Ask for the history when that is due at the time of this status."""
        is_other = self._card is None or self._card.gpu.gpu_id != card.gpu.gpu_id
        self._card, self._status = card, status
        if is_other:
            self.chart.show_message(self.tr("Reading the history …"))
        if is_other or self._asked_at is None or status.taken_at - self._asked_at >= self._range.refresh:
            self._ask()

    def _choose_metric(self, index: int) -> None:
        self._metric = index
        self._ask()

    def _choose_range(self, index: int) -> None:
        self._range = RANGES[index]
        self._ask()

    def _ask(self) -> None:
        if self._card is not None and self._status is not None:
            self._asked_at = self._status.taken_at
            self._request += 1
            work = self._load(self._card, self._status.taken_at, self._range, self._metric, self._request)
            self._bridge.start(work, parent=self, failure=self._show_problem)

    async def _load(self, card: CardStatus, end: datetime, span: Range, metric: int, request: int) -> None:
        start, shown = end - span.span, SHOWN[metric]
        series = await self._series(card, metric, start, end)
        if span is HOUR and (begin := young([series], start, end)) > start:
            start, series = begin, await self._series(card, metric, begin, end)
        jobs = await self._bridge.call(self._bridge.service.recent_jobs, MOST_JOBS)
        if request != self._request:
            return
        name = self._names[metric]
        self.chart.choose_unit(f"{name}: {card.gpu.label}", shown.unit, shown.decimals)
        if series.points:
            of_card = [job for job in jobs if card.gpu.gpu_id in job.gpu_ids]
            self.chart.show_series([series], start, end, bands(of_card, start, end), self._limit(card.gpu, shown))
        else:
            self.chart.show_message(self._nothing(card, shown))

    async def _series(self, card: CardStatus, metric: int, start: datetime, end: datetime) -> Series:
        shown, points = SHOWN[metric], points_for(self.chart.width())
        load = self._bridge.service.series
        found = await self._bridge.call(load, card.gpu.gpu_id, shown.metric, start, end, points)
        return Series(self._names[metric], 0, _scaled(found, shown.scale))

    def _limit(self, gpu: Gpu, shown: Shown) -> Limit | None:
        value = shown.limit(gpu)
        if value is None:
            return None
        text = f"{words.number(value / shown.scale)}{words.NBSP}{shown.unit}"
        says = self.tr("slows itself down at {value}") if shown.metric == "temperature_c" else self.tr("limit {value}")
        return Limit(says.format(value=text), value / shown.scale)

    def _nothing(self, card: CardStatus, shown: Shown) -> str:
        why = words.why_absent(card.reading, shown.metric)
        return why or self.tr("The first minutes are being recorded; the line begins here shortly.")

    def _show_problem(self, error: ArgentumError) -> None:
        self.chart.show_message(str(error))

    def _choices(self) -> QWidget:
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_16)
        row.addWidget(self.metrics)
        row.addWidget(self.ranges)
        return both


def _scaled(points: Sequence[Point], scale: int) -> Sequence[Point]:
    if scale == 1:
        return points
    return [
        Point(point.at, point.span_s, point.low / scale, point.mean / scale, point.high / scale) for point in points
    ]
