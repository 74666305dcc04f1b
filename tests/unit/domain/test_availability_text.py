"""Exceptions as text: what is written is what is read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argentum_desktop.domain.availability import DatedException, DatedHours, OwnersWindow
from argentum_desktop.domain.window import WeeklyWindow


@settings(deadline=None)
@given(
    st.dates(date(2000, 1, 1), date(2180, 12, 31)),
    st.integers(0, 3659),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.booleans(),
)
def test_an_exception_written_and_read_is_the_same(first: date, days: int, start: int, end: int, is_open: bool) -> None:
    if start == end:
        return
    hours = DatedHours(first, first + timedelta(days), start, end, is_open)
    assert DatedHours.parse(str(hours)) == hours
    assert DatedException.parse(str(hours)) == DatedException(hours)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-12-24 closed", "2026-12-24 closed"),
        ("  2026-12-24   CLOSED ", "2026-12-24 closed"),
        ("2026-12-24..2026-12-24 closed", "2026-12-24 closed"),
        ("2026-12-27 .. 2026-12-29 open", "2026-12-27..2026-12-29 open"),
        ("2026-12-31 20:00-24:00 open", "2026-12-31 20:00-24:00 open"),
        ("2026-12-31 9:00 - 00:00 open", "2026-12-31 09:00-24:00 open"),
        ("2026-12-31 00:00-24:00 open", "2026-12-31 open"),
        ("2026-12-31 22:00-04:00 open", "2026-12-31 22:00-04:00 open"),
    ],
)
def test_what_people_write(text: str, shown: str) -> None:
    assert str(DatedHours.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not an exception; write for example"),
        ("christmas closed", "is not an exception; write for example"),
        ("2026-12-24", "is not an exception; write for example"),
        ("2026-12-24 shut", "is not an exception; write for example"),
        ("2026-12-24 20:00 open", "is not an exception; write for example"),
        ("24.12.2026 closed", "is not an exception; write for example"),
        ("2026-12-29..2026-12-27 closed", "ends on 2026-12-27, before it begins on 2026-12-29"),
        ("2026-02-29 closed", "names the date 2026-02-29, which is none"),
        ("2026-12-24 20:00-20:00 open", "ends when it begins"),
        ("2026-12-24 25:00-26:00 open", "has a time that is none"),
        ("1999-12-31 closed", "lies outside the years 2000 to 2199"),
        ("2026-01-01..2036-02-01 closed", "is longer than 3660 days"),
    ],
)
def test_what_is_no_exception_is_refused_with_the_text_and_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        DatedHours.parse(text)
    assert str(refused.value).startswith(f'"{text}" ')


@pytest.mark.parametrize(
    ("days", "text"),
    [({0, 1, 2, 3, 4}, "mon-fri"), ({5, 6}, "sat,sun"), ({0, 1, 2, 5}, "mon-wed,sat"), (set(range(7)), "daily")],
)
def test_days_are_shown_in_short(days: set[int], text: str) -> None:
    assert str(WeeklyWindow(frozenset(days), 0, 60)) == f"{text} 00:00-01:00"


def test_a_window_is_for_all_cards_or_for_those_it_names() -> None:
    window = OwnersWindow.parse("daily 22:00-07:00")
    assert window.is_for("GPU-a")
    assert not OwnersWindow(window.when, ("GPU-b",)).is_for("GPU-a")
