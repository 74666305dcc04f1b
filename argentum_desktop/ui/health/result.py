"""What a finished check says: the grade, why, what matters most, and everything else on demand."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from argentum_desktop.domain.health import CheckVerdict, Grade, HealthReport, HealthSummary
from argentum_desktop.ui import theme
from argentum_desktop.ui.charts.curve import CurveChart
from argentum_desktop.ui.health import curves, texts
from argentum_desktop.ui.models.checks import WORDS_COLUMN, ChecksModel
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.finding import Finding
from argentum_desktop.ui.widgets.grade_badge import GradeBadge
from argentum_desktop.ui.widgets.labels import badge, label
from argentum_desktop.ui.widgets.section import button
from argentum_desktop.ui.widgets.whole_table import WholeTable

_BADGE = 76
_FINDINGS = 3
_CHART_HEIGHT = 190
_WRONG = {CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.ERROR}


class HealthResult(QWidget):
    """Shows one report."""

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self._theme = theme_
        self._shown: HealthReport | None = None
        self.badge = GradeBadge(theme_, _BADGE)
        self.headline = label(theme.PAGE_TITLE)
        self.simulated = badge(self.tr("simulated"))
        self.sure = label(theme.BODY, muted=True, wraps=True)
        self.reason = label(theme.BODY, wraps=True)
        self.findings_title = label(theme.BODY_STRONG)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(SPACE_12)
        self.coverage = label(theme.BODY, muted=True, wraps=True)
        self.not_tested = label(theme.BODY, muted=True, wraps=True)
        self.blind_spots = label(theme.BODY, muted=True, wraps=True)
        self.more = button(self.tr("All checks"), "link")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_all)
        self.model = ChecksModel(theme_)
        self.table = WholeTable(self.model, self.tr("All checks"), WORDS_COLUMN)
        self.chart = CurveChart(theme_, self.tr("Temperature during the check"))
        self.chart.setMinimumHeight(_CHART_HEIGHT)
        self.all = QWidget()
        self._arrange()

    def show_report(self, report: HealthReport, now: datetime, limit_c: int | None) -> None:
        """`limit_c` is where the card slows itself down."""
        summary = HealthSummary.of(report)
        self.sure.setText(_sentence(texts.how_sure(summary, now)))
        if report == self._shown:
            return
        self._shown = report
        self.badge.show_grade(summary.grade)
        self.headline.setText(_headline(summary.grade))
        self.simulated.setVisible(report.is_simulated)
        self.reason.setText(report.appraisal.reason)
        self.coverage.setText(texts.coverage(report))
        self.not_tested.setText(texts.not_tested(report))
        self.not_tested.setVisible(bool(self.not_tested.text()))
        self.blind_spots.setText(texts.blind_spots(report.mode))
        self._show_findings(report)
        self.model.show_rows(report.findings)
        curve = curves.curve_of(report, self.tr("Temperature"), 0)
        self.chart.setVisible(bool(curve.points))
        self.chart.show_curves([curve], curves.length_s(report), curves.stages_of(report), limit_c)
        self._show_all(self.more.isChecked())

    def _show_findings(self, report: HealthReport) -> None:
        while (item := self._findings.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        found = report.findings[:_FINDINGS]
        is_well = not any(check.verdict in _WRONG for check in found)
        self.findings_title.setText(self.tr("What tells most") if is_well else self.tr("What matters most"))
        self.findings_title.setVisible(bool(found))
        for check in found:
            self._findings.addWidget(Finding(self._theme, check))

    def _show_all(self, is_open: bool) -> None:
        self.all.setVisible(is_open)
        count = len(self.model.rows)
        self.more.setVisible(count > 0)
        self.more.setText(self.tr("Hide the checks") if is_open else self.tr("A&ll {n} checks …").format(n=count))

    def _arrange(self) -> None:
        title = QHBoxLayout()
        title.setSpacing(SPACE_12)
        title.addWidget(self.headline)
        title.addWidget(self.simulated, 0, Qt.AlignmentFlag.AlignVCenter)
        title.addStretch(1)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addLayout(title)
        text.addWidget(self.sure)
        text.addWidget(self.reason)
        text.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(SPACE_16)
        head.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(text, 1)
        inner = QVBoxLayout(self.all)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(SPACE_12)
        inner.addWidget(self.chart)
        inner.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_8)
        column.addLayout(head)
        column.addSpacing(SPACE_8)
        column.addWidget(self.findings_title)
        column.addLayout(self._findings)
        column.addSpacing(SPACE_8)
        for line in (self.coverage, self.not_tested, self.blind_spots):
            column.addWidget(line)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.all)


def _headline(grade: Grade) -> str:
    return {
        Grade.F: texts.translate("Health", "Grade F: something is wrong with it"),
        Grade.X: texts.translate("Health", "Grade X: it is not what it says it is"),
    }.get(grade, texts.grade(grade))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
