"""What a kilowatt-hour costs its owner, and when: flat, by the hour of the week, by the day-ahead market, own sun."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow

MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
# Far above what any currency's kilowatt-hour costs; beyond it somebody wrote something else than a price.
MOST_PER_KWH = Decimal(100_000)

_LINE = re.compile(r"(?P<window>.+?)\s+(?P<price>-?[0-9][0-9.,]*)")
_PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


class PriceSource(StrEnum):
    """Which part of a tariff says what a kilowatt-hour costs at an instant."""

    FLAT = "flat"
    WEEK = "week"
    DAY_AHEAD = "day_ahead"
    SOLAR = "solar"
    BEYOND = "beyond"
    """The flat price, because the day-ahead prices do not reach this far."""


@dataclass(frozen=True)
class TariffLine:
    """A price that holds in some hours of every week: `mon-fri 22:00-06:00 0.18`.

    Attributes:
        per_kwh: in the currency of the settings, with at most six decimals.
    """

    window: WeeklyWindow
    per_kwh: Decimal

    def __str__(self) -> str:
        return f"{self.window} {self.per_kwh:f}"

    @classmethod
    def parse(cls, text: str) -> TariffLine:
        """Read `mon-fri 22:00-06:00 0.18`.

        Raises:
            ValueError: the text is no such line, in words for the owner.
        """
        match = _LINE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'"{text[:80]}" is no line of a tariff; write for example "mon-fri 22:00-06:00 0.18"')
        if match["price"].startswith("-"):
            raise ValueError(f'"{text[:80]}" has a price below zero; only a tariff file may have one')
        if _PRICE.fullmatch(match["price"]) is None or Decimal(match["price"]) > MOST_PER_KWH:
            raise ValueError(f'"{text[:80]}" has a price that is none; write for example 0.18')
        return cls(WeeklyWindow.parse(match["window"]), Decimal(match["price"]))


def refuse_overlaps(lines: Sequence[TariffLine]) -> None:
    """An hour with two prices would be a guess; one that is named twice at the same price is none.

    Raises:
        ValueError: names both lines.
    """
    taken: list[tuple[int, int, TariffLine]] = []
    for line in lines:
        spans = list(week_minutes(line.window))
        for start, end in spans:
            for other_start, other_end, other in taken:
                if start < other_end and other_start < end and line.per_kwh != other.per_kwh:
                    raise ValueError(f'"{other}" and "{line}" both give a price for the same hours')
        taken += [(start, end, line) for start, end in spans]


def week_minutes(window: WeeklyWindow) -> Iterable[tuple[int, int]]:
    """The window as minutes since Monday 00:00; what runs over the end of Sunday goes on at Monday's beginning."""
    length = (window.end_minute - window.start_minute) % MINUTES_PER_DAY or MINUTES_PER_DAY
    for day in sorted(window.days):
        start = day * MINUTES_PER_DAY + window.start_minute
        yield start, min(start + length, MINUTES_PER_WEEK)
        if start + length > MINUTES_PER_WEEK:
            yield 0, start + length - MINUTES_PER_WEEK


@dataclass(frozen=True)
class PriceSpan:
    """A price from one instant to just before another, both aware."""

    start: datetime
    end: datetime
    per_kwh: Money


@dataclass(frozen=True)
class Price:
    """What a kilowatt-hour costs at an instant, and which part of the tariff says so."""

    per_kwh: Money
    source: PriceSource


@dataclass(frozen=True)
class Tariff:
    """All that is known of what electricity costs. Where several parts know a price, own sun comes first, then the
    day-ahead price, then the line of the week, then the flat price.

    Attributes:
        flat: what every hour costs about which nothing else is said.
        spans: day-ahead prices, in order and without overlaps.
        solar: hours in which the owner's own solar power is used.
        feed_in: what a kilowatt-hour of it would have earned, which is what using it costs.

    Raises:
        ValueError: prices in two currencies, or spans out of order.
    """

    flat: Money
    lines: tuple[TariffLine, ...] = ()
    spans: tuple[PriceSpan, ...] = ()
    solar: tuple[WeeklyWindow, ...] = ()
    feed_in: Money | None = None

    def __post_init__(self) -> None:
        prices = [span.per_kwh for span in self.spans] + ([self.feed_in] if self.feed_in is not None else [])
        if any(price.currency != self.flat.currency for price in prices):
            raise ValueError(f"a tariff must be in one currency, here {self.flat.currency}")
        before: datetime | None = None
        for span in self.spans:
            if span.start >= span.end or (before is not None and span.start < before):
                raise ValueError("day-ahead prices must follow one another without overlaps")
            before = span.end
        refuse_overlaps(self.lines)

    @property
    def is_flat(self) -> bool:
        """The same price at all times."""
        return not (self.lines or self.spans or self.solar)

    @property
    def known_until(self) -> datetime | None:
        """The end of the day-ahead prices; None without any."""
        return self.spans[-1].end if self.spans else None

    @cached_property
    def starts(self) -> tuple[datetime, ...]:
        """When each day-ahead price begins, to be searched."""
        return tuple(span.start for span in self.spans)

    def span_at(self, at: datetime) -> PriceSpan | None:
        """The day-ahead price that holds at `at`."""
        number = bisect_right(self.starts, at) - 1
        if number < 0 or at >= self.spans[number].end:
            return None
        return self.spans[number]

    @cached_property
    def week(self) -> tuple[tuple[int, Price], ...]:
        """The whole week by the owner's clock: from which minute since Monday 00:00 which price holds, without the
        day-ahead prices. The first entry begins at 0; neighbours differ.
        """
        parts = [(self.flat, PriceSource.FLAT)] * MINUTES_PER_WEEK if not self.is_flat else []
        for line in self.lines:
            price = Money.parse(f"{line.per_kwh:f}", self.flat.currency)
            for start, end in week_minutes(line.window):
                parts[start:end] = [(price, PriceSource.WEEK)] * (end - start)
        sun = self.feed_in if self.feed_in is not None else Money.zero(self.flat.currency)
        for window in self.solar:
            for start, end in week_minutes(window):
                parts[start:end] = [(sun, PriceSource.SOLAR)] * (end - start)
        first = Price(*parts[0]) if parts else Price(self.flat, PriceSource.FLAT)
        edges = (minute for minute in range(1, len(parts)) if parts[minute] != parts[minute - 1])
        return ((0, first), *((minute, Price(*parts[minute])) for minute in edges))

    @cached_property
    def week_starts(self) -> tuple[int, ...]:
        """The minutes of `week`, to be searched."""
        return tuple(minute for minute, _ in self.week)
