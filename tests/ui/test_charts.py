"""What the charts draw and read, looked at as pixels and as words."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest
from fake_service import eur
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from argentum_desktop.ledger.earnings import DayEarnings, Totals
from argentum_desktop.telemetry.history import Point
from argentum_desktop.ui.charts.axis import time_ticks
from argentum_desktop.ui.charts.bar_chart import EarningsChart
from argentum_desktop.ui.charts.line_chart import Band, LineChart, Series
from argentum_desktop.ui.theme import Theme

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = START + timedelta(hours=1)


def points(values: dict[int, float], span_s: int = 60) -> list[Point]:
    """Values by minute."""
    return [Point(START + timedelta(minutes=m), span_s, v - 1, v, v + 1) for m, v in values.items()]


@pytest.fixture
def chart(qtbot: QtBot, theme: Theme) -> LineChart:
    made = LineChart(theme, "Temperature", "°C")
    qtbot.addWidget(made)
    made.resize(600, 240)
    made.show()
    return made


def colored(image: QImage, color: QColor, left: int, right: int) -> int:
    """How many pixels are clearly of this colour's hue, smoothed edges included."""
    return sum(
        abs(seen.hslHue() - color.hslHue()) < 12 and seen.hslSaturation() > 80
        for x in range(left, right)
        for y in range(image.height())
        if (seen := image.pixelColor(x, y)).lightness() > 70
    )


def test_a_gap_is_left_open(chart: LineChart, theme: Theme) -> None:
    values = {minute: 60.0 for minute in range(61) if not 20 < minute < 40}
    # Not the first colour: the ring around the focused chart has it too.
    chart.show_series([Series("A", 1, points(values))], START, END)
    plot = chart.plot()
    image = chart.grab().toImage()
    third = plot.width() / 3
    color = theme.series_color(1)
    edges = [int(plot.left() + third * n) for n in range(4)]
    assert colored(image, color, edges[0] + 4, edges[1] - 12) > 50
    assert colored(image, color, edges[1] + 12, edges[2] - 12) == 0
    assert colored(image, color, edges[2] + 12, edges[3] - 4) > 50


def test_the_cursor_reads_every_series_with_its_unit(chart: LineChart, qtbot: QtBot) -> None:
    one = points(dict.fromkeys(range(61), 60.0))
    other = points(dict.fromkeys(range(30), 40.0))
    chart.show_series(
        [Series("A", 0, one), Series("B", 1, other)], START, END, [Band("Render", START, START + timedelta(minutes=10))]
    )
    lines = chart.readout(5)[1]
    assert [(line.name, line.value) for line in lines] == [
        ("A", "59–61\u00a0°C"),
        ("B", "39–41\u00a0°C"),
        ("Render", ""),
    ]
    assert [line.value for line in chart.readout(50)[1]] == ["59–61\u00a0°C", "—"]
    before = chart.grab().toImage()
    qtbot.mouseMove(chart, QPointF(chart.positions()[30], chart.plot().center().y()).toPoint())
    qtbot.waitUntil(lambda: chart.grab().toImage() != before)


def test_the_cursor_moves_by_keyboard(chart: LineChart, qtbot: QtBot) -> None:
    chart.show_series([Series("A", 0, points(dict.fromkeys(range(61), 60.0)))], START, END)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart._cursor == 60
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart._cursor == 59
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart._cursor == 0
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart._cursor is None


def test_the_chart_says_in_words_what_it_shows(chart: LineChart) -> None:
    chart.show_series([Series("A", 0, points({0: 40.0, 1: 60.0})), Series("B", 1, ())], START, END)
    assert chart.accessibleName() == "Temperature"
    assert chart.accessibleDescription() == (
        "A: lowest 39\u00a0°C, mean 50\u00a0°C, highest 61\u00a0°C; B: nothing recorded"
    )


def test_labels_of_the_axes_never_overlap(chart: LineChart) -> None:
    for width in (320, 420, 600, 1200):
        chart.resize(width, 240)
        chart.show_series([Series("A", 0, points({0: 40.0, 59: 60.0}))], START, END)
        plot = chart.plot()
        ticks = time_ticks(START, END, max(2, int(plot.width() / 84)))
        places = [chart._x(plot, at.timestamp()) for at in ticks]
        room = chart.text_width("00:00") + 8
        assert all(after - before > room for before, after in itertools.pairwise(places))


def day(number: int, gross: str, cost: str) -> DayEarnings:
    return DayEarnings((START + timedelta(days=number)).date(), Totals(eur(gross), eur("0"), eur(cost)))


def test_a_loss_hangs_below_the_line(qtbot: QtBot, theme: Theme) -> None:
    chart = EarningsChart(theme, "Net")
    qtbot.addWidget(chart)
    chart.resize(400, 240)
    chart.show_days([day(0, "2", "0.50"), day(1, "0", "0.50")])
    image = chart.grab().toImage()
    zero = chart._y(chart.plot(), 0)
    gain, loss = (int(x) for x in chart.positions())
    assert image.pixelColor(gain, int(zero - 10)) != image.pixelColor(gain, int(zero + 10))
    assert image.pixelColor(loss, int(zero + 8)) == QColor(theme.tokens.attention)
    assert chart.accessibleDescription().startswith("€1.00 net in 2 days; most on Mon 23 Nov: €1.50")
    assert [line.value for line in chart.readout(0)[1]] == ["€2.00", "€0.00", "−€0.50", "€1.50"]


def test_a_week_of_four_series_is_drawn_fast(chart: LineChart) -> None:
    chart.resize(1000, 500)
    week = [Point(START + timedelta(seconds=840 * n), 840, 40 + n % 9, 45 + n % 9, 50 + n % 9) for n in range(720)]
    series = [Series(name, index, week) for index, name in enumerate("ABCD")]
    chart.show_series(series, START, START + timedelta(days=7))
    chart.grab()
    times_s = []
    for _ in range(3):
        chart.redraw()
        began = time.thread_time()
        chart.grab()
        times_s.append(time.thread_time() - began)
    # 40 ms here when the machine is quiet; one unbroken path per series took 530.
    assert min(times_s) < 0.15
