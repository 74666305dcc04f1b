"""Somebody's calendar as windows and exceptions, with a word about everything that they cannot hold."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from argentum_desktop.domain.availability import DatedException, DatedHours, OwnersWindow
from argentum_desktop.domain.wall_spans import merged, without
from argentum_desktop.domain.window import MINUTES_PER_DAY, WeeklyWindow
from argentum_desktop.errors import CalendarError
from argentum_desktop.settings.calendar.export import (
    CARDS,
    CLOSED,
    FLOOR,
    KIND,
    OPEN,
    POWER_LIMIT,
    TEMPERATURE_LIMIT,
    covers,
    occurrence,
)
from argentum_desktop.settings.calendar.lines import Component, Property, damaged, read_calendars, unescaped
from argentum_desktop.settings.calendar.rules import WeeklyRule, weekly_rule
from argentum_desktop.settings.calendar.times import (
    NotTakenOver,
    Span,
    dated_hours,
    have_same_clock,
    known_zone,
    minute_of,
    moments,
    pieces,
    span_of,
)
from argentum_desktop.settings.values import LONGEST_LIST

_AMOUNT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")
_WHOLE = re.compile(r"[0-9]{1,4}")
_WEEK = timedelta(days=7)
_LONGEST_TITLE = 60


@dataclass(frozen=True)
class ReadCalendar:
    """What a calendar says in the settings' words.

    Attributes:
        zone: the zone of its times.
        notes: what could not be taken over, or not quite, each in one sentence.
    """

    windows: tuple[OwnersWindow, ...]
    exceptions: tuple[DatedException, ...]
    zone: ZoneInfo
    notes: tuple[str, ...]


def zone_of(data: bytes) -> ZoneInfo | None:
    """The one zone in which a calendar says its times; None where there is none or more than one.

    Raises:
        CalendarError: the calendar is damaged.
    """
    names = {
        one.parameters["TZID"]
        for calendar in read_calendars(data)
        for event in calendar.components
        if event.name == "VEVENT"
        for one in event.every("DTSTART")
        if "TZID" in one.parameters
    }
    zones = [known_zone(name) for name in names]
    return zones[0] if len(zones) == 1 else None


def read_calendar(data: bytes, zone: ZoneInfo, now: datetime, *, is_closed: bool = False) -> ReadCalendar:
    """Take a calendar's events for windows and exceptions in this zone.

    Args:
        is_closed: the events are times without jobs, such as those of a calendar of holidays.

    Raises:
        CalendarError: the calendar is damaged, with the line.
    """
    taking = _Taking(zone, now.astimezone(zone).replace(tzinfo=None), is_closed)
    for calendar in read_calendars(data):
        events = [one for one in calendar.components if one.name == "VEVENT"]
        others = sorted({one.name for one in calendar.components} - {"VEVENT", "VTIMEZONE"})
        taking.notes += [f"{name} is not taken over; only events are." for name in others]
        by_id: dict[str, list[Component]] = defaultdict(list)
        for event in events:
            by_id[event.text("UID") or f"line {event.line}"].append(event)
        for same in by_id.values():
            taking.take(same)
            if max(len(taking.windows), len(taking.exceptions), len(taking.left_out)) > LONGEST_LIST:
                raise CalendarError(f"The calendar makes more than {LONGEST_LIST} entries.", "Export fewer events.")
    return taking.result()


@dataclass(frozen=True)
class _LeftOut:
    """An occurrence of a weekly event that does not take place."""

    title: str
    start: datetime
    end: datetime
    cards: tuple[str, ...]
    windows: tuple[OwnersWindow, ...]


@dataclass
class _Taking:
    zone: ZoneInfo
    now: datetime
    is_closed: bool
    windows: list[OwnersWindow] = field(default_factory=list)
    exceptions: list[DatedException] = field(default_factory=list)
    left_out: list[_LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    past: int = 0

    def take(self, events: list[Component]) -> None:
        """An event with the single occurrences of it that were moved or called off."""
        changed = [event for event in events if event.first("RECURRENCE-ID")]
        for event in events:
            title = f'"{_title(event)}" (line {event.line})'
            try:
                if event.first("RECURRENCE-ID"):
                    self._take_moved(event)
                elif event.text("STATUS").upper() != "CANCELLED":
                    self._take_one(event, changed, title)
            except NotTakenOver as reason:
                self.notes.append(f"{title} is not taken over: {reason}.")

    def result(self) -> ReadCalendar:
        for one in self.left_out:
            try:
                self._close(one)
            except NotTakenOver as reason:
                self.notes.append(f"{one.title} is left out on {one.start:%Y-%m-%d}; that is not taken over: {reason}.")
        if self.past:
            self.notes.append(f"What lies in the past is not taken over (dates: {self.past}).")
        windows, exceptions = tuple(dict.fromkeys(self.windows)), tuple(dict.fromkeys(self.exceptions))
        return ReadCalendar(windows, exceptions, self.zone, tuple(self.notes))

    def _close(self, left: _LeftOut) -> None:
        """What does not take place is closed, but for dates on which the calendar itself opens."""
        if any(_says_so(other, left) for other in self.exceptions):
            return
        opened = merged(
            span
            for other in self.exceptions
            if other.when.is_open and other.cards in {(), left.cards}
            for span in other.when.spans()
        )
        for start, end in without([(left.start, left.end)], opened):
            self.exceptions += [DatedException(hours, left.cards) for hours in dated_hours(start, end, is_open=False)]
            others = (one for one in self.windows if one not in left.windows and _share(one.cards, left.cards))
            if any(_overlaps(other, start, end) for other in others):
                when = f"{start:%Y-%m-%d %H:%M}"
                self.notes.append(f"{left.title} is left out on {when}; other windows are closed then too.")

    def _take_one(self, event: Component, changed: list[Component], title: str) -> None:
        span, written = span_of(event, self.zone), event.first("RRULE")
        rule = weekly_rule(written, span.start, self.zone) if written else None
        if rule is None or not rule.is_for_good:
            starts = rule.starts(span.start) if rule else [span.start]
            skipped = self._skipped(event, changed)
            self._take_dates(event, [start for start in starts if start not in skipped], span)
        elif self._is_closed(event):
            raise NotTakenOver("it closes hours of every week; leave them out of the windows instead")
        else:
            self._take_week(event, rule, span, changed, title)
        self._take_dates(event, self._dates_of(event, "RDATE"), span)
        if event.every("EXRULE"):
            self.notes.append(f"The exclusion rule of {title} is not taken over; add the dates as exceptions.")

    def _take_week(self, event: Component, rule: WeeklyRule, span: Span, changed: list[Component], title: str) -> None:
        if span.zone is not None and not have_same_clock(span.zone, self.zone, self.now.year):
            raise NotTakenOver(f"its week is in {span.zone.key}, whose clock differs from {self.zone.key}")
        if span.end - span.start > _WEEK:
            raise NotTakenOver("it is longer than a week")
        if span.start > self.now + _WEEK:
            self.notes.append(f"{title} begins on {span.start:%Y-%m-%d} only; it is taken over as from now.")
        windows = tuple(_with_terms(event, when) for when in _weekly(span, rule))
        self.windows += windows
        for start in self._skipped(event, changed):
            self.left_out.append(_LeftOut(title, start, start + (span.end - span.start), _cards(event), windows))

    def _take_moved(self, event: Component) -> None:
        written = event.first("RECURRENCE-ID")
        if written is not None and "RANGE" in written.parameters:
            raise NotTakenOver("it changes all later occurrences too; make it an event of its own")
        if event.text("STATUS").upper() != "CANCELLED":
            span = span_of(event, self.zone)
            self._take_dates(event, [span.start], span)

    def _take_dates(self, event: Component, starts: list[datetime], span: Span) -> None:
        found: list[DatedHours] = []
        for start in starts:
            end = start + (span.end - span.start)
            if end < self.now and event.first(KIND) is None:
                self.past += 1
                continue
            for hours in dated_hours(start, end, is_open=not self._is_closed(event)):
                _append(found, hours)
        self.exceptions += [DatedException(hours, _cards(event)) for hours in found]

    def _skipped(self, event: Component, changed: list[Component]) -> list[datetime]:
        found = self._dates_of(event, "EXDATE")
        return found + [start for other in changed for start in self._dates_of(other, "RECURRENCE-ID")]

    def _dates_of(self, event: Component, name: str) -> list[datetime]:
        begun = event.first("DTSTART")
        found: list[datetime] = []
        for written in event.every(name):
            if written.parameters.get("VALUE", "").upper() == "PERIOD":
                raise NotTakenOver(f"{name} gives periods instead of dates")
            for shown, _ in moments(written, self.zone):
                if "T" not in written.value and begun is not None and "T" in begun.value:
                    start = moments(begun, self.zone)[0][0]
                    found.append(datetime.combine(shown.date(), start.time()))
                else:
                    found.append(shown)
        return found

    def _is_closed(self, event: Component) -> bool:
        kind = event.text(KIND).upper()
        return kind == CLOSED or (kind != OPEN and self.is_closed)


def _title(event: Component) -> str:
    title = "".join(character for character in event.text("SUMMARY") if character.isprintable()) or "Event"
    return title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}…"


def _weekly(span: Span, rule: WeeklyRule) -> Iterator[WeeklyWindow]:
    for start, end in pieces(span.start, span.end):
        shift = (start.date() - span.start.date()).days
        days = frozenset((day + shift) % 7 for day in rule.days)
        yield WeeklyWindow(days, minute_of(start), minute_of(end) or MINUTES_PER_DAY)


def _with_terms(event: Component, when: WeeklyWindow) -> OwnersWindow:
    floor = _figure(event, FLOOR, _AMOUNT)
    power, temperature = _figure(event, POWER_LIMIT, _WHOLE), _figure(event, TEMPERATURE_LIMIT, _WHOLE)
    return OwnersWindow(
        when,
        _cards(event),
        Decimal(floor) if floor else None,
        int(power) if power else None,
        int(temperature) if temperature else None,
    )


def _figure(event: Component, name: str, shape: re.Pattern[str]) -> str:
    written = event.first(name)
    if written is None:
        return ""
    if shape.fullmatch(written.value) is None:
        raise damaged(written.line, f"{name} is no figure: {written.value[:20]!r}")
    return written.value


def _cards(event: Component) -> tuple[str, ...]:
    return tuple(unescaped(_printable(one)) for one in event.every(CARDS))


def _printable(written: Property) -> str:
    if not written.value.isprintable():
        raise damaged(written.line, f"{written.name} has control characters")
    return written.value


def _append(found: list[DatedHours], hours: DatedHours) -> None:
    """The same hours of the next day lengthen the entry before."""
    last = found[-1] if found else None
    if last is not None and (last.start_minute, last.end_minute, last.is_open, last.last + timedelta(days=1)) == (
        hours.start_minute, hours.end_minute, hours.is_open, hours.first,
    ):  # fmt: skip
        found.pop()
        hours = DatedHours(last.first, hours.last, hours.start_minute, hours.end_minute, hours.is_open)
    found.append(hours)


def _says_so(other: DatedException, left: _LeftOut) -> bool:
    """Whether a closed exception says already that this occurrence does not take place."""
    is_for_all = not other.cards or (bool(left.cards) and set(left.cards) <= set(other.cards))
    return not other.when.is_open and is_for_all and covers(other, left.start, left.end)


def _overlaps(window: OwnersWindow, start: datetime, end: datetime) -> bool:
    """Whether a window is open at some time of a span."""
    day = start.date() - timedelta(days=1)
    while day <= end.date():
        begin, until = occurrence(window.when, day)
        if day.weekday() in window.when.days and begin < end and start < until:
            return True
        day += timedelta(days=1)
    return False


def _share(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not some or not others or bool(set(some) & set(others))
