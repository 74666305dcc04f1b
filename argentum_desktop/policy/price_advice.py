"""What a price per hour must be at least, and which floor makes sense, with how both came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.money import MICROS_PER_UNIT, Money
from argentum_desktop.domain.offer import PPM
from argentum_desktop.domain.tariff import PriceSource
from argentum_desktop.policy.floors import (
    Run,
    break_even_price,
    electricity_per_hour,
    power_at_work_mw,
    price_for_net,
    wear_per_hour,
)
from argentum_desktop.policy.tariff import SOURCE_WORDS, mean_price, stretches
from argentum_desktop.policy.words import clock_time
from argentum_desktop.settings.schema import Prices

# A card's counter ends at the card. The power supply before it turns about a tenth into heat (80 PLUS Gold: 90 %
# efficient at half load), and the rest of the computer is awake for the job; how much that draws, nobody measures here.
SUPPLY_LOSS_PERCENT = 10
REST_OF_COMPUTER_MW = 50_000
# What is to be left above all costs: a floor at cost works for nothing.
MARGIN_PERCENT = 10
_CENT = MICROS_PER_UNIT // 100


@dataclass(frozen=True)
class AdvicePart:
    """One amount per hour, and where it comes from."""

    words: str
    per_hour: Money


@dataclass(frozen=True)
class PriceAdvice:
    """The least prices of one card's hour.

    Attributes:
        power_mw: what the card is taken to draw.
        is_measured: that was measured while jobs ran; else it is the limit, and the truth is likely less.
        per_kwh: the mean price of the hours looked at.
        break_even: the price per hour that leaves nothing after fee, electricity and wear.
        suggested_floor: what to have left per hour, so that what the card's counter does not see is paid as well.
        suggested_price: the price per hour that leaves just that.
        costs: what makes up the break-even price.
        floor_parts: what makes up the suggested floor.
        words: all that in two sentences for the owner.
    """

    power_mw: int
    is_measured: bool
    per_kwh: Money
    break_even: Money
    suggested_floor: Money
    suggested_price: Money
    costs: tuple[AdvicePart, ...]
    floor_parts: tuple[AdvicePart, ...]
    words: str


def price_advice(gpu: Gpu, fee_ppm: int, prices: Prices, run: Run) -> PriceAdvice:
    """Break-even and suggested floor of a card over the hours of `run`.

    Raises:
        ValueError: a fee that takes everything has no such price.
    """
    power_mw = power_at_work_mw(gpu, prices, run.measured_power_mw)
    per_kwh = mean_price(run.tariff, run.zone, run.start, run.end)
    electricity, wear = electricity_per_hour(gpu, prices, run), wear_per_hour(prices)
    break_even = break_even_price(gpu, fee_ppm, prices, run)
    is_measured = run.measured_power_mw is not None
    costs = [AdvicePart(_electricity_words(power_mw, is_measured, per_kwh, run), electricity)]
    costs += [AdvicePart("wear", wear)] if wear.micros else []
    costs.append(AdvicePart(f"the market's fee of {fee_ppm * 100 / PPM:g} %", break_even.scaled(fee_ppm, PPM)))
    parts = _floor_parts(electricity, wear, per_kwh)
    floor = max(0, sum(part.per_hour.micros for part in parts))
    suggested = Money(-(-floor // _CENT) * _CENT, prices.currency)
    return PriceAdvice(
        power_mw=power_mw,
        is_measured=is_measured,
        per_kwh=per_kwh,
        break_even=break_even,
        suggested_floor=suggested,
        suggested_price=price_for_net(suggested + electricity + wear, fee_ppm),
        costs=tuple(costs),
        floor_parts=parts,
        words=f"Break-even is {break_even} an hour: {_sum_words(costs)}. "
        f"A floor of {suggested} an hour makes sense: {_sum_words(parts)}, rounded up to a cent.",
    )


def _floor_parts(electricity: Money, wear: Money, per_kwh: Money) -> tuple[AdvicePart, ...]:
    loss = electricity.scaled(SUPPLY_LOSS_PERCENT, 100 - SUPPLY_LOSS_PERCENT)
    rest = per_kwh.scaled(REST_OF_COMPUTER_MW, 1_000_000)
    margin = (electricity + wear + loss + rest).scaled(MARGIN_PERCENT, 100)
    return (
        AdvicePart(f"the power supply's loss, taken as {SUPPLY_LOSS_PERCENT} %", loss),
        AdvicePart(f"the rest of the computer, taken as {REST_OF_COMPUTER_MW // 1000} W", rest),
        AdvicePart(f"{MARGIN_PERCENT} % of all costs for you", margin),
    )


def _electricity_words(power_mw: int, is_measured: bool, per_kwh: Money, run: Run) -> str:
    watts = f"{power_mw / 1000:.0f} W ({'measured at work' if is_measured else 'the limit; not measured yet'})"
    sources = {part.price.source for part in stretches(run.tariff, run.zone, run.start, run.end)}
    told = ", ".join(SOURCE_WORDS[source] for source in PriceSource if source in sources)
    until = clock_time(run.end, run.start, run.zone)
    hours = f" until {until}" if not run.tariff.is_flat else ""
    return f"electricity, {watts} at {per_kwh}/kWh{hours}" + (f" ({told})" if told else "")


def _sum_words(parts: Sequence[AdvicePart]) -> str:
    return " + ".join(f"{part.per_hour} {part.words}" for part in parts)
