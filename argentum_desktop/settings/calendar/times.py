"""Instants, spans and zones of an iCalendar file (RFC 5545, sections 3.3.4 to 3.3.6), on the owner's wall clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.availability import DatedHours
from argentum_desktop.domain.clock_jumps import jumps_of_year, offset_at
from argentum_desktop.settings.calendar.lines import Component, Property, damaged

_WHEN = re.compile(r"(?P<date>\d{8})(?:T(?P<time>\d{6})(?P<utc>Z?))?", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,3})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,6})S)?)?",
    re.ASCII,
)
_DAY = timedelta(days=1)
_YEARS_TO_COMPARE = 5
# What lies outside is no plan of anybody's, and close to the end of what a date can hold.
_FIRST_YEAR, _LAST_YEAR = 1900, 2300


class NotTakenOver(Exception):  # noqa: N818 - no fault: a reason to be told
    """Why an event has no counterpart among windows and exceptions."""


@dataclass(frozen=True)
class Span:
    """From and until on the owner's wall clock; `zone` is where the event says its times, None on any clock."""

    start: datetime
    end: datetime
    zone: ZoneInfo | None


def moments(written: Property, owners: ZoneInfo) -> list[tuple[datetime, ZoneInfo | None]]:
    """Each date or time of a property, without zone as the owner's wall clock shows it, with the zone it was said in.

    Raises:
        NotTakenOver: its zone is not known here.
        CalendarError: it is no date or time.
    """
    return [_moment(text, written, owners) for text in written.value.split(",")]


def _moment(text: str, written: Property, owners: ZoneInfo) -> tuple[datetime, ZoneInfo | None]:
    match = _WHEN.fullmatch(text.strip())
    if match is None:
        raise damaged(written.line, f"{written.name} is no date: {text[:40]!r}")
    try:
        plain = datetime.strptime(match["date"] + (match["time"] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise damaged(written.line, f"{written.name} names a time that is none: {text[:40]!r}") from error
    if not _FIRST_YEAR <= plain.year <= _LAST_YEAR:
        raise NotTakenOver(f"it names the year {plain.year}")
    if match["utc"]:
        return plain.replace(tzinfo=UTC).astimezone(owners).replace(tzinfo=None), ZoneInfo("UTC")
    name = written.parameters.get("TZID", "")
    if not name or match["time"] is None:
        return plain, None
    zone = known_zone(name)
    if zone is None:
        raise NotTakenOver(f"its time zone {name[:60]} is not known")
    if zone.key == owners.key:
        return plain, zone
    return plain.replace(tzinfo=zone).astimezone(owners).replace(tzinfo=None), zone


def known_zone(name: str) -> ZoneInfo | None:
    """A zone by its IANA name, by a path that ends in one, or by the name that Windows has for it."""
    from tzlocal.windows_tz import win_tz  # a long table, and a calendar is read once in a while

    parts = name.strip("/ ").split("/")
    for candidate in (win_tz.get(name, ""), *("/".join(parts[-count:]) for count in (len(parts), 3, 2, 1))):
        try:
            if candidate and ".." not in candidate:
                return ZoneInfo(candidate)
        except (ValueError, OSError, KeyError):
            continue
    return None


def have_same_clock(one: ZoneInfo, other: ZoneInfo, year: int) -> bool:
    """Whether two zones show the same for the years to come, so that a week in one is a week in the other."""
    if one.key == other.key:
        return True
    begin = datetime(year, 1, 1, tzinfo=UTC)
    years = range(year, year + _YEARS_TO_COMPARE)
    looks = [begin, *(jump for zone in (one, other) for each in years for jump in jumps_of_year(zone, each))]
    return all(offset_at(one, look) == offset_at(other, look) for look in looks)


def span_of(event: Component, owners: ZoneInfo) -> Span:
    """When the event, or its first occurrence, takes place.

    Raises:
        NotTakenOver: it takes no time, or has none that the settings can hold.
        CalendarError: it is damaged.
    """
    written = event.first("DTSTART")
    if written is None:
        raise damaged(event.line, "the event has no DTSTART")
    start, zone = moments(written, owners)[0]
    end = _end(event, written, start, owners)
    if end < start:
        raise damaged(written.line, "the event ends before it begins")
    if end == start:
        raise NotTakenOver("it takes no time")
    if start.second or end.second:
        raise NotTakenOver("it begins or ends within a minute, and hours here are to the minute")
    return Span(start, end, zone)


def _end(event: Component, begun: Property, start: datetime, owners: ZoneInfo) -> datetime:
    written = event.first("DTEND")
    if written is not None:
        return moments(written, owners)[0][0]
    duration = event.first("DURATION")
    if duration is not None:
        return start + _duration(duration)
    return start + _DAY if "T" not in begun.value else start


def _duration(written: Property) -> timedelta:
    match = _DURATION.fullmatch(written.value.strip())
    if match is None or not any(match.groups()):
        raise damaged(written.line, f"DURATION is none: {written.value[:40]!r}")
    return timedelta(**{unit: int(count) for unit, count in match.groupdict().items() if count})


def pieces(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A span in pieces that a window can have: as it is where shorter than a day, else cut at each midnight."""
    if end - start < _DAY:
        yield start, end
        return
    while start < end:
        midnight = start.replace(hour=0, minute=0) + _DAY
        yield start, min(midnight, end)
        start = midnight


def dated_hours(start: datetime, end: datetime, *, is_open: bool) -> Iterator[DatedHours]:
    """A span as hours of dates; whole days in between are one entry.

    Raises:
        NotTakenOver: it lies in years of which nobody plans anything, or is too long.
    """
    found: list[DatedHours] = []
    try:
        for begin, until in pieces(start, end):
            minutes = (minute_of(begin), minute_of(until) or 24 * 60)
            last = found[-1] if found else None
            first = begin.date()
            if last is not None and last.is_whole_days and minutes == (0, 24 * 60):
                first = last.first
                found.pop()
            found.append(DatedHours(first, begin.date(), *minutes, is_open))
    except ValueError as error:
        raise NotTakenOver(f"it {error}") from error
    yield from found


def minute_of(shown: datetime) -> int:
    return shown.hour * 60 + shown.minute
