"""Money as whole millionths of a currency's unit, so that nothing is ever lost to a float."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

MICROS_PER_UNIT = 1_000_000
SECONDS_PER_HOUR = 3600
# What every database keeps in one column; more than that is no amount, whoever says so.
LARGEST_MICROS = 2**63 - 1

_AMOUNT = re.compile(r"(?P<units>[0-9]{1,12})(?:\.(?P<decimals>[0-9]{1,30}))?")
_DECIMALS = 6


@dataclass(frozen=True)
class Money:
    """An amount in micro-units of an ISO 4217 currency; negative means owed."""

    micros: int
    currency: str

    def __post_init__(self) -> None:
        if not _is_code(self.currency):
            raise ValueError(f"currency must be three capital letters (ISO 4217), not {self.currency[:20]!r}")
        if not -LARGEST_MICROS <= self.micros <= LARGEST_MICROS:
            raise ValueError(f"an amount of {self.currency} must lie within 64 bits of millionths")

    def __add__(self, other: Money) -> Money:
        return Money(self.micros + self._same(other).micros, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.micros - self._same(other).micros, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.micros, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.micros < self._same(other).micros

    def __le__(self, other: Money) -> bool:
        return self.micros <= self._same(other).micros

    def __str__(self) -> str:
        return amount_words(self.micros, self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added without a rate")
        return other

    def scaled(self, numerator: int, denominator: int) -> Money:
        """This amount times a fraction; the one place where money is rounded (half to even)."""
        return Money(divide_half_even(self.micros * numerator, denominator), self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read what somebody wrote down as a price: digits, and decimals after a point, such as `0.05`.

        Raises:
            ValueError: anything else, below zero, or finer than a millionth.
        """
        match = _AMOUNT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:40]!r} is not an amount of money; write for example 0.05")
        decimals = (match["decimals"] or "").rstrip("0")
        if len(decimals) > _DECIMALS:
            raise ValueError(f"{text!r} is finer than a millionth")
        return cls(int(match["units"]) * MICROS_PER_UNIT + int(decimals.ljust(_DECIMALS, "0")), currency)


@lru_cache(maxsize=64)
def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, zero `currency` when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def amount_words(micros: int, currency: str) -> str:
    """Two decimals, more where the amount has them: `0.24 EUR`, `0.0003 EUR`."""
    whole, rest = divmod(abs(micros), MICROS_PER_UNIT)
    sign = "-" if micros < 0 else ""
    # Whole cents are most of what is shown, and the quickest to write.
    if rest % 10_000 == 0:
        return f"{sign}{whole}.{rest // 10_000:02d} {currency}"
    return f"{sign}{whole}.{f'{rest:06d}'.rstrip('0')} {currency}"


def price_for(price_per_hour: Money, seconds: int) -> Money:
    """What `seconds` cost at an hourly price."""
    return price_per_hour.scaled(seconds, SECONDS_PER_HOUR)


def energy_cost(price_per_kwh: Money, energy_mj: int) -> Money:
    """What `energy_mj` millijoules of electricity cost (1 kWh is 3.6 million joules)."""
    return price_per_kwh.scaled(energy_mj, 3_600_000_000)


def divide_half_even(numerator: int, denominator: int) -> int:
    """The rounding of `Money.scaled`, for who reckons in whole micros."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient % 2):
        quotient += 1
    return quotient
