"""The signs, words and curves of a health check."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from fake_health import CHECKS, check, curve, report, view
from fake_service import BASE, NOW, RTX_3090
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.health import (
    CheckMode,
    CheckVerdict,
    Comparison,
    Grade,
    HealthSummary,
    Stage,
    Threshold,
)
from argentum_desktop.telemetry.history import Point
from argentum_desktop.ui.charts.axis import time_ticks
from argentum_desktop.ui.charts.curve import Curve, CurveChart, StageSpan
from argentum_desktop.ui.charts.elapsed_axis import elapsed_text, elapsed_ticks
from argentum_desktop.ui.charts.line_chart import Limit, LineChart, Series
from argentum_desktop.ui.check_menu import CheckMenu
from argentum_desktop.ui.health import curves, texts
from argentum_desktop.ui.models.comparison import pairs
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.grade_badge import GradeBadge
from argentum_desktop.ui.widgets.verdict_glyph import verdict_pixmap

NB = "\u00a0"


def inked(image: QImage) -> set[tuple[int, int]]:
    return {(x, y) for x in range(image.width()) for y in range(image.height()) if image.pixelColor(x, y).alpha() > 100}


def test_verdicts_are_told_by_shape_alone(qapp: object) -> None:
    shapes = {verdict: inked(verdict_pixmap(verdict, 18, QColor("#808080")).toImage()) for verdict in CheckVerdict}
    for (one, shape), (other, second) in itertools.combinations(shapes.items(), 2):
        differing = len(shape ^ second)
        assert differing > 0.35 * max(len(shape), len(second)), (one, other)


def test_grades_are_told_by_their_letter(qtbot: QtBot, theme: Theme) -> None:
    badge = GradeBadge(theme, 48)
    qtbot.addWidget(badge)
    seen = set()
    for grade in Grade:
        badge.show_grade(grade)
        seen.add(bytes(badge.grab().toImage().constBits()))
        assert badge.accessibleName() == texts.grade(grade)
    assert len(seen) == len(Grade)
    badge.show_grade(None)
    assert not badge.isVisible()


def test_everything_has_words(qapp: object) -> None:
    for verdict in CheckVerdict:
        assert texts.verdict(verdict)
    for stage in Stage:
        assert texts.stage(stage)
    for mode in CheckMode:
        assert texts.mode(mode)
        assert texts.mode_title(mode)
        assert texts.blind_spots(mode)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "errors", f"0{NB}errors"),
        (1, "errors", f"1{NB}error"),
        (846_000, "MB/s", f"846,000{NB}MB/s"),
        (-3, "°C", f"−3{NB}°C"),
        (16, "count", "16"),
        ("fused", "", "fused"),
        (None, "W", "—"),
    ],
)
def test_amounts(value: int | str | None, unit: str, text: str) -> None:
    assert texts.amount(value, unit) == text


def test_thresholds_and_differences() -> None:
    assert texts.threshold(Threshold(Comparison.AT_LEAST, 640), "MB/s") == f"≥{NB}640{NB}MB/s"
    assert texts.threshold(None, "W") == ""
    warm = check("t", "T", "", 74, "°C")
    assert texts.difference(replace(warm, value=80), warm) == f"−6{NB}°C"
    assert texts.difference(warm, replace(warm, value="?")) == "changed"
    assert texts.difference(warm, replace(warm, value=None)) == ""
    assert texts.difference(None, warm) == ""


def test_the_day_of_a_check_is_told() -> None:
    summary = HealthSummary.of(report(RTX_3090, NOW))
    assert texts.how_sure(summary, NOW) == f"confidence 54{NB}% · quick check, today 14:32"
    assert texts.how_sure(summary, NOW + timedelta(days=1)).endswith("yesterday 14:32")
    assert texts.how_sure(replace(summary, is_simulated=True), NOW).endswith("· simulated")
    assert texts.left(view(RTX_3090, NOW, 20)) == "Health check, 40 s left"
    assert texts.left(view(RTX_3090, NOW, 59)) == "Health check, almost done"


def test_a_check_that_only_one_report_has_is_compared_with_nothing() -> None:
    now, then = report(RTX_3090, NOW), report(RTX_3090, NOW, checks=(*CHECKS[1:], check("old", "Old", "")))
    made = pairs(then, now)
    assert made[0].then is None
    assert made[0].title == "Answers all along"
    assert made[-1].now is None
    assert made[-1].title == "Old"
    assert len(made) == len(CHECKS) + 1


def test_a_report_gives_its_curve_and_stages() -> None:
    found = report(RTX_3090, NOW)
    spans = curves.stages_of(found)
    assert [span.name for span in spans if span.is_load] == ["Copying", "Memory", "Bandwidth", "Arithmetic"]
    assert all(one.end_s == other.start_s for one, other in itertools.pairwise(spans))
    assert curves.curve_of(found, "T", 0).points[0] == (0.0, 36)
    assert curves.length_s(found) == 60


@pytest.fixture
def chart(qtbot: QtBot, theme: Theme) -> CurveChart:
    made = CurveChart(theme, "Temperature")
    qtbot.addWidget(made)
    made.resize(600, 240)
    made.show()
    return made


def test_the_limit_is_always_in_the_picture(chart: CurveChart, theme: Theme) -> None:
    chart.show_curves([Curve("T", 0, curve(20))], 60, limit_c=93)
    image = chart.grab().toImage()
    y = round(chart._y(chart.plot(), 93))
    amber = QColor(theme.tokens.attention)
    row = [image.pixelColor(x, y + step) for x in range(100, 500) for step in (-1, 0, 1)]
    assert sum(abs(seen.hslHue() - amber.hslHue()) < 12 and seen.lightness() > 70 for seen in row) > 100
    assert chart.plot().top() <= y < chart.plot().bottom()


def test_a_pause_in_the_readings_is_left_open(chart: CurveChart) -> None:
    points = [*curve(10), *((at + 20, value) for at, value in curve(10))]
    stages = [StageSpan("Memory", 0, 15, is_load=True)]
    chart.show_curves([Curve("A", 0, points), Curve("B", 1, [(25.0, 50)])], 60, stages)
    at_rest = chart._times.index(5.0)
    assert [line.value for line in chart.readout(at_rest)[1]] == [f"36{NB}°C", "—", ""]
    assert chart.readout(at_rest)[0] == "0:05"
    assert chart.accessibleDescription().startswith(f"A: from 36{NB}°C to ")


def test_an_elapsed_axis_is_round_and_never_crowded() -> None:
    assert elapsed_ticks(60, 7) == [0, 10, 20, 30, 40, 50, 60]
    assert elapsed_ticks(600, 6) == [0, 120, 240, 360, 480, 600]
    assert elapsed_text(545) == "9:05"


def test_a_limit_widens_the_scale_of_the_history(qtbot: QtBot, theme: Theme) -> None:
    made = LineChart(theme, "Temperature", "°C")
    qtbot.addWidget(made)
    made.resize(600, 240)
    points = [Point(NOW + timedelta(minutes=n), 60, 39, 40, 41) for n in range(30)]
    made.show_series([Series("A", 0, points)], NOW, NOW + timedelta(minutes=30), (), Limit("slows down at 93 °C", 93))
    assert made._ticks[0] <= 39
    assert made._ticks[-1] >= 93
    made.grab()


def test_a_year_has_ticks_over_all_of_it() -> None:
    ticks = time_ticks(NOW - timedelta(days=365), NOW, 8)
    assert 2 <= len(ticks) <= 8
    assert ticks[-1] > NOW - timedelta(days=130)


def test_the_tray_offers_the_cards_that_answer(qtbot: QtBot) -> None:
    asked: list[str] = []
    menu = QMenu()
    qtbot.addWidget(menu)
    made = CheckMenu(menu, asked.append)
    single, several = made.entries
    menu.addActions(made.entries)
    assert not single.isVisible()
    assert not several.isVisible()
    made.show_cards(BASE.cards)
    assert not single.isVisible()
    assert several.isVisible()
    actions = made.several.actions()
    assert [action.text() for action in actions] == ["GeForce RTX 3090", "GeForce GTX 1080 Ti"]
    actions[1].trigger()
    lost = replace(BASE.cards[1], gpu=replace(BASE.cards[1].gpu, state=GpuState.LOST))
    made.show_cards((BASE.cards[0], lost))
    assert single.isVisible()
    assert single.text() == "Check health …"
    single.trigger()
    assert asked == ["GPU-1080", "GPU-3090"]
