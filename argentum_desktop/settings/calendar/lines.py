"""The lines of an iCalendar file (RFC 5545, section 3.1): folded at 75 bytes, each a name, parameters and a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from argentum_desktop.errors import CalendarError

MOST_BYTES = 4 * 1024 * 1024
_BYTES_A_LINE = 75
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^",;:]*)(?:,(?:"[^"]*"|[^",;:]*))*)')
_ESCAPED = re.compile(r"\\(.)")
_WHAT_TO_DO = "Export it again from the program it comes from, then try once more."


@dataclass(frozen=True)
class Property:
    """One property with the number of the line on which it begins."""

    name: str
    value: str
    line: int
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Component:
    """What stands between BEGIN and END."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        return next((one for one in self.properties if one.name == name), None)

    def every(self, name: str) -> list[Property]:
        return [one for one in self.properties if one.name == name]

    def text(self, name: str) -> str:
        """A property's text without escapes; empty where there is none."""
        found = self.first(name)
        return unescaped(found.value) if found else ""


def damaged(line: int, what: str) -> CalendarError:
    return CalendarError(f"The calendar is damaged at line {line}: {what}.", _WHAT_TO_DO)


def read_calendars(data: bytes) -> list[Component]:
    """The calendars in a file.

    Raises:
        CalendarError: it is no calendar, or damaged, with the line.
    """
    if len(data) > MOST_BYTES:
        raise CalendarError(f"The calendar is larger than {MOST_BYTES // 1024 // 1024} MiB.", "Export fewer events.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(data.count(b"\n", 0, error.start) + 1, "it is not text in UTF-8") from error
    root = Component("", 0)
    open_ones = [root]
    last = 0
    for one in _properties(text):
        last = one.line
        if one.name == "BEGIN":
            begun = Component(one.value.strip().upper(), one.line)
            open_ones[-1].components.append(begun)
            open_ones.append(begun)
        elif one.name == "END":
            if len(open_ones) == 1 or one.value.strip().upper() != open_ones[-1].name:
                raise damaged(one.line, f"it ends {one.value[:40]!r}, which was not begun there")
            open_ones.pop()
        elif len(open_ones) == 1:
            raise damaged(one.line, f"{one.name} stands outside of BEGIN:VCALENDAR")
        else:
            open_ones[-1].properties.append(one)
    if len(open_ones) > 1:
        begun = open_ones[-1]
        raise damaged(last, f"the file ends before END:{begun.name}, begun at line {begun.line}")
    calendars = [one for one in root.components if one.name == "VCALENDAR"]
    if not calendars:
        raise CalendarError("This is no calendar: BEGIN:VCALENDAR is missing.", "Choose an iCalendar file (.ics).")
    return calendars


def folded(lines: Iterable[str]) -> str:
    """Lines as they stand in a file: at most 75 bytes each, none within a character."""
    pieces: list[str] = []
    for line in lines:
        piece, size = "", 0
        for character in line:
            width = len(character.encode())
            if size + width > _BYTES_A_LINE:
                pieces.append(piece)
                piece, size = " ", 1
            piece, size = piece + character, size + width
        pieces.append(piece)
    return "".join(f"{piece}\r\n" for piece in pieces)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def _properties(text: str) -> Iterable[Property]:
    for number, line in _unfolded(text):
        name = _NAME.match(line)
        if name is None:
            raise damaged(number, f"{line[:40]!r} is no property")
        at, parameters = name.end(), {}
        while parameter := _PARAMETER.match(line, at):
            parameters[parameter[1].upper()] = parameter[2].replace('"', "")
            at = parameter.end()
        if at >= len(line) or line[at] != ":":
            raise damaged(number, f"{line[:40]!r} has no value")
        yield Property(name[0].upper(), line[at + 1 :], number, parameters)


def _unfolded(text: str) -> Iterable[tuple[int, str]]:
    """Each line with its number; a line that begins with a blank goes on with the one before."""
    begun, whole = 0, ""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line[:1] in {" ", "\t"} and begun:
            whole += line[1:]
            continue
        if whole.strip():
            yield begun, whole
        begun, whole = number, line
    if whole.strip():
        yield begun, whole
