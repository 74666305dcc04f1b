"""Values over time: one line per series, gaps left open, the span between lowest and highest behind the line."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from argentum_desktop.telemetry.history import Point
from argentum_desktop.ui import words
from argentum_desktop.ui.charts.axis import decimals_of, is_midnight, time_ticks, value_ticks
from argentum_desktop.ui.charts.chart import Chart, ReadoutLine
from argentum_desktop.ui.charts.strokes import pieces, stroke
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import CHART_LINE_PX

# A point may come this many of its spans late before the line is broken.
_GAP_SPANS = 2.5
_LABEL_EVERY_PX = 84
_LINE_EVERY_PX = 44
# From here on a date says more than a weekday.
_MONTHS_S = 45 * 86400


@dataclass(frozen=True)
class Series:
    """A named line; `index` chooses its colour and stays with the card."""

    name: str
    index: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Band:
    """A span of time that is marked behind the lines, such as a job."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Limit:
    """A value that is better not reached, always in sight."""

    name: str
    value: float


class LineChart(Chart):
    """Shows series of one unit between two instants."""

    def __init__(self, theme: Theme, name: str, unit: str) -> None:
        super().__init__(theme, name)
        self._unit = unit
        self._decimals = 0
        self._limit: Limit | None = None
        self._series: Sequence[Series] = ()
        self._bands: Sequence[Band] = ()
        self._start = self._end = datetime.fromtimestamp(0, UTC)
        self._ticks: list[float] = [0.0, 1.0]
        self._times: list[float] = []

    def choose_unit(self, name: str, unit: str, decimals: int = 0) -> None:
        """What the series that come next are of."""
        self.setAccessibleName(name)
        self._unit, self._decimals = unit, decimals

    def show_series(
        self,
        series: Sequence[Series],
        start: datetime,
        end: datetime,
        bands: Sequence[Band] = (),
        limit: Limit | None = None,
    ) -> None:
        """Draw these from now on; series without points are named in the legend and draw nothing."""
        self._series, self._bands, self._start, self._end, self._limit = series, bands, start, end, limit
        points = [point for one in series for point in one.points]
        if not points:
            return
        self._ticks = self._value_ticks(points)
        self._times = sorted({point.at.timestamp() for point in points})
        self.show_message("")
        self.setAccessibleDescription(self.summary())

    def summary(self) -> str:
        """The chart in words: lowest, mean and highest of each series."""
        parts = []
        for one in self._series:
            if not one.points:
                parts.append(self.tr("{name}: nothing recorded").format(name=one.name))
                continue
            mean = sum(point.mean for point in one.points) / len(one.points)
            parts.append(
                self.tr("{name}: lowest {low}, mean {mean}, highest {high}").format(
                    name=one.name,
                    low=self._value(min(point.low for point in one.points), self._decimals),
                    mean=self._value(mean, self._decimals),
                    high=self._value(max(point.high for point in one.points), self._decimals),
                )
            )
        return "; ".join(parts)

    def axis_width(self) -> float:
        return max(self.text_width(self._value(tick, decimals_of(self._ticks))) for tick in self._ticks)

    def positions(self) -> Sequence[float]:
        plot = self.plot()
        return [self._x(plot, at) for at in self._times]

    def readout(self, index: int) -> tuple[str, Sequence[ReadoutLine]]:
        at = self._times[index]
        lines = []
        for one in self._series:
            point = _point_at(one.points, at)
            if point is None:
                value = words.UNKNOWN
            elif round(point.high, self._decimals) > round(point.low, self._decimals):
                value = f"{words.number(point.low, self._decimals)}–{self._value(point.high, self._decimals)}"
            else:
                value = self._value(point.mean, self._decimals)
            lines.append(ReadoutLine(one.name, value, self._theme.series_color(one.index)))
        moment = datetime.fromtimestamp(at, self._end.tzinfo)
        lines += [ReadoutLine(band.name, "") for band in self._bands if band.start <= moment <= band.end][:2]
        return words.moment(moment, self._end), lines

    def draw(self, painter: QPainter, plot: QRectF) -> None:
        if not self._times:
            return
        self._draw_axes(painter, plot)
        for band in self._bands:
            self._draw_band(painter, plot, band)
        if self._limit is not None:
            self.draw_limit(painter, plot, self._y(plot, self._limit.value), self._limit.name)
        for one in self._series:
            for segment in _segments(one.points):
                self._draw_segment(painter, plot, one, segment)

    def _draw_axes(self, painter: QPainter, plot: QRectF) -> None:
        decimals = decimals_of(self._ticks)
        every = max(1, round(_LINE_EVERY_PX / (plot.height() / max(1, len(self._ticks) - 1))))
        for tick in self._ticks[::every]:
            self.draw_value_line(painter, plot, self._y(plot, tick), self._value(tick, decimals))
        span_s = (self._end - self._start).total_seconds()
        of_months, spans_days = span_s > _MONTHS_S, span_s > 36 * 3600
        for at in time_ticks(self._start, self._end, max(2, int(plot.width() / _LABEL_EVERY_PX))):
            x = self._x(plot, at.timestamp())
            painter.setPen(QPen(QColor(self._theme.tokens.line), 1))
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + 4))
            of_day = spans_days and is_midnight(at)
            day = at.astimezone().date()
            if of_months:
                text = words.day_of_month(day)
            else:
                text = words.short_weekday(day) if of_day else words.clock_time(at)
            self.draw_foot_text(painter, plot, x, text)

    def _draw_band(self, painter: QPainter, plot: QRectF, band: Band) -> None:
        left = max(plot.left(), self._x(plot, band.start.timestamp()))
        right = min(plot.right(), self._x(plot, band.end.timestamp()))
        color = QColor(self._theme.tokens.muted)
        color.setAlpha(26)
        painter.fillRect(QRectF(left, plot.top(), max(1.0, right - left), plot.height()), color)

    def _draw_segment(self, painter: QPainter, plot: QRectF, one: Series, segment: Sequence[Point]) -> None:
        color = self._theme.series_color(one.index)
        # Colours repeat after the sixth series; dashes then tell them apart.
        style = Qt.PenStyle.SolidLine if one.index < len(self._theme.tokens.series) else Qt.PenStyle.DashLine
        pen = QPen(color, CHART_LINE_PX, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        shade = QColor(color)
        shade.setAlpha(38)
        highs, means, lows = self._places(plot, segment)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        # Pieces side by side must neither overlap nor leave a seam, which smooth edges would do.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for piece in pieces(len(segment)):
            painter.drawPolygon(QPolygonF(highs[piece] + lows[piece][::-1]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        stroke(painter, means)

    def _places(self, plot: QRectF, segment: Sequence[Point]) -> tuple[list[QPointF], list[QPointF], list[QPointF]]:
        """Highest, mean and lowest in pixels; written out flat, for this runs thousands of times a drawing."""
        start, left, bottom, least = self._start.timestamp(), plot.left(), plot.bottom(), self._ticks[0]
        per_s = plot.width() / max(1.0, self._end.timestamp() - start)
        per_unit = plot.height() / (self._ticks[-1] - least)
        # Kept inside by hand: a clip would make every stroke dearer by half.
        xs = [min(max(left, left + (point.at.timestamp() - start) * per_s), plot.right()) for point in segment]
        return (
            [QPointF(x, bottom - (point.high - least) * per_unit) for x, point in zip(xs, segment, strict=True)],
            [QPointF(x, bottom - (point.mean - least) * per_unit) for x, point in zip(xs, segment, strict=True)],
            [QPointF(x, bottom - (point.low - least) * per_unit) for x, point in zip(xs, segment, strict=True)],
        )

    def _value_ticks(self, points: Sequence[Point]) -> list[float]:
        low, high = min(point.low for point in points), max(point.high for point in points)
        # A flat line at 41 °C is calm, not an alarm: never less than twenty units of height.
        room = max(0.0, 20 - (high - low)) / 2
        top = high + room if self._limit is None else max(high + room, self._limit.value)
        return value_ticks(max(0.0, low - room) if low >= 0 else low - room, top, 6)

    def _value(self, value: float, decimals: int = 0) -> str:
        return f"{words.number(value, decimals)}{words.NBSP}{self._unit}"

    def _x(self, plot: QRectF, timestamp: float) -> float:
        start, end = self._start.timestamp(), self._end.timestamp()
        return plot.left() + (timestamp - start) / max(1.0, end - start) * plot.width()

    def _y(self, plot: QRectF, value: float) -> float:
        low, high = self._ticks[0], self._ticks[-1]
        return plot.bottom() - (value - low) / (high - low) * plot.height()


def _segments(points: Sequence[Point]) -> list[Sequence[Point]]:
    """The runs between gaps."""
    runs: list[Sequence[Point]] = []
    begin = 0
    for index in range(1, len(points) + 1):
        is_end = index == len(points)
        if is_end or _is_gap(points[index - 1], points[index]):
            runs.append(points[begin:index])
            begin = index
    return [run for run in runs if run]


def _is_gap(before: Point, after: Point) -> bool:
    return (after.at - before.at).total_seconds() > _GAP_SPANS * max(before.span_s, after.span_s)


def _point_at(points: Sequence[Point], timestamp: float) -> Point | None:
    """The point whose span holds the instant, None in a gap."""
    index = bisect.bisect_right(points, timestamp, key=lambda point: point.at.timestamp()) - 1
    if index < 0:
        return None
    point = points[index]
    return point if timestamp - point.at.timestamp() <= _GAP_SPANS * point.span_s else None
