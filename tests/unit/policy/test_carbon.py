"""What is emitted for a job's energy, and the two rules about where the electricity comes from."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import NOON, eur
from surroundings import circumstances

from argentum_desktop.agent.energy_files import shipped_grids
from argentum_desktop.domain.decision import ChangeKind
from argentum_desktop.domain.energy import GridCarbon, IntensitySpan
from argentum_desktop.domain.intensity_file import is_by_country, read_countries, read_series
from argentum_desktop.domain.tariff import PriceSpan, Tariff
from argentum_desktop.domain.timed_figures import TableError
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.carbon import (
    SOLAR_MG_PER_KWH,
    carbon_mg,
    carbon_words,
    cleaner_than,
    intensity_at,
    only_on_solar,
)
from argentum_desktop.policy.gates.energy import clean_enough, on_solar_hours
from argentum_desktop.settings.schema import Energy, Prices, Settings

PARIS = ZoneInfo("Europe/Paris")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KWH_MJ = 3_600_000_000
FLAT = Tariff(eur("0.30"))
SUNNY = Tariff(eur("0.30"), solar=(WeeklyWindow.parse("daily 11:00-16:00"),))
GERMANY = GridCarbon("DE", 342_060, 2024, "Ember")


def hourly(*grams: int) -> GridCarbon:
    spans = tuple(
        IntensitySpan(NOON + number * HOUR, NOON + (number + 1) * HOUR, gram * 1000)
        for number, gram in enumerate(grams)
    )
    return GridCarbon("DE", 342_060, 2024, "mine.csv", spans)


@given(st.integers(0, 10**12), st.integers(0, 1_000_000))
def test_a_yearly_figure_is_energy_times_grams(energy_mj: int, mg: int) -> None:
    found = carbon_mg(GridCarbon("FR", mg, 2024, "Ember"), FLAT, PARIS, energy_mj, NOON, NOON + HOUR)
    assert found == round(Fraction(energy_mj * mg, KWH_MJ))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 900), max_size=5),
    st.integers(-300, 300),
    st.integers(0, 600),
    st.integers(0, 10**11),
    st.sampled_from([FLAT, SUNNY, Tariff(eur("0.3"), spans=(PriceSpan(NOON, NOON + HOUR, eur("0.1")),))]),
)
def test_every_minute_added_up(grams: list[int], offset: int, count: int, energy_mj: int, tariff: Tariff) -> None:
    grid, start = hourly(*grams), NOON + offset * MINUTE
    total = Fraction(0)
    for number in range(max(1, count)):
        at = start + number * MINUTE
        hour = int((at - NOON) / HOUR) if at >= NOON else -1
        known = 0 <= hour < len(grams)
        mg = grams[hour] * 1000 if known else 342_060
        if tariff.solar and 11 <= at.astimezone(PARIS).hour < 16:
            mg = SOLAR_MG_PER_KWH
        assert intensity_at(grid, tariff, PARIS, at) == mg
        total += mg
    found = carbon_mg(grid, tariff, PARIS, energy_mj, start, start + count * MINUTE)
    assert found == round(total * energy_mj / max(1, count) / KWH_MJ)


def test_the_words_about_an_emission() -> None:
    assert carbon_words(GERMANY, FLAT, PARIS, NOON, NOON + HOUR) == "CO₂e: 342 g/kWh (DE, 2024, Ember)."
    sun = "your own panels at 41 g/kWh"
    assert carbon_words(GERMANY, SUNNY, PARIS, NOON, NOON + HOUR) == f"CO₂e: {sun}."
    mixed = carbon_words(GERMANY, SUNNY, PARIS, NOON, NOON + 9 * HOUR)
    assert mixed == f"CO₂e: 342 g/kWh (DE, 2024, Ember), {sun} in their hours."


def test_only_when_the_grid_is_cleaner() -> None:
    assert cleaner_than(343, GERMANY, FLAT, PARIS, NOON).is_yes
    dirty = cleaner_than(342, GERMANY, FLAT, PARIS, NOON)
    assert dirty.reason == "Your electricity comes with 342 g of CO₂e per kWh; jobs are to run below 342 g."
    assert dirty.change is not None
    assert (dirty.change.kind, dirty.change.value) == (ChangeKind.SETTING, "343")
    assert cleaner_than(343, GERMANY, FLAT, PARIS, NOON).is_yes  # what it says to set is enough
    waiting = cleaner_than(200, hourly(300, 250, 199), FLAT, PARIS, NOON)
    assert waiting.change is not None
    assert waiting.change.at == NOON + 2 * HOUR
    assert waiting.remedy == "Cleaner from 15:00."
    assert cleaner_than(200, hourly(300, 250, 199), FLAT, PARIS, waiting.change.at).is_yes
    evening = NOON + 4 * HOUR  # Germany's mean again, until the panels do it tomorrow
    sun = cleaner_than(200, hourly(300), SUNNY, PARIS, evening)
    assert sun.change is not None
    assert sun.change.at == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_only_on_solar_power() -> None:
    sunny = only_on_solar(SUNNY, PARIS, NOON)
    assert (sunny.is_yes, sunny.reason) == (True, "until 16:00")
    evening = only_on_solar(SUNNY, PARIS, NOON + 4 * HOUR)
    assert not evening.is_yes
    assert evening.remedy == "Your solar hours begin tomorrow 11:00."
    assert evening.change is not None
    assert evening.change.at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert only_on_solar(SUNNY, PARIS, evening.change.at).is_yes
    never = only_on_solar(FLAT, PARIS, NOON)
    assert (never.is_yes, never.change and never.change.kind) == (False, ChangeKind.SETTING)


def test_the_table_that_ships() -> None:
    grids = shipped_grids()
    assert len(grids) > 80
    assert grids["FR"] == GridCarbon("FR", 44_180, 2024, "Ember")
    assert grids["DE"].words == "342 g/kWh (DE, 2024, Ember)"
    assert all(10_000 < grid.mg_per_kwh < 1_000_000 and grid.year == 2024 for grid in grids.values())


def test_a_table_of_ones_own() -> None:
    text = "country,g_co2e_per_kwh,year,source\nfr,50.5,2025,my supplier\n"
    assert is_by_country(text)
    assert read_countries(text) == {"FR": GridCarbon("FR", 50_500, 2025, "my supplier")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("country,year,source\n", "line 1: the column g_co2e_per_kwh is missing"),
        ("country,g_co2e_per_kwh,year,source\nFRA,50,2024,x\n", 'line 2: "FRA" is not a country\'s code'),
        ("country,g_co2e_per_kwh,year,source\nFR,-1,2024,x\n", 'line 2: "-1" is no carbon intensity'),
        ("country,g_co2e_per_kwh,year,source\nFR,5001,2024,x\n", "is no carbon intensity"),
        ("country,g_co2e_per_kwh,year,source\nFR,50,24,x\n", 'line 2: "24" is no year'),
        ("country,g_co2e_per_kwh,year,source\nFR,50,2024,x\nFR,51,2024,x\n", "line 3: FR stands twice"),
        ("country,g_co2e_per_kwh,year,source\nFR\n", "is no year"),
    ],
)
def test_a_table_of_countries_that_cannot_be_used(text: str, words: str) -> None:
    with pytest.raises(TableError, match=re.escape(words)):
        read_countries(text)


def test_a_series_of_ones_own_grid() -> None:
    text = "time,carbon intensity (g/kWh)\n2026-03-01 13:00,50\n2026-03-01 14:00,150.5\n"
    grid, notes = read_series(text, PARIS, GERMANY, "grid.csv")
    assert not is_by_country(text)
    assert notes == ()
    assert [intensity_at(grid, FLAT, PARIS, NOON + number * HOUR) for number in range(3)] == [50_000, 150_500, 342_060]
    assert grid.words == "342 g/kWh (DE, 2024, grid.csv, else Ember)"
    alone, _ = read_series(text, PARIS, None, "grid.csv")
    assert (alone.country, alone.mg_per_kwh, alone.year) == ("own", 100_250, 2026)
    with pytest.raises(ValueError, match="does not lie between"):
        read_series("time,g/kWh\n2026-03-01 13:00,-5\n", PARIS, None, "grid.csv")


def test_the_rules_ask_the_settings() -> None:
    at = circumstances()
    assert on_solar_hours(at).is_yes
    assert clean_enough(at).is_yes
    wishes = Settings(prices=Prices(only_on_solar=True), energy=Energy(cleaner_than_g_per_kwh=200))
    at = circumstances(settings=wishes, tariff=SUNNY, now=NOON + 4 * HOUR)
    assert on_solar_hours(at) == only_on_solar(SUNNY, PARIS, at.now)
    assert not clean_enough(at).is_yes  # not known counts as the careful owner chose
    at = circumstances(settings=wishes, tariff=SUNNY, grid=GERMANY, now=NOON + 4 * HOUR)
    assert clean_enough(at) == cleaner_than(200, GERMANY, SUNNY, PARIS, at.now)
    assert clean_enough(circumstances(settings=wishes, tariff=SUNNY, grid=GERMANY)).is_yes  # the panels do it
