"""Values over the seconds of one check: curves, the stages behind them, and the limit above."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from argentum_desktop.ui import words
from argentum_desktop.ui.charts.axis import value_ticks
from argentum_desktop.ui.charts.chart import Chart, ReadoutLine
from argentum_desktop.ui.charts.elapsed_axis import elapsed_text, elapsed_ticks
from argentum_desktop.ui.charts.strokes import stroke
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import CHART_LINE_PX, SPACE_4

# Readings come four times a second; a pause this long breaks the line.
_GAP_S = 3.0
_LABEL_EVERY_PX = 64
_LINE_EVERY_PX = 40
_LEAST_SPAN_C = 20


@dataclass(frozen=True)
class Curve:
    """A named line of (seconds, degrees), oldest first; `index` chooses its colour."""

    name: str
    index: int
    points: Sequence[tuple[float, int]]


@dataclass(frozen=True)
class StageSpan:
    """A stage behind the curves; those with a load are shaded."""

    name: str
    start_s: float
    end_s: float
    is_load: bool


class CurveChart(Chart):
    """Temperatures since a check began."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        self._curves: Sequence[Curve] = ()
        self._stages: Sequence[StageSpan] = ()
        self._limit_c: int | None = None
        self._length_s = 1.0
        self._ticks: list[float] = [0.0, 1.0]
        self._times: list[float] = []

    def show_curves(
        self, curves: Sequence[Curve], length_s: float, stages: Sequence[StageSpan] = (), limit_c: int | None = None
    ) -> None:
        """Draw these over so many seconds; without any point the message stays."""
        self._curves, self._stages, self._limit_c, self._length_s = curves, stages, limit_c, max(1.0, length_s)
        values = [value for curve in curves for _, value in curve.points]
        if not values:
            return
        self._times = sorted({at for curve in curves for at, _ in curve.points})
        low, high = min(values), max(values)
        room = max(0.0, _LEAST_SPAN_C - (high - low)) / 2
        top = high + room if limit_c is None else max(high, limit_c)
        self._ticks = value_ticks(max(0.0, low - room), top, 6)
        self.show_message("")
        self.setAccessibleDescription(self.summary())

    def summary(self) -> str:
        """The chart in words."""
        parts = [
            self.tr("{name}: from {first} to {highest}").format(
                name=curve.name,
                first=words.temperature(curve.points[0][1]),
                highest=words.temperature(max(value for _, value in curve.points)),
            )
            for curve in self._curves
            if curve.points
        ]
        if self._limit_c is not None:
            parts.append(self._limit_words())
        return "; ".join(parts)

    def axis_width(self) -> float:
        return max(self.text_width(words.temperature(tick)) for tick in self._ticks)

    def positions(self) -> Sequence[float]:
        plot = self.plot()
        return [self._x(plot, at) for at in self._times]

    def readout(self, index: int) -> tuple[str, Sequence[ReadoutLine]]:
        at = self._times[index]
        lines = [
            ReadoutLine(
                curve.name, words.temperature(_value_at(curve.points, at)), self._theme.series_color(curve.index)
            )
            for curve in self._curves
        ]
        lines += [ReadoutLine(stage.name, "") for stage in self._stages if stage.start_s <= at < stage.end_s][:1]
        return elapsed_text(at), lines

    def draw(self, painter: QPainter, plot: QRectF) -> None:
        if not self._times:
            return
        for stage in self._stages:
            self._draw_stage(painter, plot, stage)
        every = max(1, round(_LINE_EVERY_PX / (plot.height() / max(1, len(self._ticks) - 1))))
        for tick in self._ticks[::every]:
            self.draw_value_line(painter, plot, self._y(plot, tick), words.temperature(tick))
        for at in elapsed_ticks(self._length_s, max(2, int(plot.width() / _LABEL_EVERY_PX))):
            text = elapsed_text(at)
            # The first would run into the lowest value of the other axis.
            self.draw_foot_text(painter, plot, max(self._x(plot, at), plot.left() + self.text_width(text) / 2), text)
        if self._limit_c is not None:
            self.draw_limit(painter, plot, self._y(plot, self._limit_c), self._limit_words())
        for curve in self._curves:
            self._draw_curve(painter, plot, curve)

    def _draw_stage(self, painter: QPainter, plot: QRectF, stage: StageSpan) -> None:
        left, right = self._x(plot, stage.start_s), self._x(plot, min(stage.end_s, self._length_s))
        if stage.is_load:
            shade = QColor(self._theme.tokens.muted)
            shade.setAlpha(26)
            painter.fillRect(QRectF(left, plot.top(), max(1.0, right - left - 1), plot.height()), shade)
        if self.text_width(stage.name) + 2 * SPACE_4 <= right - left:
            painter.setPen(QColor(self._theme.tokens.muted))
            box = QRectF(left, plot.bottom() - 18, right - left, 16)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), stage.name)

    def _draw_curve(self, painter: QPainter, plot: QRectF, curve: Curve) -> None:
        color = self._theme.series_color(curve.index)
        painter.setPen(
            QPen(color, CHART_LINE_PX, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        for run in _runs(curve.points):
            stroke(painter, [QPointF(self._x(plot, at), self._y(plot, value)) for at, value in run])
        if curve.points:
            at, value = curve.points[-1]
            painter.setBrush(color)
            painter.drawEllipse(QPointF(self._x(plot, at), self._y(plot, value)), 2, 2)

    def _limit_words(self) -> str:
        return self.tr("slows itself down at {t}").format(t=words.temperature(self._limit_c))

    def _x(self, plot: QRectF, seconds: float) -> float:
        return plot.left() + min(1.0, seconds / self._length_s) * plot.width()

    def _y(self, plot: QRectF, value: float) -> float:
        low, high = self._ticks[0], self._ticks[-1]
        return plot.bottom() - (value - low) / (high - low) * plot.height()


def _runs(points: Sequence[tuple[float, int]]) -> list[Sequence[tuple[float, int]]]:
    """The pieces between pauses."""
    ends = [index for index, (one, other) in enumerate(pairwise(points), 1) if other[0] - one[0] > _GAP_S]
    return [points[start:end] for start, end in pairwise([0, *ends, len(points)])]


def _value_at(points: Sequence[tuple[float, int]], at: float) -> int | None:
    index = bisect.bisect_right(points, at, key=lambda point: point[0]) - 1
    return points[index][1] if index >= 0 and at - points[index][0] <= _GAP_S else None
