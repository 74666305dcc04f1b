"""For how much: what is left of a price after the market and the electricity meter."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import PPM
from argentum_desktop.settings.schema import Prices


@dataclass(frozen=True)
class NetPrice:
    """One hour of one card, taken apart.

    Attributes:
        electricity: at the power limit, because what a job will draw is not known before it runs.
    """

    price: Money
    fee: Money
    electricity: Money

    @property
    def net(self) -> Money:
        return self.price - self.fee - self.electricity


def net_price(price_per_hour: Money, fee_ppm: int, gpu: Gpu, prices: Prices) -> NetPrice:
    """What an hour at `price_per_hour` leaves the owner."""
    return NetPrice(price_per_hour, price_per_hour.scaled(fee_ppm, PPM), electricity_per_hour(gpu, prices))


def electricity_per_hour(gpu: Gpu, prices: Prices) -> Money:
    """An hour at the card's power limit, at the owner's tariff."""
    power_mw = gpu.power_limit_mw if gpu.power_limit_mw is not None else prices.assumed_power_w * 1000
    return prices.electricity.scaled(power_mw, 1_000_000)


def asking_price(gpu: Gpu, fee_ppm: int, prices: Prices) -> Money:
    """The least price per hour that leaves the owner the floor once fee and electricity are gone."""
    if not 0 <= fee_ppm < PPM:
        raise ValueError("a fee must be less than the whole price")
    wanted = prices.floor + electricity_per_hour(gpu, prices)
    # The fee is rounded to a whole micro, so that a price somewhat below the exact one may still leave enough.
    too_low = max(wanted.micros, (wanted.micros - 1) * PPM // (PPM - fee_ppm)) - 1
    enough = -(-wanted.micros * PPM // (PPM - fee_ppm))
    while enough - too_low > 1:
        middle = Money((too_low + enough) // 2, wanted.currency)
        if middle - middle.scaled(fee_ppm, PPM) < wanted:
            too_low = middle.micros
        else:
            enough = middle.micros
    return Money(enough, wanted.currency)
