"""The charts of the readable passport."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from health_samples import a_memory_test, a_report, a_stress_result
from page_samples import HOSTILE, a_day, a_hostile_life, a_report_at

from argentum_desktop.domain.health import Appraisal, Grade, Samples
from argentum_desktop.domain.reading import ThrottleReason
from argentum_desktop.health.passport.page_charts import MOST_MONTHS, history_chart, work_chart
from argentum_desktop.health.passport.page_check_chart import check_chart
from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.page_history import months_of
from argentum_desktop.health.passport.page_palette import (
    ACCENT,
    ATTENTION,
    FAULT,
    GROUND,
    MUTED,
    PAPER,
    TEXT,
    WORKING,
)
from argentum_desktop.health.passport.page_parts import Chart, Tone
from argentum_desktop.health.passport.page_svg import round_ticks, sign_svg

SVG = "{http://www.w3.org/2000/svg}"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def shapes(svg: str, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(SVG + name))


def labels(svg: str) -> list[str]:
    return [element.text or "" for element in shapes(svg, "text")]


def drawn(chart: Chart | None) -> str:
    assert chart is not None
    assert_inside(chart.wide)
    assert_inside(chart.narrow)
    return chart.wide


def assert_inside(svg: str) -> None:
    """Nothing is drawn where nobody would see it."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter():
        for name, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y1", height), ("cy", height)):
            assert -0.1 <= float(element.attrib.get(name, 0)) <= most + 0.1
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", element.attrib.get("points", "")):
            assert -0.1 <= float(x) <= width + 0.1
            assert -0.1 <= float(y) <= height + 0.1


def test_one_check_shows_three_curves_its_stages_and_the_limit() -> None:
    svg = drawn(check_chart(a_report().samples, 95))
    assert len(shapes(svg, "polyline")) == 3
    assert {"Temperature, °C", "Power, W", "Clock, MHz", "idle", "memory", "arithmetic", "cooling"} <= set(labels(svg))
    assert "to stay below 95 °C" in labels(svg)


def test_the_caption_names_every_stage() -> None:
    chart = check_chart(a_report().samples, None)
    assert chart
    for stage in ("counters", "idle", "host copy", "memory", "bandwidth", "arithmetic", "cooling"):
        assert stage in chart.caption


def test_where_nothing_was_reported_there_is_no_line() -> None:
    samples = Samples(
        at_ms=(0, 1000, 2000, 3000, 4000),
        phase=("memory",) * 5,
        temperature_c=(50, 51, None, 53, 54),
        power_mw=(None,) * 5,
        clock_sm_mhz=(None,) * 5,
        fan_percent=(None,) * 5,
        reasons=("",) * 5,
    )
    chart = check_chart(samples, None)
    svg = drawn(chart)
    assert len(shapes(svg, "polyline")) == 2
    assert chart
    assert "no power and no clock" in chart.caption


def test_heat_that_holds_it_back_stands_out() -> None:
    samples = a_report().samples
    reasons = (ThrottleReason.TEMPERATURE.value, *("",) * (len(samples.at_ms) - 1))
    svg = drawn(check_chart(replace(samples, reasons=reasons), None))
    assert [shape.attrib["fill"] for shape in shapes(svg, "rect")].count(ATTENTION) == 1


def test_a_check_that_reported_nothing_has_no_chart() -> None:
    assert check_chart(Samples(), None) is None


def test_every_check_is_a_dot_and_an_error_a_bar() -> None:
    sound = [a_report_at(AT + timedelta(days=30 * number), number) for number in range(5)]
    wrong = a_stress_result(memory=a_memory_test(errors=1_000_000))
    few = a_stress_result(memory=a_memory_test(errors=1))
    failed = Appraisal(Grade.F, 50, "Wrong.")
    checks = [
        *sound,
        a_report_at(AT + timedelta(days=200), 6, stress=wrong, appraisal=failed),
        a_report_at(AT + timedelta(days=230), 7, stress=few, appraisal=failed),
        a_report_at(AT + timedelta(days=260), 8, stress=None),
    ]
    svg = drawn(history_chart(checks, UTC))
    grades = [dot for dot in shapes(svg, "circle") if dot.attrib["r"] == "4.0"]
    bars = [bar for bar in shapes(svg, "rect") if bar.attrib["fill"] == FAULT]
    assert len(grades) == len(checks)
    assert [dot.attrib["fill"] for dot in grades].count(FAULT) == 2
    assert len(bars) == 2
    assert min(float(bar.attrib["height"]) for bar in bars) >= 4
    assert {"1 Jan 2026", "18 Sep 2026"} <= {label.replace("\u00a0", " ") for label in labels(svg)}


def test_a_single_check_stands_in_the_middle() -> None:
    svg = drawn(history_chart([a_report_at(AT, 1)], UTC))
    assert "Errors of memory and arithmetic: none" in labels(svg)


def test_without_checks_or_work_there_is_no_chart() -> None:
    assert history_chart([], UTC) is None
    assert work_chart(()) is None


def test_a_bar_is_as_high_as_its_hours() -> None:
    days = [a_day(AT.date(), job_s=36_000), a_day(AT.date() + timedelta(days=31), job_s=18_000)]
    svg = drawn(work_chart(months_of(days)))
    first, second = (float(bar.attrib["height"]) for bar in shapes(svg, "rect"))
    assert first == pytest.approx(2 * second, abs=0.2)


def test_a_chart_of_work_holds_five_years() -> None:
    days = [a_day((AT + timedelta(days=31 * number)).date()) for number in range(100)]
    svg = drawn(work_chart(months_of(days)))
    assert 50 <= len(shapes(svg, "rect")) <= MOST_MONTHS


def test_a_gap_of_centuries_does_not_make_a_book() -> None:
    days = [a_day(AT.date(), day="0001-01-01"), a_day(AT.date(), day="9999-12-31"), a_day(AT.date(), day=HOSTILE)]
    assert len(drawn(work_chart(months_of(days)))) < 20_000


def test_hostile_figures_stay_in_the_picture() -> None:
    charts = [
        block
        for section in passport_page(a_hostile_life(), UTC).sections
        for block in section.blocks
        if isinstance(block, Chart)
    ]
    assert len(charts) == 3
    for chart in charts:
        drawn(chart)


@pytest.mark.parametrize("tone", list(Tone))
def test_signs_are_known_by_shape(tone: Tone) -> None:
    def without_color(one: Tone) -> str:
        return re.sub("#[0-9A-F]{6}", "", sign_svg(one))

    ElementTree.fromstring(sign_svg(tone))
    assert all(without_color(tone) != without_color(other) for other in Tone if other is not tone)


def test_ticks_enclose_what_is_shown() -> None:
    assert round_ticks(0, 1, 4) == [0, 0.5, 1]
    assert round_ticks(0, 1, 4, least_step=1) == [0, 1]
    assert round_ticks(38, 71, 4) == [20, 40, 60, 80]
    assert round_ticks(5, 5, 4)[0] < 5 < round_ticks(5, 5, 4)[-1]


@pytest.mark.parametrize("color", [TEXT, MUTED, ACCENT, WORKING, ATTENTION, FAULT])
@pytest.mark.parametrize("ground", [PAPER, GROUND])
def test_text_can_be_read_on_paper(color: str, ground: str) -> None:
    light, dark = sorted((_luminance(color), _luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 5


def _luminance(color: str) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
