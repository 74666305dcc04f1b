"""For how much: what is left of a price after the market, the electricity meter and the card's wear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import PPM
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.policy.electricity import cost_per_hour, most_per_hour
from argentum_desktop.settings.schema import Prices


@dataclass(frozen=True)
class Run:
    """When a card would work and what is known of it: what the flat price and the power limit stand in for.

    Attributes:
        end: when it would be over at the latest.
        measured_power_mw: what this card draws at work; None where that was not measured.
        window_floor: the floor of the window in force; the higher of this and the general one counts.
        is_any_length: it may also end sooner; then the hours that make it dearest count.
    """

    tariff: Tariff
    zone: ZoneInfo
    start: datetime
    end: datetime
    measured_power_mw: int | None = None
    window_floor: Decimal | None = None
    is_any_length: bool = False


@dataclass(frozen=True)
class NetPrice:
    """One hour of one card, taken apart.

    Attributes:
        electricity: at the watts measured at work, else at the power limit.
        wear: what the owner counts for an hour of work.
    """

    price: Money
    fee: Money
    electricity: Money
    wear: Money

    @property
    def net(self) -> Money:
        return self.price - self.fee - self.electricity - self.wear


def net_price(price_per_hour: Money, fee_ppm: int, gpu: Gpu, prices: Prices, run: Run | None = None) -> NetPrice:
    """What an hour at `price_per_hour` leaves the owner."""
    electricity, wear = electricity_per_hour(gpu, prices, run), wear_per_hour(prices)
    return NetPrice(price_per_hour, price_per_hour.scaled(fee_ppm, PPM), electricity, wear)


def power_at_work_mw(gpu: Gpu, prices: Prices, measured_power_mw: int | None = None) -> int:
    """What the card is taken to draw at work: as measured, but never above its limit; else the limit."""
    limit_mw = gpu.power_limit_mw
    if measured_power_mw is not None:
        return measured_power_mw if limit_mw is None else min(measured_power_mw, limit_mw)
    return limit_mw if limit_mw is not None else prices.assumed_power_w * 1000


def electricity_per_hour(gpu: Gpu, prices: Prices, run: Run | None = None) -> Money:
    """What an hour of work takes from the socket, over the hours it would run in; without those, at the flat price."""
    power_mw = power_at_work_mw(gpu, prices, run.measured_power_mw if run is not None else None)
    if run is None:
        return prices.electricity.scaled(power_mw, 1_000_000)
    per_hour = most_per_hour if run.is_any_length else cost_per_hour
    return per_hour(run.tariff, run.zone, power_mw, run.start, run.end)


def wear_per_hour(prices: Prices) -> Money:
    return prices.money(prices.wear_per_gpu_hour)


def floor_in_force(prices: Prices, window_floor: Decimal | None = None) -> Money:
    """The higher of the general floor and the window's; "never at a loss" beats a floor below nothing."""
    floor = prices.floor if window_floor is None else max(prices.floor, prices.money(window_floor), key=_micros)
    return max(floor, Money.zero(floor.currency), key=_micros) if prices.never_at_a_loss else floor


def asking_price(gpu: Gpu, fee_ppm: int, prices: Prices, run: Run | None = None) -> Money:
    """The least price per hour that leaves the owner the floor once fee, electricity and wear are gone."""
    floor = floor_in_force(prices, run.window_floor if run is not None else None)
    return price_for_net(floor + electricity_per_hour(gpu, prices, run) + wear_per_hour(prices), fee_ppm)


def break_even_price(gpu: Gpu, fee_ppm: int, prices: Prices, run: Run | None = None) -> Money:
    """The least price per hour at which an hour of work leaves nothing and costs nothing."""
    return price_for_net(electricity_per_hour(gpu, prices, run) + wear_per_hour(prices), fee_ppm)


def price_for_net(wanted: Money, fee_ppm: int) -> Money:
    """The least price, zero at least, of which `wanted` is left after the market's fee.

    Raises:
        ValueError: a fee that takes everything has no such price.
    """
    if not 0 <= fee_ppm < PPM:
        raise ValueError("a fee must be less than the whole price")
    # The fee is rounded to a whole micro, so that a price somewhat below the exact one may still leave enough.
    too_low = max(wanted.micros, (wanted.micros - 1) * PPM // (PPM - fee_ppm)) - 1
    return Money(_least(too_low, -(-wanted.micros * PPM // (PPM - fee_ppm)), wanted, fee_ppm), wanted.currency)


def _least(too_low: int, enough: int, wanted: Money, fee_ppm: int) -> int:
    """Nobody offers less than nothing, so that nothing is enough where less would be."""
    if enough <= 0 or wanted.micros <= 0:
        return 0
    while enough - too_low > 1:
        middle = Money((too_low + enough) // 2, wanted.currency)
        if middle - middle.scaled(fee_ppm, PPM) < wanted:
            too_low = middle.micros
        else:
            enough = middle.micros
    return enough


def _micros(amount: Money) -> int:
    return amount.micros
