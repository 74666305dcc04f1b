"""A health report as text: what matters first, nothing cut, nothing that steers the terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from health_samples import a_failed_report, a_passive_evidence, a_report_of, some_evidence, with_memory

from argentum_desktop.agent.report_health import SHAPES, checks_json, grade_words, report_text, value_words
from argentum_desktop.agent.status import CheckupEnded
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, HealthReport, Threshold

EAST = timezone(timedelta(hours=2))


def sound() -> HealthReport:
    return a_report_of(some_evidence())


def test_the_grade_comes_first_with_its_confidence_kind_and_the_owners_time() -> None:
    report = sound()
    first, second, *_ = report_text(report, EAST).splitlines()
    assert first == f"{report.card.name}  [{report.card.gpu_id}]"
    assert second.startswith(
        f"Grade {report.appraisal.grade.value}, confidence {report.appraisal.confidence_percent} %"
    )
    assert second.endswith(f"quick check of {report.ended_at.astimezone(EAST):%Y-%m-%d %H:%M}")


def test_of_a_sound_card_the_telling_checks_come_first() -> None:
    lines = report_text(sound(), EAST).splitlines()
    told = [line for line in lines if line.startswith("  ✓")][:3]
    assert [line.split(":")[0].removeprefix("  ✓ ") for line in told] == [
        "Memory",
        "Temperature under load",
        "Arithmetic",
    ]


def test_what_is_wrong_comes_before_everything_with_what_to_do() -> None:
    wrong_memory = with_memory(errors=12, errors_again=12, first_bad_address=4096, bad_bits=4)
    report = a_report_of(some_evidence(stress=wrong_memory))
    lines = report_text(report, EAST).splitlines()
    wrong = next(place for place, line in enumerate(lines) if line.startswith("  ✕"))
    assert not any(line.startswith("  ✓") for line in lines[:wrong])
    failed = next(check for check in report.checks if check.verdict is CheckVerdict.FAIL)
    assert failed.remedy.split()[0] in " ".join(lines[wrong : wrong + 5])


def test_every_check_is_named_once() -> None:
    report = sound()
    text = " ".join(report_text(report, EAST).split()).lower()
    for check in report.checks:
        assert check.title.lower() in text


@pytest.mark.parametrize("width", [60, 100, 200])
def test_paragraphs_fit_the_terminal(width: int) -> None:
    for line in report_text(a_failed_report(), EAST, width).splitlines():
        assert len(line) <= width


def test_without_a_load_it_says_what_was_not_done() -> None:
    text = report_text(a_report_of(a_passive_evidence()), EAST)
    assert "Not graded" in text
    assert "counters only" in text
    assert "nothing was written into its memory" in " ".join(text.split())


def test_a_simulated_card_is_never_shown_without_saying_so() -> None:
    report = sound()
    simulated = replace(report, card=replace(report.card, is_simulated=True))
    assert "(simulated)" in grade_words(simulated)
    assert report_text(simulated, EAST).splitlines()[0].count("(simulated)") == 1


def test_foreign_words_do_not_steer_the_terminal() -> None:
    report = sound()
    text = report_text(replace(report, card=replace(report.card, name="bad\x1b[2Jcard\nA")), EAST)
    assert "\x1b" not in text
    assert text.splitlines()[0].startswith("bad [2Jcard A")


@pytest.mark.parametrize(
    ("value", "unit", "threshold", "words"),
    [
        (25203, "MB/s", Threshold(Comparison.AT_LEAST, 2850), "25\N{NARROW NO-BREAK SPACE}203 MB/s (at least 2850)"),
        (0, "errors", Threshold(Comparison.AT_MOST, 0), "0 errors (at most 0)"),
        ("gen 4 x16", "", None, "gen 4 x16"),
        (None, "%", Threshold(Comparison.BELOW, 3), ""),
    ],
)
def test_values_have_their_unit_and_threshold(
    value: int | str | None, unit: str, threshold: Threshold | None, words: str
) -> None:
    check = CheckResult("a.b", "A", CheckVerdict.PASS, "words", value, unit, threshold)
    assert value_words(check) == words


def test_each_verdict_has_a_shape() -> None:
    assert set(SHAPES) == set(CheckVerdict)
    assert len({SHAPES[verdict] for verdict in (CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.PASS)}) == 3


def test_as_json_a_card_without_a_report_says_why() -> None:
    (one, other) = checks_json([CheckupEnded("G", sound()), CheckupEnded("H", None, "It was cancelled.")])["checks"]
    assert one["report"]["schema"] == "argentum.gpu-health/1"
    assert (other["report"], other["problem"]) == (None, "It was cancelled.")
