"""The charts of a card's life: all its checks, and its months of work. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from argentum_desktop.domain.health import Grade, HealthReport
from argentum_desktop.health.passport.page_history import Month, device_mb_s, errors
from argentum_desktop.health.passport.page_palette import (
    FAULT,
    MUTED,
    SERIES,
    TEXT,
    TONE_COLOR,
)
from argentum_desktop.health.passport.page_parts import Chart
from argentum_desktop.health.passport.page_svg import FOOT, GAP, LEFT, NARROW, PANEL, RIGHT, WIDE, Drawing, Panel, Span
from argentum_desktop.health.passport.page_words import GRADE_TONE, day, month

MOST_MONTHS = 60
_FLAT_PANEL = 44.0  # where there is nothing to show but that there is nothing
_HALF_A_NAME = 26.0
_GRADES = (Grade.A, Grade.B, Grade.C, Grade.D, Grade.F, Grade.X, Grade.UNGRADED)


def history_chart(checks: Sequence[HealthReport], zone: tzinfo) -> Chart | None:
    """Grade, memory bandwidth and errors of every check; None without a check."""
    if not checks:
        return None
    grades = ", ".join(check.appraisal.grade.value for check in checks[-12:])
    words = f"{len(checks)} checks; the latest grades, oldest first: {grades}"
    draw = _HistoryDrawing(checks, zone).draw
    return Chart(draw(WIDE, words), draw(NARROW, words), words)


@dataclass(frozen=True)
class _HistoryDrawing:
    """All checks over time."""

    checks: Sequence[HealthReport]
    zone: tzinfo

    def draw(self, width: float, words: str) -> str:
        rates = [check for check in self.checks if device_mb_s(check) is not None]
        tested = [check for check in self.checks if errors(check) is not None]
        panels = 1 + bool(rates) + bool(tested)
        has_errors = any(errors(check) for check in tested)
        height = panels * (PANEL + GAP) + FOOT + 26 - (0 if has_errors or not tested else PANEL - _FLAT_PANEL)
        drawing = Drawing(width, height)
        times = [_seconds(check) for check in self.checks]
        x = Span(LEFT + 18, width - RIGHT - 8, min(times), max(times))
        top = self._draw_grades(drawing, x)
        if rates:
            top = self._draw_rates(drawing, x, top + GAP, rates)
        if tested:
            top = self._draw_errors(drawing, x, top + GAP, tested)
        self._draw_days(drawing, x, top)
        return drawing.svg(words)

    def _draw_grades(self, drawing: Drawing, x: Span) -> float:
        top, row = 20.0, 15.5
        drawing.text(x.start - 18, 11, "Grade", color=TEXT, is_bold=True)
        for index, grade in enumerate(_GRADES):
            y = top + (index + 0.5) * row
            drawing.line(x.start - 18, y, x.end + 8, y)
            drawing.text(x.start - 24, y + 4, "none" if grade is Grade.UNGRADED else grade.value, anchor="end")
        for check in self.checks:
            grade = check.appraisal.grade
            y = top + (_GRADES.index(grade) + 0.5) * row
            drawing.dot(x.at(_seconds(check)), y, TONE_COLOR[GRADE_TONE[grade]], 4)
        return top + len(_GRADES) * row

    def _draw_rates(self, drawing: Drawing, x: Span, top: float, rates: Sequence[HealthReport]) -> float:
        values = [(device_mb_s(check) or 0) / 1000 for check in rates]
        field = Span(x.start - 18, x.end + 8, 0, 1)
        panel = Panel.draw(drawing, field, top, PANEL, "Memory bandwidth, GB/s", [0.0, *values])
        points = [(x.at(_seconds(check)), panel.scale.at(value)) for check, value in zip(rates, values, strict=True)]
        drawing.polyline(points, SERIES[0])
        for point in points:
            drawing.dot(*point, SERIES[0])
        return panel.bottom

    def _draw_errors(self, drawing: Drawing, x: Span, top: float, tested: Sequence[HealthReport]) -> float:
        field = Span(x.start - 18, x.end + 8, 0, 1)
        most = max(errors(check) or 0 for check in tested)
        title = "Errors of memory and arithmetic" + ("" if most else ": none")
        height = PANEL if most else _FLAT_PANEL
        panel = Panel.draw(drawing, field, top, height, title, [0, max(1, most)], _short_count, is_whole=True)
        base = panel.scale.at(0)
        for check in tested:
            at, count = x.at(_seconds(check)), errors(check) or 0
            if count:
                # Even a single one among millions must be seen.
                y = min(panel.scale.at(count), base - 4)
                drawing.rect(at - 2.5, y, 5, base - y, FAULT)
            else:
                drawing.dot(at, base, SERIES[1])
        return panel.bottom

    def _draw_days(self, drawing: Drawing, x: Span, bottom: float) -> None:
        first, last = self.checks[0], self.checks[-1]
        if x.high == x.low:
            drawing.text(x.at(x.low), bottom + 20, day(last.ended_at, self.zone), anchor="middle")
            return
        ends = ((first, x.start - 18, "start"), (last, x.end + 8, "end"))
        for check, at, anchor in ends:
            drawing.text(at, bottom + 20, day(check.ended_at, self.zone), anchor=anchor)


def _seconds(check: HealthReport) -> float:
    there = check.ended_at
    return there.toordinal() * 86_400.0 + there.hour * 3600 + there.minute * 60 + there.second


def _short_count(value: float) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{sign}"
    return f"{value:g}"


def work_chart(months: Sequence[Month]) -> Chart | None:
    """Hours of jobs and the hottest hour of each month, the last five years at most; None without a day of work."""
    if not months:
        return None
    last = months[-1].place
    first = max(months[0].place, last - MOST_MONTHS + 1)
    shown = [one for one in months if one.place >= first]
    words = f"{round(sum(one.job_s for one in shown) / 3600)} hours of jobs in {last - first + 1} months"
    draw = _WorkDrawing(shown, first, last).draw
    return Chart(draw(WIDE, words), draw(NARROW, words), words)


@dataclass(frozen=True)
class _WorkDrawing:
    """The months of work."""

    months: Sequence[Month]
    first: int
    last: int

    def draw(self, width: float, words: str) -> str:
        has_heat = any(month.hottest_hour_mean_c is not None for month in self.months)
        drawing = Drawing(width, (1 + has_heat) * (PANEL + GAP) + FOOT)
        x = Span(LEFT, width - RIGHT, self.first, self.last + 1)
        bottom = self._draw_hours(drawing, x)
        if has_heat:
            bottom = self._draw_heat(drawing, x, bottom + GAP)
        self._draw_names(drawing, x, bottom)
        return drawing.svg(words)

    def _draw_hours(self, drawing: Drawing, x: Span) -> float:
        values = [month.job_s / 3600 for month in self.months]
        panel = Panel.draw(drawing, x, 0, PANEL, "Hours of jobs in the month", [0.0, *values, 1.0])
        slot = x.at(self.first + 1) - x.start
        wide = min(26.0, slot * 0.7)
        for one, value in zip(self.months, values, strict=True):
            y = panel.scale.at(value)
            drawing.rect(self._middle(x, one) - wide / 2, y, wide, panel.bottom - y, SERIES[0])
        return panel.bottom

    def _draw_heat(self, drawing: Drawing, x: Span, top: float) -> float:
        known = [(one, one.hottest_hour_mean_c) for one in self.months if one.hottest_hour_mean_c is not None]
        peaks = [one.hottest_c for one in self.months if one.hottest_c is not None]
        values = [float(mean) for _, mean in known]
        title = "Hottest hour of the month, mean °C (the tick above it: the hottest moment)"
        if drawing.width <= NARROW:
            title = "Hottest hour, mean °C; tick: hottest moment"
        panel = Panel.draw(drawing, x, top, PANEL, title, [*values, *map(float, peaks)])
        for one, mean in known:
            at = self._middle(x, one)
            if one.hottest_c is not None:
                peak = panel.scale.at(one.hottest_c)
                drawing.line(at, panel.scale.at(mean), at, peak, MUTED)
                drawing.line(at - 3, peak, at + 3, peak, MUTED)
            drawing.dot(at, panel.scale.at(mean), SERIES[3], 3)
        return panel.bottom

    def _draw_names(self, drawing: Drawing, x: Span, bottom: float) -> None:
        count = self.last - self.first + 1
        most = int((x.end - x.start) // 62)
        every = next((step for step in (1, 2, 3, 6, 12) if count / step <= most), 24)
        for place in range(self.first, self.last + 1):
            if (place - self.first) % every == 0:
                at = x.at(place + 0.5)
                drawing.line(at, bottom, at, bottom + 4, MUTED)
                drawing.text(at, bottom + 17, month(place), anchor=_anchor(at, x))

    def _middle(self, x: Span, one: Month) -> float:
        return x.at(one.place + 0.5)


def _anchor(at: float, x: Span) -> str:
    """So that no name leaves the drawing."""
    return "end" if at + _HALF_A_NAME > x.end + RIGHT else "middle"
