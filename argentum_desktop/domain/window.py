"""When a card may work: a weekly span in the owner's own time."""

from __future__ import annotations

import re
from dataclasses import dataclass

MINUTES_PER_DAY = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = r"(?P<h1>\d{1,2}):(?P<m1>\d{2})\s*-\s*(?P<h2>\d{1,2}):(?P<m2>\d{2})"
_ONLY_HOURS = re.compile(_HOURS, re.ASCII)
_TEXT = re.compile(rf"(?P<days>[a-z,\- ]+?)\s+(?P<hours>{_HOURS})", re.ASCII)
_SHORTEST_RUN = 3


@dataclass(frozen=True)
class WeeklyWindow:
    """From `start_minute` of each of `days` for as long as it takes to reach `end_minute` of that day or the next.

    Attributes:
        days: 0 is Monday; the day on which the window opens.
        start_minute: minutes after local midnight, 0 to 1439.
        end_minute: minutes after local midnight, 1 to 1440; at or before the start it means the next day.
    """

    days: frozenset[int]
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise ValueError("a window needs at least one day of the week")
        if not 0 <= self.start_minute < MINUTES_PER_DAY or not 1 <= self.end_minute <= MINUTES_PER_DAY:
            raise ValueError("a window begins between 00:00 and 23:59 and ends between 00:01 and 24:00")
        if self.start_minute == self.end_minute:
            raise ValueError("a window must not end when it begins; write 00:00-24:00 for a whole day")

    def __str__(self) -> str:
        return f"{days_text(self.days)} {clock_text(self.start_minute)}-{clock_text(self.end_minute)}"

    @classmethod
    def parse(cls, text: str) -> WeeklyWindow:
        """Read `mon-fri 22:00-07:00`, `sat,sun 00:00-24:00` or `daily 20:00-08:00`.

        Raises:
            ValueError: the text is none of these, in words for the owner.
        """
        match = _TEXT.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f'"{text}" is not a window; write for example "mon-fri 22:00-07:00"')
        try:
            start, end = hours_of(match["hours"])
        except ValueError as error:
            raise ValueError(f'"{text}" {error}') from error
        return cls(_days(match["days"], text), start, end)


def hours_of(text: str) -> tuple[int, int]:
    """The minutes after midnight of `22:00-07:00`; an end of 00:00 is 24:00.

    Raises:
        ValueError: what is wrong with them, to be said after the text.
    """
    match = _ONLY_HOURS.fullmatch(text)
    start = _minute(match["h1"], match["m1"]) if match else None
    end = _minute(match["h2"], match["m2"]) if match else None
    if start is None or end is None or start == MINUTES_PER_DAY:
        raise ValueError("has a time that is none; the day runs from 00:00 to 24:00")
    if end == 0 and start:
        end = MINUTES_PER_DAY
    if start == end:
        raise ValueError("ends when it begins; write 00:00-24:00 for a whole day")
    return start, end


def days_text(days: frozenset[int]) -> str:
    """`daily`, `mon-fri`, `sat,sun`, `mon-wed,sat`."""
    if len(days) == len(DAYS):
        return "daily"
    parts: list[str] = []
    for first in sorted(days):
        if first - 1 in days:
            continue
        last = next(day for day in range(first, 8) if day + 1 not in days)
        is_run = last - first + 1 >= _SHORTEST_RUN
        parts += [f"{DAYS[first]}-{DAYS[last]}"] if is_run else [DAYS[day] for day in range(first, last + 1)]
    return ",".join(parts)


def clock_text(minute: int) -> str:
    """Minutes after midnight as `07:30`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _minute(hours: str, minutes: str) -> int | None:
    minute = int(hours) * 60 + int(minutes)
    return minute if int(minutes) < 60 and minute <= MINUTES_PER_DAY else None


def _days(text: str, whole: str) -> frozenset[int]:
    if text.strip() == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f'"{whole}" names a day that is none; use {", ".join(DAYS)} or daily')
        start = DAYS.index(first)
        end = DAYS.index(last) if last else start
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)
