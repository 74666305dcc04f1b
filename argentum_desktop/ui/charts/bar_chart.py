"""One bar a day of what stayed with the owner; the cursor reads how it came about."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from argentum_desktop.domain.money import MICROS_PER_UNIT, Money, total
from argentum_desktop.ledger.earnings import DayEarnings
from argentum_desktop.ui import words
from argentum_desktop.ui.charts.axis import value_ticks
from argentum_desktop.ui.charts.chart import Chart, ReadoutLine
from argentum_desktop.ui.theme import Theme

_BAR_SHARE = 0.68
_WIDEST_BAR = 34.0
_LINE_EVERY_PX = 44
_LEAST_TOP_MICROS = 10_000


class EarningsChart(Chart):
    """Shows days, oldest first; today is the last and stands out."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        self._days: Sequence[DayEarnings] = ()
        self._ticks: list[float] = [0.0, 1.0]
        self._lowest = 0.0

    def show_days(self, days: Sequence[DayEarnings]) -> None:
        self._days = days
        if not days:
            return
        nets = [day.totals.net.micros for day in days]
        self._ticks = value_ticks(min(0, *nets) / MICROS_PER_UNIT, max(_LEAST_TOP_MICROS, *nets) / MICROS_PER_UNIT, 5)
        # A day or two just below zero need a foot under the axis, not a whole step of the scale.
        self._lowest = min(0, *nets) / MICROS_PER_UNIT * 1.1
        self._ticks = [tick for tick in self._ticks if tick >= self._lowest]
        self.show_message("")
        self.setAccessibleDescription(self.summary())

    def summary(self) -> str:
        """The chart in words."""
        nets = [day.totals.net for day in self._days]
        best = max(self._days, key=lambda day: day.totals.net.micros)
        return self.tr("{total} net in {n} days; most on {day}: {best}").format(
            total=words.money(total(nets, nets[0].currency)),
            n=len(nets),
            day=words.short_date(best.day),
            best=words.money(best.totals.net),
        )

    def axis_width(self) -> float:
        return max(self.text_width(self._amount(tick)) for tick in self._ticks)

    def positions(self) -> Sequence[float]:
        plot = self.plot()
        slot = plot.width() / max(1, len(self._days))
        return [plot.left() + slot * (index + 0.5) for index in range(len(self._days))]

    def readout(self, index: int) -> tuple[str, Sequence[ReadoutLine]]:
        day = self._days[index]
        totals = day.totals
        return words.short_date(day.day), (
            ReadoutLine(self.tr("gross"), words.money(totals.gross)),
            ReadoutLine(self.tr("market fee"), words.money(-totals.fee)),
            ReadoutLine(self.tr("electricity"), words.money(-totals.electricity)),
            ReadoutLine(self.tr("net"), words.money(totals.net), self._color(index)),
        )

    def draw(self, painter: QPainter, plot: QRectF) -> None:
        if not self._days:
            return
        every = max(1, round(_LINE_EVERY_PX / (plot.height() / max(1, len(self._ticks) - 1))))
        for tick in self._ticks[::every]:
            self.draw_value_line(painter, plot, self._y(plot, tick), self._amount(tick))
        places = self.positions()
        slot = plot.width() / len(self._days)
        width = min(_WIDEST_BAR, slot * _BAR_SHARE)
        for index, x in enumerate(places):
            self._draw_bar(painter, plot, x - width / 2, width, index)
        self._draw_zero(painter, plot)
        label_every = 1 + int(self.text_width("30") * 1.6 / slot)
        for index in range(len(places) - 1, -1, -label_every):
            self.draw_foot_text(painter, plot, places[index], str(self._days[index].day.day))

    def _draw_bar(self, painter: QPainter, plot: QRectF, left: float, width: float, index: int) -> None:
        net = self._days[index].totals.net.micros / MICROS_PER_UNIT
        if net == 0:
            return
        zero, y = self._y(plot, 0), self._y(plot, net)
        height = max(1.5, abs(zero - y))
        top = zero - height if net > 0 else zero
        # Round at the end and square at the axis.
        radius = min(3.0, height / 2)
        path = QPainterPath()
        path.setFillRule(Qt.FillRule.WindingFill)
        path.addRoundedRect(QRectF(left, top, width, height), radius, radius)
        foot = QRectF(left, zero - radius if net > 0 else zero, width, radius)
        path.addRect(foot)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color(index))
        painter.drawPath(path.simplified())

    def _draw_zero(self, painter: QPainter, plot: QRectF) -> None:
        y = round(self._y(plot, 0)) + 0.5
        painter.setPen(QPen(QColor(self._theme.tokens.muted), 1))
        painter.drawLine(int(plot.left()), int(y), int(plot.right()), int(y))

    def _color(self, index: int) -> QColor:
        if self._days[index].totals.net.micros < 0:
            return QColor(self._theme.tokens.attention)
        color = QColor(self._theme.tokens.accent)
        if index != len(self._days) - 1:
            color.setAlpha(120)
        return color

    def _amount(self, tick: float) -> str:
        currency = self._days[0].totals.net.currency if self._days else "EUR"
        return words.money(Money(round(tick * MICROS_PER_UNIT), currency))

    def _y(self, plot: QRectF, value: float) -> float:
        low, high = self._lowest, self._ticks[-1]
        return plot.bottom() - (value - low) / (high - low) * plot.height()
