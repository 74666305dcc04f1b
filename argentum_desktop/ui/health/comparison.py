"""Two checks of a card side by side: grades, both temperature curves, and every value then and now."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from argentum_desktop.domain.health import HealthReport, HealthSummary
from argentum_desktop.ui import theme
from argentum_desktop.ui.charts.curve import CurveChart
from argentum_desktop.ui.charts.legend import Legend
from argentum_desktop.ui.health import curves, texts
from argentum_desktop.ui.models.comparison import TITLE_COLUMN, ComparisonModel
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_12, SPACE_24
from argentum_desktop.ui.widgets.grade_badge import GradeBadge
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.scrolled import scrolled
from argentum_desktop.ui.widgets.section import Section, button
from argentum_desktop.ui.widgets.whole_table import WholeTable

_BADGE = 48
_CHART_HEIGHT = 200


class _Side(QWidget):
    """One of the two grades."""

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self.badge = GradeBadge(theme_, _BADGE)
        self.title = label(theme.TITLE)
        self.sure = label(theme.LABEL, muted=True, wraps=True)
        self.reason: QLabel = label(theme.BODY, wraps=True)
        text = QVBoxLayout()
        text.setSpacing(2)
        for line in (self.title, self.sure, self.reason):
            text.addWidget(line)
        text.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_12)
        row.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)

    def show_report(self, report: HealthReport, now: datetime) -> None:
        summary = HealthSummary.of(report)
        self.badge.show_grade(summary.grade)
        self.title.setText(texts.grade(summary.grade))
        self.sure.setText(texts.how_sure(summary, now))
        self.reason.setText(summary.reason)


class Comparison(QWidget):
    """Takes the page's place until the owner goes back, by the button or the Escape key."""

    closed = Signal()

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self.back = button(self.tr("&Back"), "small")
        self.back.clicked.connect(self.closed)
        self.then, self.now = _Side(theme_), _Side(theme_)
        self.model = ComparisonModel(theme_)
        self.table = WholeTable(self.model, self.tr("Every check, then and now"), TITLE_COLUMN)
        self.chart = CurveChart(theme_, self.tr("Temperature in both checks"))
        self.chart.setMinimumHeight(_CHART_HEIGHT)
        self.legend = Legend(theme_)
        sides = QHBoxLayout()
        sides.setSpacing(SPACE_24)
        sides.addWidget(self.then, 1)
        sides.addWidget(self.now, 1)
        section = Section(self.tr("Two checks compared"))
        section.head.addWidget(self.back)
        section.rows.addLayout(sides)
        section.rows.addSpacing(SPACE_12)
        section.rows.addWidget(self.chart)
        section.rows.addWidget(self.legend)
        section.rows.addWidget(self.table)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(self.tr("Two checks compared"), (section, QWidget())))

    def show_reports(self, then: HealthReport, now: HealthReport, at: datetime, limit_c: int | None) -> None:
        """`at` is the time by which "today" is told."""
        times = (texts.when(then.ended_at, at), texts.when(now.ended_at, at))
        self.then.show_report(then, at)
        self.now.show_report(now, at)
        self.model.show_reports(then, now, times)
        both = [curves.curve_of(report, times[index], index) for index, report in enumerate((then, now))]
        length_s = max(curves.length_s(then), curves.length_s(now))
        has_curves = any(curve.points for curve in both)
        self.chart.setVisible(has_curves)
        self.legend.setVisible(has_curves)
        self.chart.show_curves(both, length_s, limit_c=limit_c)
        self.legend.show_names([(curve.name, curve.index) for curve in both])
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
