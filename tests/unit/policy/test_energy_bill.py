"""What the energy of a job came to, with the words that say how."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from samples import NOON, eur, lease

from argentum_desktop.domain.energy import EnergyBill, GridCarbon
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money, energy_cost
from argentum_desktop.domain.tariff import PriceSpan, Tariff, TariffLine
from argentum_desktop.policy.energy_bill import energy_bill

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
KWH_MJ = 3_600_000_000
FRANCE = GridCarbon("FR", 44_180, 2024, "Ember")


@given(st.integers(0, 10**12), st.integers(0, 10**6), st.integers(0, 100_000))
def test_a_flat_price_is_the_energy_times_it(energy_mj: int, micros: int, seconds: int) -> None:
    done = replace(lease(), usage=Usage(seconds, energy_mj), ended_at=NOON + timedelta(seconds=seconds))
    found = energy_bill(done, Tariff(Money(micros, "EUR")), PARIS, None)
    assert (found.energy_mj, found.carbon_mg) == (energy_mj, None)
    assert found.electricity == energy_cost(Money(micros, "EUR"), energy_mj)


@given(st.integers(1, 10**12), st.integers(1, 10**5), st.integers(0, 10**6), st.integers(-(10**5), 10**6))
def test_energy_is_spread_evenly_over_a_change_of_the_price(energy_mj: int, after_s: int, low: int, high: int) -> None:
    """An hour at one price, then some time at another."""
    spans = (
        PriceSpan(NOON, NOON + HOUR, Money(low, "EUR")),
        PriceSpan(NOON + HOUR, NOON + 100 * HOUR, Money(high, "EUR")),
    )
    done = replace(lease(), usage=Usage(1, energy_mj), ended_at=NOON + HOUR + timedelta(seconds=after_s))
    exact = Fraction((low * 3600 + high * after_s) * energy_mj, (3600 + after_s) * KWH_MJ)
    assert energy_bill(done, Tariff(eur("9"), spans=spans), PARIS, None).electricity.micros == round(exact)


def test_a_job_over_two_prices_in_words() -> None:
    tariff = Tariff(eur("0.30"), (TariffLine.parse("daily 22:00-06:00 0.10"),))
    start = NOON + 8 * HOUR  # nine in the evening of Paris
    done = replace(lease(), started_at=start, ended_at=start + 2 * HOUR, usage=Usage(7200, KWH_MJ))
    assert energy_bill(done, tariff, PARIS, FRANCE) == EnergyBill(
        KWH_MJ,
        eur("0.20"),
        44_180,
        "At 0.20 EUR/kWh on average (0.10 EUR to 0.30 EUR), its energy taken as spread evenly from 21:00 to 23:00. "
        "CO₂e: 44 g/kWh (FR, 2024, Ember).",
    )


def test_hours_that_the_day_ahead_prices_do_not_reach_are_told() -> None:
    tariff = Tariff(eur("0.30"), spans=(PriceSpan(NOON, NOON + HOUR, eur("0.10")),))
    done = replace(lease(), ended_at=NOON + 2 * HOUR, usage=Usage(7200, KWH_MJ))
    found = energy_bill(done, tariff, PARIS, None)
    assert found.electricity == eur("0.20")
    assert found.words.endswith("from 13:00 to 15:00. Where the day-ahead prices do not reach, your flat price counts.")


def test_a_job_that_never_ran() -> None:
    found = energy_bill(replace(lease(), started_at=None, ended_at=None), Tariff(eur("0.30")), PARIS, FRANCE)
    assert (found.electricity, found.carbon_mg, found.energy_mj) == (eur("0"), 0, 0)
