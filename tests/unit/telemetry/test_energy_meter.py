"""The energy of a job, as its readings come in."""

from __future__ import annotations

from typing import Any

import pytest
from samples import reading

from argentum_desktop.domain.reading import Absence, EnergySource, Reading
from argentum_desktop.telemetry.energy import EnergyMeter, MissingEnergy


def test_the_first_reading_alone_says_nothing() -> None:
    meter = EnergyMeter()
    meter.add(reading(0, power_mw=100_000))
    assert meter.energy_mj == 0


def test_the_power_of_several_cards_adds_up() -> None:
    meter = EnergyMeter()
    for second in range(11):
        meter.add(reading(second, "GPU-1", power_mw=100_000))
        meter.add(reading(second, "GPU-2", power_mw=50_000))
    assert meter.energy_mj == 1_500_000


def test_a_counter_runs_on_through_a_gap_and_power_does_not() -> None:
    counted, integrated = EnergyMeter(), EnergyMeter()
    for second in (0, 1, 601, 602):
        counted.add(reading(second, power_mw=100_000, energy_mj=100_000 * second))
        integrated.add(reading(second, power_mw=100_000))
    assert counted.energy_mj == 60_200_000
    assert integrated.energy_mj == 200_000


def test_it_goes_on_from_an_earlier_figure() -> None:
    meter = EnergyMeter()
    meter.start_from(5)
    meter.add(reading(0, power_mw=1000))
    meter.add(reading(1, power_mw=1000))
    assert meter.energy_mj == 1005


@pytest.mark.parametrize("jump_s", [-3600, -1, 0, 3600])
def test_a_clock_that_is_set_never_takes_away_and_never_invents(jump_s: int) -> None:
    meter, counter = EnergyMeter(), 0
    for second in range(10):
        counter += 100_000
        meter.add(reading(second + (jump_s if second >= 5 else 0), power_mw=100_000, energy_mj=counter))
    assert 800_000 <= meter.energy_mj <= 900_000


def test_the_same_reading_again_counts_once() -> None:
    meter = EnergyMeter()
    for second in (0, 1, 1, 1, 2):
        meter.add(reading(second, power_mw=100_000))
    assert meter.energy_mj == 200_000


def test_a_card_without_power_or_counter_uses_nothing_that_is_known() -> None:
    meter = EnergyMeter()
    for second in range(5):
        meter.add(reading(second, temperature_c=50))
    assert meter.energy_mj == 0


# -- cards without a counter ------------------------------------------------------------------------------------------


def without_counter(second: float, gpu_id: str = "GPU-1", **values: Any) -> Reading:
    return reading(second, gpu_id, absent={"energy_mj": Absence.NOT_SUPPORTED, "fan_rpm": Absence.ERROR}, **values)


def test_a_missing_counter_is_made_up_for_and_marked() -> None:
    energy = MissingEnergy()
    found = [energy.complete(without_counter(second, power_mw=100_000)) for second in range(4)]
    assert [entry.energy_mj for entry in found] == [0, 100_000, 200_000, 300_000]
    assert {entry.energy_source for entry in found} == {EnergySource.INTEGRATED}
    assert all(dict(entry.absent) == {"fan_rpm": Absence.ERROR} for entry in found)


def test_each_card_has_its_own_and_a_gap_counts_for_nothing() -> None:
    energy = MissingEnergy()
    for second in (0, 1, 600):
        one = energy.complete(without_counter(second, "A", power_mw=100_000))
        other = energy.complete(without_counter(second, "B", power_mw=7_000))
    assert (one.energy_mj, other.energy_mj) == (100_000, 7_000)
    silent = energy.complete(without_counter(601, "A"))
    assert (silent.energy_mj, silent.energy_source) == (100_000, EnergySource.INTEGRATED)


@pytest.mark.parametrize(
    "given",
    [
        reading(0, energy_mj=5, power_mw=9),
        reading(0, absent={"energy_mj": Absence.LOST}),
        reading(0, power_mw=9, absent={"energy_mj": Absence.ERROR}),
        without_counter(0),
    ],
    ids=["it counts", "lost", "a fault", "no power either"],
)
def test_nothing_else_is_made_up(given: Reading) -> None:
    assert MissingEnergy().complete(given) is given


def test_a_job_counts_the_same_on_a_card_without_a_counter() -> None:
    energy, meter = MissingEnergy(), EnergyMeter()
    for second in (0, 1, 2, 50, 51):
        meter.add(energy.complete(without_counter(second, power_mw=100_000)))
    assert meter.energy_mj == 300_000
