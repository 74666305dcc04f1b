"""For how much: the price we ask is the least that our own rules accept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import GPU, NOON, eur, job, offer
from surroundings import PARIS, circumstances

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import PPM
from argentum_desktop.domain.tariff import PriceSpan, Tariff, TariffLine
from argentum_desktop.policy.evaluate import may_run
from argentum_desktop.policy.floors import (
    Run,
    asking_price,
    break_even_price,
    electricity_per_hour,
    floor_in_force,
    net_price,
    power_at_work_mw,
    price_for_net,
)
from argentum_desktop.policy.price_advice import price_advice
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
    assert f"Runs for {asked + asked} an hour, {asked} more than offered." in {
        verdict.remedy for verdict in single.refusals
    }
    assert may_run(offer(price_per_hour=asked + asked, gpu_ids=two), at).is_yes


def test_the_words_of_the_price_rules() -> None:
    at = circumstances(settings=Settings(prices=prices(Decimal("0.10"), Decimal("0.30"))))
    asked = asking_price(GPU, 50_000, at.settings.prices)
    decision = may_run(offer(price_per_hour=eur("0.05")), at)
    assert [verdict.rule for verdict in decision.refusals] == ["loss", "floor"]
    assert decision.reason == "It would cost 0.0125 EUR an hour more in electricity than it pays."
    assert decision.refusals[1].reason == "It would leave you -0.0125 EUR an hour; your floor is 0.10 EUR."
    assert {verdict.remedy for verdict in decision.refusals} == {
        f"Runs for {asked} an hour, {asked - eur('0.05')} more than offered."
    }
    assert at.now == NOON


HOUR = timedelta(hours=1)
NIGHT = TariffLine.parse("daily 22:00-06:00 0.10")


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Hours with prices of every kind, below zero as well."""
    at, spans = NOON - HOUR, []
    for micros in draw(st.lists(st.integers(-400_000, 900_000), max_size=4)):
        spans.append(PriceSpan(at, at + HOUR, Money(micros, "EUR")))
        at += HOUR
    tariff = Tariff(Money(draw(st.integers(0, 900_000)), "EUR"), draw(st.sampled_from([(), (NIGHT,)])), tuple(spans))
    end = NOON + timedelta(seconds=draw(st.integers(1, 100_000)))
    floor = draw(st.one_of(st.none(), AMOUNTS))
    return Run(tariff, PARIS, NOON, end, draw(st.one_of(st.none(), POWERS)), floor, draw(st.booleans()))


@given(runs(), AMOUNTS, AMOUNTS, POWERS, FEES)
@example(Run(Tariff(eur("0.30")), PARIS, NOON, NOON + HOUR, window_floor=Decimal("0.2")), Decimal(0), Decimal(0), 1, 0)
def test_the_asked_price_leaves_the_floor_and_a_millionth_less_does_not(
    run: Run, floor: Decimal, wear: Decimal, limit_mw: int, fee_ppm: int
) -> None:
    gpu = replace(GPU, power_limit_mw=limit_mw)
    choice = replace(prices(floor, Decimal("0.30")), wear_per_gpu_hour=wear)
    asked = asking_price(gpu, fee_ppm, choice, run)
    wanted = max(floor, run.window_floor or Decimal(0))
    assert net_price(asked, fee_ppm, gpu, choice, run).net >= choice.money(wanted)
    assert asked.micros >= 0
    if asked.micros:
        less = net_price(asked - Money(1, "EUR"), fee_ppm, gpu, choice, run).net
        assert less < choice.money(wanted)
    even = break_even_price(gpu, fee_ppm, choice, run)
    assert even <= asked
    assert net_price(even, fee_ppm, gpu, choice, run).net.micros >= 0


@given(runs(), POWERS, st.integers(0, 100_000))
def test_a_price_for_any_length_is_enough_for_each(run: Run, limit_mw: int, seconds: int) -> None:
    """What is asked of a market before the job is known must do for a job that ends sooner."""
    gpu, choice = replace(GPU, power_limit_mw=limit_mw), prices(Decimal("0.05"), Decimal("0.30"))
    asked = asking_price(gpu, 50_000, choice, replace(run, is_any_length=True))
    sooner = replace(run, end=min(run.end, NOON + timedelta(seconds=seconds)), is_any_length=False)
    assert asking_price(gpu, 50_000, choice, sooner) <= asked


def test_the_higher_of_two_floors_counts() -> None:
    choice = prices(Decimal("0.10"), Decimal("0.30"))
    assert floor_in_force(choice) == eur("0.10")
    assert floor_in_force(choice, Decimal("0.05")) == eur("0.10")
    assert floor_in_force(choice, Decimal("0.30")) == eur("0.30")


def test_what_was_measured_counts_but_never_more_than_the_limit() -> None:
    choice = prices(Decimal(0), Decimal("0.30"))
    assert power_at_work_mw(GPU, choice) == 200_000
    assert power_at_work_mw(GPU, choice, 150_000) == 150_000
    assert power_at_work_mw(GPU, choice, 250_000) == 200_000  # the limit was lowered since
    assert power_at_work_mw(replace(GPU, power_limit_mw=None), choice, 250_000) == 250_000
    run = Run(Tariff(eur("0.30")), PARIS, NOON, NOON + HOUR, 150_000)
    assert electricity_per_hour(GPU, choice, run) == eur("0.045")


def test_electricity_counts_over_the_hours_it_would_run_in() -> None:
    """From one in the afternoon of Paris: nine hours of day, then one of night."""
    run = Run(Tariff(eur("0.30"), (NIGHT,)), PARIS, NOON, NOON + 10 * HOUR)
    choice = replace(prices(Decimal("0.05"), Decimal("9.99")), wear_per_gpu_hour=Decimal("0.01"))
    parts = net_price(eur("0.40"), 50_000, GPU, choice, run)
    assert parts.electricity == eur("0.056")  # 200 W at (9 x 0.30 + 0.10) / 10
    assert (parts.fee, parts.wear, parts.net) == (eur("0.02"), eur("0.01"), eur("0.314"))


@given(st.integers(-(10**12), 0), FEES)
def test_what_costs_nothing_is_asked_nothing_for(micros: int, fee_ppm: int) -> None:
    assert price_for_net(Money(micros, "EUR"), fee_ppm) == eur("0")


def test_the_advice_and_how_it_came_about() -> None:
    choice = replace(prices(Decimal(0), Decimal("0.30")), wear_per_gpu_hour=Decimal("0.01"))
    run = Run(Tariff(eur("0.30")), PARIS, NOON, NOON + 10 * HOUR, 180_000)
    advice = price_advice(GPU, 100_000, choice, run)
    # 0.18 kW at 0.30 and a cent of wear are 0.064; a tenth of 0.071111 goes to the market.
    assert advice.break_even == eur("0.071111")
    assert [part.per_hour for part in advice.costs] == [eur("0.054"), eur("0.01"), eur("0.007111")]
    # A ninth of 0.054, 50 W at 0.30, and a tenth of all that with the costs.
    assert [part.per_hour for part in advice.floor_parts] == [eur("0.006"), eur("0.015"), eur("0.0085")]
    assert advice.suggested_floor == eur("0.03")
    asked = asking_price(GPU, 100_000, replace(choice, floor_per_gpu_hour=Decimal("0.03")), run)
    assert advice.suggested_price == asked
    assert advice.is_measured
    assert advice.words == (
        "Break-even is 0.071111 EUR an hour: 0.054 EUR electricity, 180 W (measured at work) at 0.30 EUR/kWh "
        "(your flat price) + 0.01 EUR wear + 0.007111 EUR the market's fee of 10 %. "
        "A floor of 0.03 EUR an hour makes sense: 0.006 EUR the power supply's loss, taken as 10 % + 0.015 EUR "
        "the rest of the computer, taken as 50 W + 0.0085 EUR 10 % of all costs for you, rounded up to a cent."
    )


def test_an_advice_from_the_limit_says_so() -> None:
    run = Run(Tariff(eur("0.30"), (NIGHT,)), PARIS, NOON, NOON + 10 * HOUR)
    advice = price_advice(GPU, 50_000, prices(Decimal(0), Decimal("0.30")), run)
    assert not advice.is_measured
    assert (
        "200 W (the limit; not measured yet) at 0.28 EUR/kWh until 23:00 (your flat price, time of use)" in advice.words
    )
    assert advice.per_kwh == eur("0.28")


@given(runs(), AMOUNTS, AMOUNTS, POWERS, FEES, st.integers(-2, 2))
def test_the_rules_reckon_as_the_asked_price_does(
    run: Run, floor: Decimal, wear: Decimal, limit_mw: int, fee_ppm: int, step: int
) -> None:
    """Over any tariff: an offer is worth it exactly from the price on that is asked for its hours."""
    gpu, run = replace(GPU, power_limit_mw=limit_mw), replace(run, is_any_length=False, window_floor=None)
    choice = replace(prices(floor, Decimal("0.30")), wear_per_gpu_hour=wear)
    asked = asking_price(gpu, fee_ppm, choice, run)
    at = circumstances(
        gpu=gpu, settings=Settings(prices=choice), tariff=run.tariff, measured_power_mw=run.measured_power_mw
    )
    offered = Money(max(0, asked.micros + step), "EUR")
    wall_s = int((run.end - run.start).total_seconds())
    wanted = offer(job=job(wall_s=wall_s), price_per_hour=offered, fee_ppm=fee_ppm)
    verdicts = {verdict.rule: verdict.is_yes for verdict in may_run(wanted, at).verdicts}
    assert (verdicts["loss"] and verdicts["floor"]) == (offered.micros >= asked.micros)
