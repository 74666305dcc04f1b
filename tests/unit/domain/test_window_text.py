"""Weekly windows as text: what is written is what is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain.window import DAYS, WeeklyWindow


@given(st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(1, 1440))
def test_a_window_written_and_read_is_the_same(days: frozenset[int], start: int, end: int) -> None:
    if start == end:
        return
    window = WeeklyWindow(days, start, end)
    assert WeeklyWindow.parse(str(window)) == window


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("mon-fri 22:00-07:00", {0, 1, 2, 3, 4}, 22 * 60, 7 * 60),
        ("sat,sun 00:00-24:00", {5, 6}, 0, 1440),
        ("daily 20:00-08:00", set(range(7)), 20 * 60, 8 * 60),
        ("fri-mon 9:00-17:30", {4, 5, 6, 0}, 9 * 60, 17 * 60 + 30),
        ("sun-sun 01:00-02:00", {6}, 60, 120),
        ("mon-wed,fri 01:00-02:00", {0, 1, 2, 4}, 60, 120),
        ("  MON , Tue   22:00 - 00:00 ", {0, 1}, 22 * 60, 1440),
        ("mon 23:59-00:01", {0}, 1439, 1),
    ],
)
def test_what_people_write(text: str, days: set[int], start: int, end: int) -> None:
    assert WeeklyWindow.parse(text) == WeeklyWindow(frozenset(days), start, end)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a window; write for example"),
        ("always", "is not a window; write for example"),
        ("mon-fri", "is not a window; write for example"),
        ("22:00-07:00", "is not a window; write for example"),
        ("mon 22-07", "is not a window; write for example"),
        ("mon 22:00–07:00", "is not a window; write for example"),
        ("mon 22:00-07:00 tue", "is not a window; write for example"),
        ("mon ٢٢:٠٠-٠٧:٠٠", "is not a window; write for example"),
        ("mon 22:00-07:00\nmon 01:00-02:00", "is not a window; write for example"),
        ("mon 25:00-07:00", "a time that is none"),
        ("mon 24:00-07:00", "a time that is none"),
        ("mon 22:60-07:00", "a time that is none"),
        ("mon 22:00-24:01", "a time that is none"),
        ("mon 22:00-99:99", "a time that is none"),
        ("mon 22:00-22:00", "ends when it begins; write 00:00-24:00"),
        ("mon 00:00-00:00", "ends when it begins; write 00:00-24:00"),
        ("funday 22:00-07:00", "names a day that is none; use mon, tue"),
        ("mon- 22:00-07:00", "names a day that is none"),
        ("-mon 22:00-07:00", "names a day that is none"),
        ("mon--fri 22:00-07:00", "names a day that is none"),
        ("mon,,tue 22:00-07:00", "names a day that is none"),
        ("mon, 22:00-07:00", "names a day that is none"),
        ("daily,mon 22:00-07:00", "names a day that is none"),
    ],
)
def test_what_is_no_window_is_refused_with_the_text_and_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        WeeklyWindow.parse(text)
    assert str(refused.value).startswith(f'"{text}" ')


@given(st.text(alphabet="mondaily tue,-:0123456789", max_size=24))
def test_any_text_is_a_window_or_refused_by_value_error(text: str) -> None:
    try:
        window = WeeklyWindow.parse(text)
    except ValueError:
        return
    assert WeeklyWindow.parse(str(window)) == window


@pytest.mark.parametrize(
    ("days", "start", "end"),
    [((), 0, 60), ((7,), 0, 60), ((-1,), 0, 60), ((0,), -1, 60), ((0,), 1440, 60), ((0,), 0, 0), ((0,), 0, 1441),
     ((0,), 60, 60)],
)  # fmt: skip
def test_a_window_that_cannot_be_is_not_made(days: tuple[int, ...], start: int, end: int) -> None:
    with pytest.raises(ValueError, match="window"):
        WeeklyWindow(frozenset(days), start, end)


def test_every_day_has_its_word() -> None:
    assert [WeeklyWindow.parse(f"{day} 00:00-24:00").days for day in DAYS] == [frozenset({n}) for n in range(7)]
