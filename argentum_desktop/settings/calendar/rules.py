"""How an event repeats (RFC 5545, section 3.3.10), as far as a week can say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from argentum_desktop.domain.availability import FIRST_YEAR, LAST_YEAR
from argentum_desktop.domain.window import DAYS
from argentum_desktop.settings.calendar.export import DAY_CODES
from argentum_desktop.settings.calendar.lines import Property, damaged
from argentum_desktop.settings.calendar.times import NotTakenOver

_FREQUENCIES = {
    "SECONDLY": "every second", "MINUTELY": "every minute", "HOURLY": "every hour", "DAILY": "daily",
    "WEEKLY": "weekly", "MONTHLY": "monthly", "YEARLY": "yearly",
}  # fmt: skip
_UNDERSTOOD = {"FREQ", "BYDAY", "INTERVAL", "WKST", "COUNT", "UNTIL"}
MOST_OCCURRENCES = 400


@dataclass(frozen=True)
class WeeklyRule:
    """On these days of every week, as often or as long as said; None means for good."""

    days: frozenset[int]
    count: int | None = None
    until: datetime | None = None

    @property
    def is_for_good(self) -> bool:
        return self.count is None and self.until is None

    def starts(self, first: datetime) -> list[datetime]:
        """Every occurrence's beginning.

        Raises:
            NotTakenOver: there are too many.
        """
        found: list[datetime] = []
        at = first
        while (self.count is None or len(found) < self.count) and (self.until is None or at <= self.until):
            if at.weekday() in self.days:
                found.append(at)
            if len(found) > MOST_OCCURRENCES:
                raise NotTakenOver(f"it ends only after more than {MOST_OCCURRENCES} times")
            at += timedelta(days=1)
        return found


def weekly_rule(written: Property, first: datetime, owners: ZoneInfo) -> WeeklyRule:
    """Read an RRULE.

    Raises:
        NotTakenOver: it is no rule of a week.
        CalendarError: it is none at all.
    """
    parts = dict(part.partition("=")[::2] for part in written.value.strip().strip(";").upper().split(";"))
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise damaged(written.line, f"RRULE repeats in no way that there is: {written.value[:60]!r}")
    if frequency not in {"DAILY", "WEEKLY"}:
        raise NotTakenOver(f"it repeats {_FREQUENCIES[frequency]}, and windows are weekly")
    strange = sorted(set(parts) - _UNDERSTOOD)
    if strange:
        raise NotTakenOver(f"it repeats by {', '.join(strange)}, which a week cannot say")
    if _count(parts, "INTERVAL", written) not in {None, 1}:
        raise NotTakenOver(f"it repeats only every {parts['INTERVAL']} {'days' if frequency == 'DAILY' else 'weeks'}")
    days = frozenset(range(len(DAYS))) if frequency == "DAILY" else frozenset({first.weekday()})
    if "BYDAY" in parts:
        days = _days(parts["BYDAY"], written)
    return WeeklyRule(days, _count(parts, "COUNT", written), _until(parts, written, owners))


def _days(text: str, written: Property) -> frozenset[int]:
    codes = text.split(",")
    if not all(code[-2:] in DAY_CODES for code in codes):
        raise damaged(written.line, f"RRULE names a day that is none: {text[:40]!r}")
    if any(len(code) > 2 for code in codes):
        raise NotTakenOver("it repeats on a certain day of the month, and windows are weekly")
    return frozenset(DAY_CODES.index(code) for code in codes)


def _count(parts: dict[str, str], name: str, written: Property) -> int | None:
    text = parts.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text)):
        raise damaged(written.line, f"{name} is no count: {text[:20]!r}")
    return int(text)


def _until(parts: dict[str, str], written: Property, owners: ZoneInfo) -> datetime | None:
    text = parts.get("UNTIL")
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text) if "T" in text else datetime.combine(date.fromisoformat(text), time.max)
    except ValueError as error:
        raise damaged(written.line, f"UNTIL is no date: {text[:40]!r}") from error
    if at.year < FIRST_YEAR:
        return datetime.combine(date(FIRST_YEAR, 1, 1), time())
    if at.year > LAST_YEAR:  # some programs write 9999 for good
        return None
    return at.astimezone(owners).replace(tzinfo=None) if at.tzinfo is not None else at
