"""For how much: the price we ask is the least that our own rules accept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import GPU, NOON, eur, offer
from surroundings import circumstances

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import PPM
from argentum_desktop.policy.evaluate import may_run
from argentum_desktop.policy.floors import asking_price, electricity_per_hour, net_price
from argentum_desktop.settings.schema import Prices, Settings

AMOUNTS = st.integers(0, 2_000_000).map(lambda micros: Decimal(micros).scaleb(-6))
POWERS = st.integers(0, 700_000)
FEES = st.one_of(st.integers(0, 300_000), st.integers(0, PPM - 1))


def prices(floor: Decimal, electricity: Decimal, *, never_at_a_loss: bool = True) -> Prices:
    return Prices(floor_per_gpu_hour=floor, electricity_per_kwh=electricity, never_at_a_loss=never_at_a_loss)


@given(AMOUNTS, AMOUNTS, POWERS, FEES, st.integers(-3, 3), st.booleans())
@example(Decimal("0.05"), Decimal("0.30"), 200_000, 50_000, -1, True)
@example(Decimal(0), Decimal(0), 0, 0, 0, True)
@example(Decimal("0.000001"), Decimal(0), 0, 999_999, -1, True)
@example(Decimal("0.000001"), Decimal(0), 0, 500_000, -1, False)
def test_a_price_is_accepted_exactly_from_the_asked_one_on(
    floor: Decimal, electricity: Decimal, power_mw: int, fee_ppm: int, step: int, careful: bool
) -> None:
    gpu, choice = replace(GPU, power_limit_mw=power_mw), prices(floor, electricity, never_at_a_loss=careful)
    asked = asking_price(gpu, fee_ppm, choice)
    given_price = Money(max(0, asked.micros + step), "EUR")
    at = circumstances(gpu=gpu, settings=Settings(prices=choice))
    verdicts = {
        verdict.rule: verdict for verdict in may_run(offer(price_per_hour=given_price, fee_ppm=fee_ppm), at).verdicts
    }
    is_accepted = verdicts["floor"].is_yes and verdicts["loss"].is_yes
    assert is_accepted == (given_price.micros >= asked.micros)


@given(AMOUNTS, AMOUNTS, POWERS, FEES)
def test_what_is_accepted_never_costs_more_than_it_pays(
    floor: Decimal, electricity: Decimal, power_mw: int, fee_ppm: int
) -> None:
    """In exact arithmetic, but for the rounding of the fee and of the electricity: half a millionth each."""
    gpu, choice = replace(GPU, power_limit_mw=power_mw), prices(floor, electricity)
    asked = asking_price(gpu, fee_ppm, choice)
    exact_fee = Fraction(asked.micros * fee_ppm, PPM)
    exact_electricity = Fraction(choice.electricity.micros * power_mw, 1_000_000)
    left = asked.micros - exact_fee - exact_electricity
    assert left >= choice.floor.micros - 1


def test_an_hour_taken_apart() -> None:
    parts = net_price(eur("0.40"), 50_000, GPU, prices(Decimal("0.05"), Decimal("0.30")))
    assert (parts.price, parts.fee, parts.electricity) == (eur("0.40"), eur("0.02"), eur("0.06"))
    assert parts.net == eur("0.32")


def test_a_card_that_does_not_report_its_limit_is_taken_for_the_assumed_one() -> None:
    choice = replace(prices(Decimal(0), Decimal("0.30")), assumed_power_w=500)
    assert electricity_per_hour(replace(GPU, power_limit_mw=None), choice) == eur("0.15")
    assert electricity_per_hour(replace(GPU, power_limit_mw=0), choice) == eur("0")


@pytest.mark.parametrize("fee_ppm", [-1, PPM, PPM + 1])
def test_a_fee_that_leaves_nothing_has_no_price(fee_ppm: int) -> None:
    with pytest.raises(ValueError, match="less than the whole price"):
        asking_price(GPU, fee_ppm, Prices())


def test_each_card_of_a_lease_is_worth_its_share() -> None:
    """Two cards for the price of one would leave each with half of it, and with the whole of its electricity."""
    at = circumstances(settings=Settings(prices=prices(Decimal("0.05"), Decimal("0.30"))))
    asked = asking_price(GPU, 50_000, at.settings.prices)
    two = ("GPU-1", "GPU-2")
    single = may_run(offer(price_per_hour=asked, gpu_ids=two), at)
    assert single.refusals
    assert f"Runs for {asked + asked} an hour." in {verdict.remedy for verdict in single.refusals}
    assert may_run(offer(price_per_hour=asked + asked, gpu_ids=two), at).is_yes


def test_the_words_of_the_price_rules() -> None:
    at = circumstances(settings=Settings(prices=prices(Decimal("0.10"), Decimal("0.30"))))
    asked = asking_price(GPU, 50_000, at.settings.prices)
    decision = may_run(offer(price_per_hour=eur("0.05")), at)
    assert [verdict.rule for verdict in decision.refusals] == ["loss", "floor"]
    assert decision.reason == "It would cost 0.0125 EUR an hour more in electricity than it pays."
    assert decision.refusals[1].reason == "It would leave you -0.0125 EUR an hour; your floor is 0.10 EUR."
    assert {verdict.remedy for verdict in decision.refusals} == {f"Runs for {asked} an hour."}
    assert at.now == NOON
