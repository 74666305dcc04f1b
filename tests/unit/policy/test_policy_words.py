"""Times as the owner says them."""

from __future__ import annotations

import locale
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from argentum_desktop.policy.words import clock_time

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)  # Sunday 23:30 in Paris


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        ("2026-03-01T22:45", "23:45"),
        ("2026-03-01T00:00", "01:00"),
        ("2026-03-01T23:00", "tomorrow 00:00"),
        ("2026-03-02T22:59", "tomorrow 23:59"),
        ("2026-03-02T23:00", "Tuesday 00:00"),
        ("2026-03-07T22:59", "Saturday 23:59"),
        ("2026-03-07T23:00", "2026-03-08 00:00"),
        ("2026-02-28T22:59", "2026-02-28 23:59"),
        ("2027-03-01T22:30", "2027-03-01 23:30"),
    ],
)
def test_as_short_as_is_certain(instant: str, words: str) -> None:
    assert clock_time(datetime.fromisoformat(instant).replace(tzinfo=UTC), NOW, PARIS) == words


def test_the_words_do_not_depend_on_the_processs_locale() -> None:
    before = locale.setlocale(locale.LC_TIME)
    foreign = next((name for name in ("fr_FR.UTF-8", "de_DE.UTF-8", "C.UTF-8") if _set(name)), "C")
    try:
        assert clock_time(datetime(2026, 3, 4, 12, tzinfo=UTC), NOW, PARIS) == "Wednesday 13:00", foreign
    finally:
        locale.setlocale(locale.LC_TIME, before)


def _set(name: str) -> bool:
    try:
        locale.setlocale(locale.LC_TIME, name)
    except locale.Error:
        return False
    return True
