"""When a card may work, as its owner says it: a week of windows, and the dates on which the week does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from argentum_desktop.domain.wall_spans import DatedSpan
from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow, clock_text, hours_of

# Beyond these nobody plans, and a mistyped year is caught.
FIRST_YEAR, LAST_YEAR = 2000, 2199
MOST_DAYS = 3660

_TEXT = re.compile(
    r"(?P<first>\d{4}-\d{2}-\d{2})(?:\s*\.\.\s*(?P<last>\d{4}-\d{2}-\d{2}))?"
    r"(?:\s+(?P<hours>\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}))?\s+(?P<what>open|closed)",
    re.ASCII,
)


@dataclass(frozen=True)
class OwnersWindow:
    """A weekly window with what holds in it.

    Attributes:
        cards: ids of the cards it is for; empty means all.
        floor: the least that must be left per card and hour in it; None means the general floor.
        power_limit_w: the most a card may draw in it.
        temperature_limit_c: how warm a card may become in it.
    """

    when: WeeklyWindow
    cards: tuple[str, ...] = ()
    floor: Decimal | None = None
    power_limit_w: int | None = None
    temperature_limit_c: int | None = None

    def __str__(self) -> str:
        return str(self.when)

    def is_for(self, gpu_id: str) -> bool:
        return not self.cards or gpu_id in self.cards

    @classmethod
    def parse(cls, text: str) -> OwnersWindow:
        """Read the hours of a window for all cards; what else it carries is written as a table.

        Raises:
            ValueError: the text is no window, in words for the owner.
        """
        return cls(WeeklyWindow.parse(text))


@dataclass(frozen=True)
class DatedHours:
    """Hours of one or several dates, open or closed.

    Attributes:
        start_minute: minutes after local midnight of each date, 0 to 1439.
        end_minute: 1 to 1440; at or before the start it means the next day.
    """

    first: date
    last: date
    start_minute: int
    end_minute: int
    is_open: bool

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        if not FIRST_YEAR <= self.first.year <= self.last.year <= LAST_YEAR:
            raise ValueError(f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
        if (self.last - self.first).days >= MOST_DAYS:
            raise ValueError(f"is longer than {MOST_DAYS} days; for that, change the windows")
        if not 0 <= self.start_minute < MINUTES_PER_DAY or not 1 <= self.end_minute <= MINUTES_PER_DAY:
            raise ValueError("begins between 00:00 and 23:59 and ends between 00:01 and 24:00")
        if self.start_minute == self.end_minute:
            raise ValueError("ends when it begins; leave the hours out for whole days")

    def __str__(self) -> str:
        dates = str(self.first) if self.first == self.last else f"{self.first}..{self.last}"
        hours = "" if self.is_whole_days else f" {clock_text(self.start_minute)}-{clock_text(self.end_minute)}"
        return f"{dates}{hours} {'open' if self.is_open else 'closed'}"

    @property
    def is_whole_days(self) -> bool:
        return (self.start_minute, self.end_minute) == (0, MINUTES_PER_DAY)

    def spans(self) -> Iterator[DatedSpan]:
        """From and until by the wall clock, on each of the dates; whole days are one span."""
        first = datetime.combine(self.first, time()) + timedelta(minutes=self.start_minute)
        days = (self.last - self.first).days + 1
        if self.is_whole_days:
            yield first, first + timedelta(days=days)
            return
        length = timedelta(minutes=(self.end_minute - self.start_minute) % MINUTES_PER_DAY)
        for day in range(days):
            start = first + timedelta(days=day)
            yield start, start + length

    @classmethod
    def parse(cls, text: str) -> DatedHours:
        """Read `2026-12-24 closed`, `2026-12-27..2026-12-29 closed` or `2026-12-31 20:00-24:00 open`.

        Raises:
            ValueError: the text is none of these, in words for the owner.
        """
        match = _TEXT.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(
                f'"{text}" is not an exception; write for example "2026-12-24 closed" or "2026-12-31 20:00-24:00 open"'
            )
        try:
            first = _date(match["first"])
            last = _date(match["last"]) if match["last"] else first
            start, end = hours_of(match["hours"]) if match["hours"] else (0, MINUTES_PER_DAY)
            return cls(first, last, start, end, match["what"] == "open")
        except ValueError as error:
            raise ValueError(f'"{text}" {error}') from error


@dataclass(frozen=True)
class DatedException:
    """Dates on which the week does not hold; for the hours it names, it alone counts.

    Where two exceptions contradict each other, closed counts.
    """

    when: DatedHours
    cards: tuple[str, ...] = ()

    def __str__(self) -> str:
        return str(self.when)

    def is_for(self, gpu_id: str) -> bool:
        return not self.cards or gpu_id in self.cards

    @classmethod
    def parse(cls, text: str) -> DatedException:
        """Read an exception for all cards.

        Raises:
            ValueError: the text is none, in words for the owner.
        """
        return cls(DatedHours.parse(text))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"names the date {text}, which is none") from error
