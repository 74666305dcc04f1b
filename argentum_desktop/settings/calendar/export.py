"""The owner's windows and exceptions as an iCalendar file that every calendar program shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from argentum_desktop.domain.availability import DatedException, OwnersWindow
from argentum_desktop.domain.clock_jumps import jumps_of_year, offset_at
from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow
from argentum_desktop.settings.calendar.lines import escaped, folded
from argentum_desktop.settings.schema import Availability

DAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
OPEN, CLOSED = "OPEN", "CLOSED"
KIND, CARDS = "X-ARGENTUM-AVAILABILITY", "X-ARGENTUM-CARD"
FLOOR, POWER_LIMIT, TEMPERATURE_LIMIT = (
    "X-ARGENTUM-FLOOR", "X-ARGENTUM-POWER-LIMIT-W", "X-ARGENTUM-TEMPERATURE-LIMIT-C",
)  # fmt: skip
# Other programs need the zone's jumps spelled out; so far they are the same for every year to come.
_YEARS_OF_JUMPS = 15
_DAY = timedelta(days=1)


def calendar_text(availability: Availability, zone: ZoneInfo, now: datetime) -> str:
    """The file: each window as a weekly event from this week on, each exception as an event of its own."""
    this_week = now.astimezone(zone).date()
    this_week -= this_week.weekday() * _DAY
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Argentum//Argentum Desktop//EN", "CALSCALE:GREGORIAN"]
    lines += [f"X-WR-TIMEZONE:{zone.key}", *_time_zone(zone, now)]
    for place, window in enumerate(availability.windows):
        lines += _event(f"window {place} {window!r}", stamp, _window(window, zone, this_week, availability.exceptions))
    for place, exception in enumerate(availability.exceptions):
        lines += _event(f"exception {place} {exception!r}", stamp, _exception(exception, zone))
    return folded([*lines, "END:VCALENDAR"])


def covers(exception: DatedException, start: datetime, end: datetime) -> bool:
    """Whether an exception holds in the whole of a span of the wall clock's time."""
    return any(begin <= start and end <= until for begin, until in exception.when.spans())


def _event(identity: str, stamp: str, lines: Iterable[str]) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{sha256(identity.encode()).hexdigest()[:32]}@argentum-desktop"
    yield f"DTSTAMP:{stamp}"
    yield from lines
    yield "END:VEVENT"


def _window(window: OwnersWindow, zone: ZoneInfo, monday: date, exceptions: Iterable[DatedException]) -> Iterator[str]:
    when = window.when
    first = monday + min(when.days) * _DAY
    yield from _times(zone, first, when.start_minute, when.end_minute)
    yield f"RRULE:FREQ=WEEKLY;WKST=MO;BYDAY={','.join(DAY_CODES[day] for day in sorted(when.days))}"
    skipped = sorted(set(_skipped(window, first, exceptions)))
    if skipped:
        yield f"EXDATE;TZID={zone.key}:" + ",".join(f"{at:%Y%m%dT%H%M%S}" for at in skipped)
    yield "SUMMARY:Jobs may run"
    yield f"{KIND}:{OPEN}"
    yield from _cards(window.cards)
    for name, value in (
        (FLOOR, window.floor), (POWER_LIMIT, window.power_limit_w), (TEMPERATURE_LIMIT, window.temperature_limit_c),
    ):  # fmt: skip
        if value is not None:
            yield f"{name}:{value}"


def _skipped(window: OwnersWindow, first: date, exceptions: Iterable[DatedException]) -> Iterator[datetime]:
    """The beginnings of the window that an exception closes as a whole, so that other programs do not show them."""
    for exception in exceptions:
        hours = exception.when
        if hours.is_open or (exception.cards and not set(window.cards or ("",)) <= set(exception.cards)):
            continue
        for number in range((hours.last - hours.first).days + 2):
            day = hours.first + (number - 1) * _DAY
            start, end = occurrence(window.when, day)
            if day >= first and day.weekday() in window.when.days and covers(exception, start, end):
                yield start


def occurrence(when: WeeklyWindow, day: date) -> tuple[datetime, datetime]:
    """From and until by the wall clock, of the window that opens on a day."""
    start = datetime.combine(day, time()) + timedelta(minutes=when.start_minute)
    return start, start + timedelta(minutes=(when.end_minute - when.start_minute) % MINUTES_PER_DAY or MINUTES_PER_DAY)


def _exception(exception: DatedException, zone: ZoneInfo) -> Iterator[str]:
    hours = exception.when
    if hours.is_whole_days:
        yield f"DTSTART;VALUE=DATE:{hours.first:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{hours.last + _DAY:%Y%m%d}"
    else:
        yield from _times(zone, hours.first, hours.start_minute, hours.end_minute)
        if hours.last > hours.first:
            yield f"RRULE:FREQ=DAILY;COUNT={(hours.last - hours.first).days + 1}"
    yield f"SUMMARY:{'Jobs may run' if hours.is_open else 'No jobs'}"
    yield f"{KIND}:{OPEN if hours.is_open else CLOSED}"
    yield from _cards(exception.cards)


def _times(zone: ZoneInfo, day: date, start_minute: int, end_minute: int) -> Iterator[str]:
    start = datetime.combine(day, time()) + timedelta(minutes=start_minute)
    end = datetime.combine(day, time()) + timedelta(minutes=end_minute)
    yield f"DTSTART;TZID={zone.key}:{start:%Y%m%dT%H%M%S}"
    yield f"DTEND;TZID={zone.key}:{end if end > start else end + _DAY:%Y%m%dT%H%M%S}"


def _cards(cards: tuple[str, ...]) -> Iterator[str]:
    for card in cards:
        yield f"{CARDS}:{escaped(card)}"


def _time_zone(zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """The zone as RFC 5545 wants it (section 3.6.5), each jump with its date."""
    began = datetime(now.year - 1, 1, 1, tzinfo=UTC)
    yield "BEGIN:VTIMEZONE"
    yield f"TZID:{zone.key}"
    yield from _observance(zone, began, offset_at(zone, began))
    for year in range(began.year, began.year + _YEARS_OF_JUMPS):
        for jump in jumps_of_year(zone, year):
            yield from _observance(zone, jump, offset_at(zone, jump - timedelta(seconds=1)))
    yield "END:VTIMEZONE"


def _observance(zone: ZoneInfo, at: datetime, before: timedelta) -> Iterator[str]:
    after = at.astimezone(zone)
    kind = "DAYLIGHT" if after.dst() else "STANDARD"
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{at.replace(tzinfo=None) + before:%Y%m%dT%H%M%S}"
    yield f"TZOFFSETFROM:{_offset(before)}"
    yield f"TZOFFSETTO:{_offset(offset_at(zone, at))}"
    yield f"TZNAME:{after.tzname()}"
    yield f"END:{kind}"


def _offset(offset: timedelta) -> str:
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02d}{minutes % 60:02d}"
