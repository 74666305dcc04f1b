"""What to ask for a card in its present circumstances, and what to advise its owner."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from argentum_desktop.domain.money import Money
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.floors import Run, asking_price
from argentum_desktop.policy.price_advice import PriceAdvice, price_advice

ADVISED_OVER_S = 24 * 3600


def price_to_ask(at: Circumstances, fee_ppm: int, wall_s: int) -> Money:
    """The least price per hour at which a job that begins now pays, however long it takes up to `wall_s`."""
    return asking_price(at.gpu, fee_ppm, at.settings.prices, _run(at, wall_s, is_any_length=True))


def advice_at(at: Circumstances, fee_ppm: int, over_s: int = ADVISED_OVER_S) -> PriceAdvice:
    """Break-even and suggested floor over the next hours, a day and a night by default."""
    return price_advice(at.gpu, fee_ppm, at.settings.prices, _run(at, over_s))


def _run(at: Circumstances, seconds: int, *, is_any_length: bool = False) -> Run:
    floor, end = Decimal(at.floor.micros).scaleb(-6), at.now + timedelta(seconds=seconds)
    return Run(at.ready.tariff, at.zone, at.now, end, at.measured_power_mw, floor, is_any_length)
