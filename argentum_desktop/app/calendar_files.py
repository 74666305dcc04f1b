"""The owner's windows to and from a calendar file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop.errors import BadInputError, CalendarError
from argentum_desktop.settings.calendar.export import calendar_text
from argentum_desktop.settings.calendar.lines import MOST_BYTES
from argentum_desktop.settings.calendar.reading import ReadCalendar, read_calendar, zone_of
from argentum_desktop.settings.change import backup_of, change
from argentum_desktop.settings.file import load
from argentum_desktop.settings.schema import Availability, Settings
from argentum_desktop.system.zone import owners_zone


@dataclass(frozen=True)
class ImportedCalendar:
    """What an import did.

    Attributes:
        read: what the calendar said, with what could not be taken over.
        backup: where the settings file lies as it was before.
    """

    read: ReadCalendar
    settings: Settings
    backup: Path


def export_calendar(settings: Settings, file: Path, now: datetime, *, is_forced: bool = False) -> None:
    """Write the windows and exceptions as a calendar.

    Raises:
        BadInputError: the file is there already, or cannot be written.
    """
    zone = owners_zone(settings.availability.timezone)
    text = calendar_text(settings.availability, zone, now)
    try:
        with file.open("w" if is_forced else "x", encoding="utf-8", newline="") as written:
            written.write(text)
    except FileExistsError as error:
        raise BadInputError(f"{file} is there already.", "Name another file, or remove it first.") from error
    except OSError as error:
        raise BadInputError(f"{file} cannot be written ({error.strerror}).", "Choose another place.") from error


def import_calendar(settings_file: Path, file: Path, now: datetime, *, is_closed: bool = False) -> ImportedCalendar:
    """Take a calendar's events into the settings file: in place of the windows and exceptions there.

    Args:
        is_closed: the events are times without jobs; they come to the exceptions, and the windows stay.

    Raises:
        CalendarError: the calendar cannot be read, is damaged, or holds nothing that can be taken over.
        SettingsError: the settings file cannot be used or written. It is then as it was.
    """
    data, availability = _read(file), load(settings_file).availability
    own = owners_zone(availability.timezone)
    zone = own if is_closed else zone_of(data) or own
    read = read_calendar(data, zone, now, is_closed=is_closed)
    if not read.windows and not read.exceptions:
        why = " ".join(read.notes) or "It has no events."
        raise CalendarError(f"The calendar holds nothing that can be taken over. {why}", "Your windows are unchanged.")
    if not read.windows and zone.key != own.key:
        # The owner's windows stay, and so must the zone in which they are meant.
        read = read_calendar(data, own, now, is_closed=is_closed)
    settings = change(settings_file, "availability", _chosen(read, availability, own.key))
    return ImportedCalendar(read, settings, backup_of(settings_file))


def _chosen(read: ReadCalendar, availability: Availability, own_zone: str) -> dict[str, Any]:
    if not read.windows:
        return {"exceptions": tuple(dict.fromkeys((*availability.exceptions, *read.exceptions)))}
    chosen: dict[str, Any] = {"windows": read.windows, "exceptions": read.exceptions}
    if read.zone.key != own_zone:
        chosen["timezone"] = read.zone.key
    return chosen


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise CalendarError(f"{file} cannot be read ({error.strerror}).", "Name an iCalendar file (.ics).") from error
