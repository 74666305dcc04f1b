"""Reports, days and whole passports as plain JSON, and back: strictly, for a passport comes from a stranger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from argentum_desktop.domain.health import SCHEMA as REPORT_SCHEMA
from argentum_desktop.domain.health import CardIdentity, HealthReport
from argentum_desktop.domain.passport import SCHEMA, DayOfWork, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import DocumentError, PassportError
from argentum_desktop.health.passport.chain import entry_fields, instant_text
from argentum_desktop.identity.canonical import canonical_json, read_json

LARGEST_FILE_BYTES = 32 * 1024 * 1024
MOST_ENTRIES = 20_000
"""Fifty years of days."""
LONGEST_REPAIR = 500

T = TypeVar("T")

_PASSPORT_KEYS = {"schema", "gpu_id", "entries"}
_ENTRY_KEYS = {field.name for field in fields(PassportEntry)}
_TEXTS = ("previous_sha256", "sha256", "public_key", "signature")
_REMEDY = "Ask whoever sent the file to export it again."


def report_body(report: HealthReport) -> dict[str, Any]:
    """A report as the body of a `CHECK` entry."""
    body: dict[str, Any] = msgspec.to_builtins(report)
    return body


def report_of(body: Mapping[str, Any]) -> HealthReport:
    """The report in the body of a `CHECK` entry.

    Raises:
        PassportError: there is none.
    """
    report = _convert(body, HealthReport, "a health report")
    if report.schema != REPORT_SCHEMA:
        raise PassportError(f"This is a health report of a form that is not known here ({REPORT_SCHEMA} is).")
    samples = report.samples
    if len({len(getattr(samples, column.name)) for column in fields(samples)}) != 1:
        raise PassportError("This is no health report: its samples are columns of different length.")
    if report.started_at.tzinfo is None or report.ended_at.tzinfo is None:
        raise PassportError("This is no health report: its times have no zone.")
    return report


def day_body(day: DayOfWork) -> dict[str, Any]:
    """A day as the body of a `DAY` entry."""
    body: dict[str, Any] = msgspec.to_builtins(day)
    return body


def day_of(body: Mapping[str, Any]) -> DayOfWork:
    """The day in the body of a `DAY` entry.

    Raises:
        PassportError: there is none.
    """
    return _convert(body, DayOfWork, "a day of work")


def card_of(body: Mapping[str, Any]) -> CardIdentity:
    """The card in the body of an `OPENED` entry.

    Raises:
        PassportError: there is none.
    """
    return _convert(body.get("card"), CardIdentity, "a card's description")


def repair_body(words: str) -> dict[str, Any]:
    """The owner's words as the body of a `REPAIR` entry.

    Raises:
        PassportError: no words, or too many.
    """
    words = " ".join(words.split())
    if not words:
        raise PassportError("Nothing was said about the repair.", "Say in a few words what was done to the card.")
    if len(words) > LONGEST_REPAIR:
        raise PassportError(f"A note holds at most {LONGEST_REPAIR} characters; this one has {len(words)}.")
    return {"words": words}


def repair_words(body: Mapping[str, Any]) -> str:
    """What stands in a `REPAIR` entry.

    Raises:
        PassportError: nothing readable.
    """
    return _convert(body.get("words"), str, "a note")


def write_passport(passport: Passport) -> bytes:
    """The file that is handed on: JSON, one entry a line."""
    lines = [
        canonical_json({**entry_fields(entry), "sha256": entry.sha256, "signature": entry.signature})
        for entry in passport.entries
    ]
    head = canonical_json({"schema": passport.schema, "gpu_id": passport.gpu_id})[:-1]
    return head + b',"entries":[\n' + b",\n".join(lines) + b"\n]}\n"


def read_passport(data: bytes) -> Passport:
    """The passport in a file's bytes. Whether it is true is another question: `chain.verify_chain`.

    Raises:
        PassportError: it is no passport, or one that this version cannot read.
    """
    try:
        found = read_json(data, largest_bytes=LARGEST_FILE_BYTES)
    except DocumentError as error:
        raise PassportError(f"This is no passport: {error.message}", _REMEDY) from error
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        raise PassportError("This is no passport of a card.", _REMEDY)
    if found["schema"] != SCHEMA:
        raise PassportError(
            f"This is no passport of a form that is known here ({SCHEMA}).",
            "A newer version of Argentum Desktop may read it.",
        )
    entries = found.get("entries")
    if set(found) != _PASSPORT_KEYS or not isinstance(entries, list) or not isinstance(found["gpu_id"], str):
        raise PassportError("This passport is not of the form it claims: parts of it are missing or added.", _REMEDY)
    if len(entries) > MOST_ENTRIES:
        raise PassportError(f"This passport has more than {MOST_ENTRIES} entries.")
    return Passport(found["gpu_id"], tuple(_entry(raw, number) for number, raw in enumerate(entries, 1)))


def _entry(raw: Any, place: int) -> PassportEntry:
    if not isinstance(raw, dict) or set(raw) != _ENTRY_KEYS:
        raise _unreadable(place, "parts of it are missing or added")
    if type(raw["number"]) is not int or not isinstance(raw["body"], dict):
        raise _unreadable(place, "it has no number or no body")
    if not all(isinstance(raw[name], str) for name in _TEXTS):
        raise _unreadable(place, "its digests, key or signature are no text")
    return PassportEntry(
        raw["number"], _instant(raw["at"], place), _kind(raw["kind"], place), raw["body"], *(raw[n] for n in _TEXTS)
    )


def _kind(text: Any, place: int) -> EntryKind:
    try:
        return EntryKind(text)
    except ValueError as error:
        raise _unreadable(place, "it is of a kind that this version does not know") from error


def _instant(text: Any, place: int) -> datetime:
    """Only as it was signed: another way to write the same instant would be an edit that nobody notices."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and instant_text(at) == text:
            return at
    except (TypeError, ValueError, OverflowError):
        pass
    raise _unreadable(place, "its time is not written as it should be")


def _unreadable(place: int, why: str) -> PassportError:
    return PassportError(f"Entry {place} of this passport cannot be read: {why}.", _REMEDY)


def _convert(body: Any, kind: type[T], words: str) -> T:
    try:
        return msgspec.convert(body, kind)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise PassportError(f"This is not {words} ({error}).") from error
