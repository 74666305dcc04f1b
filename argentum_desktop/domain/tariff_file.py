"""Day-ahead prices from a file: the header says the currency and whether a price is for a kWh or a MWh. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from argentum_desktop.domain.money import MICROS_PER_UNIT, Money
from argentum_desktop.domain.tariff import MOST_PER_KWH, PriceSpan
from argentum_desktop.domain.timed_figures import TableError, read_figures

_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY"}
_CENTS = {"ct", "cent", "cents"}
# Three capitals that stand in headers and are no currency.
_NO_CURRENCY = {"MWH", "KWH", "MTU", "CET", "UTC", "GMT", "DAY", "SDA"}


@dataclass(frozen=True)
class TariffFile:
    """The prices of a file, and what was passed over or filled in on the way."""

    spans: tuple[PriceSpan, ...]
    notes: tuple[str, ...] = ()


def read_tariff(text: str, zone: ZoneInfo, currency: str) -> TariffFile:
    """Read a table with a column for the time and one for the price, as in `time,price (EUR/MWh)`.

    Prices below zero exist and count. A price finer than a millionth of a kilowatt-hour's is rounded, half to even.

    Raises:
        TableError: it cannot be used, with its line.
    """
    table = read_figures(text, zone, ("eur/mwh", "mwh", "kwh"))
    scale = _scale(table.header, currency)
    spans = []
    for figure in table.figures:
        per_kwh = figure.value * scale
        if abs(per_kwh) > MOST_PER_KWH:
            raise ValueError(f"the price of {figure.start:%Y-%m-%d %H:%M} UTC, {figure.value}, is beyond belief")
        micros = int((per_kwh * MICROS_PER_UNIT).to_integral_value(ROUND_HALF_EVEN))
        spans.append(PriceSpan(figure.start, figure.end, Money(micros, currency)))
    return TariffFile(tuple(spans), table.notes)


def _scale(header: str, currency: str) -> Decimal:
    """What turns a figure of this column into a price per kilowatt-hour."""
    words = re.findall(r"[A-Za-z]+", header)
    named = {word.upper() for word in words} | {code for sign, code in _SIGNS.items() if sign in header}
    foreign = {word for word in words if len(word) == 3 and word.isupper()} | (named & set(_SIGNS.values()))
    foreign -= _NO_CURRENCY | {currency}
    if currency not in named and foreign:
        raise TableError(1, f"the prices are in {min(foreign)}, and yours in {currency}, without a rate between them")
    scale = Decimal(1) if "kwh" in header.lower() else Decimal("0.001")
    return scale / 100 if {word.lower() for word in words} & _CENTS or "¢" in header else scale
