"""Roll-ups and energy: what a minute of readings becomes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain.reading import METRIC_NAMES, Absence, Reading
from argentum_desktop.telemetry.rollup import (
    EnergySource,
    EnergyUsed,
    MetricSummary,
    integrate_energy,
    merge,
    roll_up,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START_S = int(START.timestamp())


def reading(second: float, gpu_id: str = "A", **values: object) -> Reading:
    return Reading(gpu_id, START + timedelta(seconds=second), **values)  # type: ignore[arg-type]


def test_a_minute_has_the_lowest_mean_and_highest_of_what_was_read() -> None:
    rows = roll_up([reading(0, temperature_c=60), reading(1, temperature_c=61), reading(59, temperature_c=65)])
    assert len(rows) == 1
    assert (rows[0].gpu_id, rows[0].start_epoch_s, rows[0].span_s) == ("A", START_S, 60)
    assert rows[0].metrics == {"temperature_c": MetricSummary(3, 60, 62, 65)}


def test_cards_and_minutes_are_kept_apart_and_gaps_stay_gaps() -> None:
    rows = roll_up(
        [
            reading(0, "A", power_mw=100),
            reading(59.9, "B", power_mw=200),
            reading(60, "A", power_mw=300),
            reading(240, "A", power_mw=400),
        ]
    )
    assert [(row.gpu_id, row.start_epoch_s - START_S) for row in rows] == [("A", 0), ("B", 0), ("A", 60), ("A", 240)]


def test_a_metric_without_a_value_is_not_in_the_row() -> None:
    absent = dict.fromkeys(METRIC_NAMES, Absence.LOST)
    rows = roll_up([reading(0, absent=absent), reading(1, absent=absent)])
    assert rows[0].metrics == {}
    mixed = roll_up([reading(0, fan_percent=None, temperature_c=50), reading(1, fan_percent=30, temperature_c=None)])
    assert mixed[0].metrics["fan_percent"] == MetricSummary(1, 30, 30, 30)
    assert mixed[0].metrics["temperature_c"].n == 1


def test_the_same_readings_again_or_in_another_order_give_the_same_rows() -> None:
    readings = [reading(second, temperature_c=40 + second % 30, power_mw=second * 1000) for second in range(200)]
    shuffled = [*readings, *readings]
    random.Random(4).shuffle(shuffled)
    assert roll_up(shuffled) == roll_up(readings)
    minutes = roll_up(readings)
    assert merge([*reversed(minutes), *minutes]) == merge(minutes)


@given(st.dictionaries(st.integers(0, 7199), st.one_of(st.none(), st.integers(0, 600_000)), min_size=1, max_size=80))
def test_hours_made_of_minutes_equal_hours_made_of_seconds(powers: dict[int, int | None]) -> None:
    readings = [reading(second, power_mw=power) for second, power in powers.items()]
    by_minutes = merge(roll_up(readings))
    directly = roll_up(readings, 3600)
    assert [(row.gpu_id, row.start_epoch_s) for row in by_minutes] == [
        (row.gpu_id, row.start_epoch_s) for row in directly
    ]
    for one, other in zip(by_minutes, directly, strict=True):
        assert one.metrics.keys() == other.metrics.keys()
        for name, summary in one.metrics.items():
            expected = other.metrics[name]
            assert (summary.n, summary.low, summary.high) == (expected.n, expected.low, expected.high)
            assert summary.mean == pytest.approx(expected.mean)


def test_spans_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fill"):
        merge(roll_up([reading(0, power_mw=1)], 60), 90)


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
