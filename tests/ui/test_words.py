"""Figures in the owner's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fake_service import BASE, NOW, RENDERING, RTX_3090
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLocale

from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.reading import Absence, Reading
from argentum_desktop.ui import words
from argentum_desktop.ui.charts.axis import decimals_of, time_ticks, value_ticks
from argentum_desktop.ui.owner_actions import tomorrow_morning

NB = "\u00a0"


@pytest.fixture
def french() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.French, QLocale.Country.France))
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("micros", "currency", "text"),
    [
        (2_140_000, "EUR", "€2.14"),
        (-1_000_000, "EUR", "−€1.00"),
        (300, "EUR", "€0.0003"),
        (0, "EUR", "€0.00"),
        (12_345_678_900, "USD", "$12,345.68"),
        (5_000_000, "SEK", "SEK\u00a05.00"),
    ],
)
def test_money_has_its_currency_and_enough_digits(micros: int, currency: str, text: str) -> None:
    assert words.money(Money(micros, currency)) == text


def test_money_follows_the_locale(french: None) -> None:
    assert words.money(Money(2_140_000, "EUR")).replace("\u202f", NB) == f"2,14{NB}€"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (840, "14 min"),
        (7500, "2 h 05 min"),
        (3599, "1 h 00 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_figures_have_their_unit_or_are_a_dash() -> None:
    assert words.temperature(67) == f"67{NB}°C"
    assert words.temperature(None) == words.power(None) == words.percent(None) == words.memory(None) == "—"
    assert words.power(312_400) == f"312{NB}W"
    assert words.memory(24 * 1024**3) == f"24{NB}GiB"
    assert words.memory(round(21.4 * 1024**3)) == f"21.4{NB}GiB"
    assert words.energy(3_600_000 * 120) == f"120{NB}Wh"
    assert words.energy(3_600_000 * 2070) == f"2.07{NB}kWh"


def test_a_missing_figure_says_why() -> None:
    lost = Reading(RTX_3090.gpu_id, NOW, absent={"power_mw": Absence.LOST})
    assert "lost" in words.why_absent(lost, "power_mw")
    assert "does not report" in words.why_absent(lost, "fan_percent")
    assert words.why_absent(replace(lost, power_mw=1), "power_mw") == ""
    assert "not been read" in words.why_absent(None, "power_mw")


def test_time_left_is_guessed_only_where_something_is_known() -> None:
    assert words.time_left(RENDERING) == "about 14 min left"
    assert words.time_left(replace(RENDERING, progress_percent=None)) == "at most 1 h 37 min left"
    assert words.time_left(replace(RENDERING, progress_percent=1)) == "at most 1 h 37 min left"
    assert words.time_left(replace(RENDERING, state=JobState.COLLECTING)) == ""
    assert words.time_left(replace(RENDERING, is_frozen=True)) == ""


def test_every_state_and_outcome_has_words() -> None:
    for state in JobState:
        assert words.job_state(replace(RENDERING, state=state))
    for outcome in Outcome:
        assert words.job_state(replace(RENDERING, outcome=outcome))


def test_cards_of_one_name_are_numbered() -> None:
    twins = (BASE.cards[0], replace(BASE.cards[0], gpu=replace(RTX_3090, gpu_id="GPU-2")), BASE.cards[1])
    assert list(words.card_names(twins).values()) == ["GeForce RTX 3090 1", "GeForce RTX 3090 2", "GeForce GTX 1080 Ti"]


def test_tomorrow_morning_is_eight_on_the_wall() -> None:
    local = tomorrow_morning(NOW).astimezone()
    assert (local.hour, local.minute) == (8, 0)
    assert local.date() == NOW.astimezone().date() + timedelta(days=1)


@given(
    low=st.floats(-1e6, 1e6, allow_nan=False),
    span=st.floats(1e-3, 1e6, allow_nan=False),
    most=st.integers(2, 12),
)
def test_value_ticks_enclose_the_data_and_are_few(low: float, span: float, most: int) -> None:
    ticks = value_ticks(low, low + span, most)
    assert ticks[0] <= low + 1e-6 * span
    assert ticks[-1] >= low + span * (1 - 1e-6)
    assert 2 <= len(ticks) <= most + 2
    assert ticks == sorted(ticks)


def test_ticks_are_round() -> None:
    assert value_ticks(21, 78, 6) == [20, 40, 60, 80]
    assert decimals_of([0.0, 0.5]) == 1
    assert decimals_of([0.0, 20.0]) == 0


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 (made aware below)
    minutes=st.integers(10, 60 * 24 * 40),
    most=st.integers(2, 12),
)
def test_time_ticks_lie_within_and_are_few(start: datetime, minutes: int, most: int) -> None:
    begin = start.replace(tzinfo=UTC)
    end = begin + timedelta(minutes=minutes)
    ticks = time_ticks(begin, end, most)
    assert len(ticks) <= most
    assert all(begin <= at <= end for at in ticks)
    assert ticks == sorted(set(ticks))
