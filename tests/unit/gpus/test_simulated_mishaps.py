"""What befalls a card follows from the time alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.gpus.simulated.mishaps import Mishap, MishapKind, Mishaps, Span

TIMES = st.floats(0, 5000, allow_nan=False)
SPANS = st.one_of(
    st.builds(Span, TIMES),
    st.builds(lambda at, lasts: Span(at, at + lasts), TIMES, st.floats(0.1, 500)),
    st.builds(lambda at, lasts, rest: Span(at, at + lasts, lasts + rest), TIMES, st.floats(0.1, 50), st.floats(0.1, 9)),
)


@pytest.mark.parametrize(
    ("span", "on"),
    [
        (Span(10), {9: False, 10: True, 10_000: True}),
        (Span(10, 20), {9: False, 10: True, 19: True, 20: False, 40: False}),
        (Span(10, 20, 30), {9: False, 10: True, 20: False, 39: False, 40: True, 49: True, 50: False, 70: True}),
    ],
)
def test_when_it_goes_on(span: Span, on: dict[float, bool]) -> None:
    assert {at: span.is_on(at) for at in on} == on


def test_how_long_and_how_often() -> None:
    span = Span(10, 20, 30)
    assert [span.total_s(at) for at in (0, 10, 15, 20, 39, 40, 45, 50, 70, 75)] == [0, 0, 5, 10, 10, 10, 15, 20, 20, 25]
    assert [span.begun(at) for at in (9.9, 10, 39, 40, 70)] == [0, 1, 1, 2, 3]
    assert [Span(5).begun(at) for at in (4, 5, 500)] == [0, 1, 1]
    assert Span(5).total_s(500) == 495


@given(SPANS, TIMES, st.floats(0, 100))
def test_time_spent_grows_only_while_it_goes_on(span: Span, at_s: float, further_s: float) -> None:
    grown = span.total_s(at_s + further_s) - span.total_s(at_s)
    assert -1e-6 <= grown <= further_s + 1e-6
    if span.every_s is None and span.is_on(at_s) and span.is_on(at_s + further_s):
        assert grown == pytest.approx(further_s, abs=1e-6)


def storm(span: Span, **figures: float) -> Mishap:
    usual = {"corrected_per_minute": 600.0, "uncorrected_per_minute": 0.0, "mends_after": 100.0, "spares": 8.0}
    return Mishap(MishapKind.ECC_STORM, span, usual | figures)


@given(st.lists(st.builds(storm, SPANS), min_size=1, max_size=3), TIMES, st.floats(0, 500))
def test_no_counter_ever_falls(storms: list[Mishap], at_s: float, further_s: float) -> None:
    mishaps = Mishaps([*storms, storm(Span(50), uncorrected_per_minute=3)])
    before, after = mishaps.memory_errors(at_s), mishaps.memory_errors(at_s + further_s)
    for name in ("corrected", "uncorrected", "mended_corrected", "mended_uncorrected", "is_pending", "has_failed"):
        assert getattr(after, name) >= getattr(before, name), name


def test_memory_is_mended_until_no_spares_are_left() -> None:
    mishaps = Mishaps([storm(Span(0), uncorrected_per_minute=2)])
    errors = mishaps.memory_errors(61)
    assert (errors.corrected, errors.uncorrected) == (610, 2)
    assert (errors.mended_corrected, errors.mended_uncorrected) == (6, 2)
    assert errors.is_pending
    assert not errors.has_failed
    later = mishaps.memory_errors(601)
    assert (later.mended_corrected, later.mended_uncorrected) == (8, 8)
    assert later.has_failed
    assert Mishaps().memory_errors(1e6).corrected == 0


def test_what_happens_at_a_moment_is_told_once_for_each_time() -> None:
    mishaps = Mishaps([Mishap(MishapKind.XID, Span(10, None, 10), {"number": 79})])
    assert [len(mishaps.began(MishapKind.XID, at, at + 1)) for at in (8, 9, 10, 19)] == [0, 1, 0, 1]
    assert len(mishaps.began(MishapKind.XID, 0, 45)) == 4
    assert len(mishaps.began(MishapKind.XID, 0, 1e6)) == 20
    assert mishaps.began(MishapKind.HANG, 0, 45) == []
