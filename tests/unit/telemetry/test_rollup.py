"""Roll-ups and energy: what a minute of readings becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain.reading import EnergySource, Reading
from argentum_desktop.domain.summary import Span, Summary
from argentum_desktop.telemetry.rollup import EnergyUsed, combine, integrate_energy, settled, summarise

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def reading(second: float, gpu_id: str = "A", **values: object) -> Reading:
    return Reading(gpu_id, START + timedelta(seconds=second), **values)  # type: ignore[arg-type]


def test_a_minute_has_the_lowest_sum_and_highest_of_what_was_read() -> None:
    span = summarise(3, {"temperature_c": [60, 61, 65]})
    assert span == Span(3, {"temperature_c": Summary(3, 60, 186, 65)})
    assert span.metrics["temperature_c"].mean == 62


def test_a_metric_without_a_value_is_not_in_the_summary() -> None:
    span = summarise(2, {"fan_percent": [None, 30], "temperature_c": [None, None], "power_mw": [0, 0]})
    assert span.metrics == {"fan_percent": Summary(1, 30, 30, 30), "power_mw": Summary(2, 0, 0, 0)}


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(0, 2**53)), min_size=1, max_size=9), min_size=1, max_size=9))
def test_an_hour_made_of_minutes_equals_one_made_of_seconds_exactly(minutes: list[list[int | None]]) -> None:
    spans = [summarise(len(values), {"energy_mj": values}) for values in minutes]
    together = [value for values in minutes for value in values]
    assert combine(spans) == summarise(len(together), {"energy_mj": together})


def test_of_two_summaries_of_the_same_minute_the_one_of_more_readings_stands() -> None:
    few, many, same = (Span(n, {"power_mw": Summary(n, low, n * low, low)}) for n, low in ((5, 1), (60, 2), (60, 3)))
    assert settled({0: few}, {0: many}) == {0: many}
    assert settled({0: many}, {0: few}) == {0: many}
    assert settled({0: many}, {0: same}) == {0: same}
    assert settled({0: many}, {60: few}) == {0: many, 60: few}
    assert settled(settled({0: few}, {0: many}), {0: many}) == {0: many}


def test_energy_by_the_counter_holds_over_any_gap() -> None:
    used = integrate_energy(
        [reading(0, energy_mj=1_000), reading(1, energy_mj=301_000), reading(601, energy_mj=901_000)]
    )
    assert used == EnergyUsed(900_000, EnergySource.COUNTER, 601.0)


def test_energy_without_a_counter_is_the_area_under_the_power() -> None:
    used = integrate_energy([reading(second, power_mw=100_000 + 10_000 * second) for second in range(11)])
    assert used == EnergyUsed(1_500_000, EnergySource.INTEGRATED, 10.0)


def test_a_gap_in_the_power_is_not_bridged() -> None:
    used = integrate_energy([reading(second, power_mw=200_000) for second in (0, 1, 2, 7.5, 8.5, 13.5)])
    assert used == EnergyUsed(200_000 * 8, EnergySource.INTEGRATED, 8.0)


def test_a_counter_that_starts_anew_costs_no_energy_and_invents_none() -> None:
    row = [
        reading(0, energy_mj=5_000_000, power_mw=100_000),
        reading(1, energy_mj=5_100_000, power_mw=100_000),
        reading(2, energy_mj=40_000, power_mw=100_000),
        reading(3, energy_mj=140_000, power_mw=100_000),
    ]
    assert integrate_energy(row) == EnergyUsed(300_000, EnergySource.MIXED, 3.0)
    away = [row[0], row[1], reading(1000, energy_mj=40_000, power_mw=100_000)]
    assert integrate_energy(away) == EnergyUsed(100_000, EnergySource.COUNTER, 1.0)


def test_a_counter_that_jumps_beyond_all_power_is_not_believed() -> None:
    row = [reading(0, energy_mj=0, power_mw=50_000), reading(1, energy_mj=2**60, power_mw=50_000)]
    assert integrate_energy(row) == EnergyUsed(50_000, EnergySource.INTEGRATED, 1.0)


def test_a_counter_missing_at_the_ends_is_filled_in_by_power() -> None:
    row = [
        reading(0, power_mw=100_000),
        reading(1, power_mw=100_000, energy_mj=700),
        reading(2, energy_mj=90_700),
        reading(3, power_mw=100_000),
        reading(4, power_mw=100_000),
    ]
    # From 2 to 4 only the second after 3 has power at both ends.
    assert integrate_energy(row) == EnergyUsed(100_000 + 90_000 + 100_000, EnergySource.MIXED, 3.0)


def test_what_was_added_up_from_the_power_is_no_counter() -> None:
    """It stands still over a gap and begins anew with the application: its differences are no energy."""
    of_us = {"energy_source": EnergySource.INTEGRATED}
    row = [reading(0, power_mw=100_000, energy_mj=0, **of_us), reading(600, power_mw=100_000, energy_mj=0, **of_us)]
    assert integrate_energy(row) is None
    row = [reading(0, power_mw=100_000, energy_mj=7, **of_us), reading(1, power_mw=100_000, energy_mj=900, **of_us)]
    assert integrate_energy(row) == EnergyUsed(100_000, EnergySource.INTEGRATED, 1.0)
    row = [reading(0, energy_mj=5, **of_us), reading(1, energy_mj=90_000)]
    assert integrate_energy(row) is None


def test_nothing_known_is_nothing_said() -> None:
    assert integrate_energy([]) is None
    assert integrate_energy([reading(0, energy_mj=5, power_mw=5)]) is None
    assert integrate_energy([reading(0), reading(1)]) is None
    assert integrate_energy([reading(0, power_mw=5), reading(60, power_mw=5)]) is None


def test_energy_is_for_one_card() -> None:
    with pytest.raises(ValueError, match="one card"):
        integrate_energy([reading(0, "A"), reading(1, "B")])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 700_000)), min_size=2, max_size=60))
def test_counter_and_power_agree_where_the_counter_is_right(steps: list[tuple[int, int]]) -> None:
    second, energy = 0, 0.0
    plain, counted = [reading(0, power_mw=0)], [reading(0, power_mw=0, energy_mj=0)]
    power = 0
    for gap, next_power in steps:
        second += gap + 1
        energy += (power + next_power) / 2 * (gap + 1)
        power = next_power
        plain.append(reading(second, power_mw=power))
        counted.append(reading(second, power_mw=power, energy_mj=int(energy)))
    by_power, by_counter = integrate_energy(plain), integrate_energy(counted)
    assert by_power is not None
    assert by_counter is not None
    assert by_power.covered_s == by_counter.covered_s == second
    assert abs(by_power.energy_mj - by_counter.energy_mj) <= 1
