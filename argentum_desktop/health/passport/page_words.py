"""Figures, instants and foreign text as they stand on a passport's page."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, tzinfo

from argentum_desktop.domain.health import CheckMode, CheckVerdict, Comparison, Grade, Stage, Threshold
from argentum_desktop.health.passport.page_parts import Tone

UNKNOWN = "—"
NBSP = "\u00a0"
THIN = "\u202f"
LONGEST_TEXT = 600
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS_PER_YEAR = len(_MONTHS)
_GIB = 1024**3
# The title says already what is counted.
_COUNTED = {"", "count", "errors", "losses", "rows", "pages", "packets", "lanes", "differences"}
_WHOLE_MB_S = 100_000
_MJ_PER_KWH = 3_600_000_000
# Joiners that whole languages need; every other invisible character could make one text look like another.
_JOINERS = "\u200c\u200d"

VERDICT_TONE = {
    CheckVerdict.PASS: Tone.GOOD,
    CheckVerdict.INFO: Tone.NOTE,
    CheckVerdict.WARN: Tone.ATTENTION,
    CheckVerdict.FAIL: Tone.FAULT,
    CheckVerdict.NOT_APPLICABLE: Tone.QUIET,
    CheckVerdict.NOT_RUN: Tone.QUIET,
    CheckVerdict.ERROR: Tone.ATTENTION,
}
VERDICT_WORDS = {
    CheckVerdict.PASS: "Passed",
    CheckVerdict.INFO: "Note",
    CheckVerdict.WARN: "Warning",
    CheckVerdict.FAIL: "Failed",
    CheckVerdict.NOT_APPLICABLE: "Does not apply",
    CheckVerdict.NOT_RUN: "Not looked at",
    CheckVerdict.ERROR: "Not readable",
}
GRADE_TONE = {
    Grade.A: Tone.GOOD,
    Grade.B: Tone.GOOD,
    Grade.C: Tone.ATTENTION,
    Grade.D: Tone.ATTENTION,
    Grade.F: Tone.FAULT,
    Grade.X: Tone.FAULT,
    Grade.UNGRADED: Tone.QUIET,
}
MODE_WORDS = {
    CheckMode.QUICK: "quick check, one minute",
    CheckMode.FULL: "full check, ten minutes",
    CheckMode.PASSIVE: "passive check, counters only, without a load",
}
STAGE_WORDS = {
    Stage.COUNTERS: "counters",
    Stage.BASELINE: "idle",
    Stage.HOST_COPY: "host copy",
    Stage.MEMORY: "memory",
    Stage.BANDWIDTH: "bandwidth",
    Stage.COMPUTE: "arithmetic",
    Stage.COOL_DOWN: "cooling",
    Stage.JUDGING: "judging",
}
_COMPARISON_WORDS = {
    Comparison.AT_MOST: "at most",
    Comparison.AT_LEAST: "at least",
    Comparison.BELOW: "below",
    Comparison.EQUAL: "exactly",
}


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Foreign text in one line of visible characters, none of which turns the reading direction."""
    kept = "".join(_visible(character) for character in text[: longest * 4])
    # A space that must not break a line stays one.
    line = " ".join(filter(None, kept.split(" "))).strip()
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _visible(character: str) -> str:
    if character.isspace():
        return NBSP if character in {NBSP, THIN} else " "
    if character in _JOINERS:
        return character
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} else character


def number(value: int) -> str:
    """`12 345`, with thin spaces."""
    return f"{value:,}".replace(",", THIN)


def _decimal(value: float) -> str:
    return f"{value:,.1f}".replace(",", THIN)


def quantity(value: int | str | None, unit: str = "") -> str:
    """A value with the unit a person would say it in."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return clean(f"{value} {unit}", 80) or UNKNOWN
    return clean(_converted(value, unit), 80)


def _converted(value: int, unit: str) -> str:
    if unit in {"B", "bytes"}:
        return memory(value)
    if unit == "mW":
        return f"{number(round(value / 1000))}{NBSP}W"
    if unit == "MB/s" and abs(value) >= 1000:
        rate = f"{value / 1000:.1f}" if abs(value) < _WHOLE_MB_S else number(round(value / 1000))
        return f"{rate}{NBSP}GB/s"
    if unit in _COUNTED:
        return number(value)
    return f"{number(value)}{NBSP}{unit}"


def threshold(limit: Threshold | None, unit: str) -> str:
    if limit is None:
        return UNKNOWN
    return f"{_COMPARISON_WORDS[limit.comparison]} {quantity(limit.value, unit)}"


def memory(value_bytes: int | None) -> str:
    """`21.4 GiB`, and `24 GiB` where there is nothing behind the point."""
    if value_bytes is None:
        return UNKNOWN
    if value_bytes < _GIB:
        return f"{number(value_bytes // 1024**2)}{NBSP}MiB"
    is_whole = value_bytes % _GIB < _GIB // 20
    return f"{value_bytes // _GIB if is_whole else f'{value_bytes / _GIB:.1f}'}{NBSP}GiB"


def energy(value_mj: int) -> str:
    return f"{_decimal(value_mj / _MJ_PER_KWH)}{NBSP}kWh"


def hours(seconds: int) -> str:
    return f"{_decimal(seconds / 3600)}{NBSP}h"


def duration(seconds: int) -> str:
    """`58 s`, `10 min 05 s`."""
    minutes, rest = divmod(max(0, seconds), 60)
    return f"{minutes}{NBSP}min {rest:02}{NBSP}s" if minutes else f"{rest}{NBSP}s"


def local(at: datetime, zone: tzinfo) -> datetime | None:
    """None for an instant that no calendar of that zone has."""
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)
    except (OverflowError, ValueError):
        return None


def day(at: datetime, zone: tzinfo) -> str:
    there = local(at, zone)
    return UNKNOWN if there is None else f"{there.day}{NBSP}{_MONTHS[there.month - 1]}{NBSP}{there.year}"


def moment(at: datetime, zone: tzinfo) -> str:
    """`23 Nov 2026, 14:05 (UTC+01:00)`."""
    there = local(at, zone)
    if there is None:
        return UNKNOWN
    offset = there.strftime("%z")
    return f"{day(at, zone)}, {there:%H:%M}{NBSP}(UTC{offset[:3]}:{offset[3:5]})"


def calendar_day(text: str) -> str:
    """`6 Jun 2026` of `2026-06-06`; the text itself where it is none."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return clean(text, 40)
    return f"{on.day}{NBSP}{_MONTHS[on.month - 1]}{NBSP}{on.year}"


def month(place: int) -> str:
    """Of a month that is counted from the year 0."""
    year, index = divmod(place, MONTHS_PER_YEAR)
    return f"{_MONTHS[index]}{NBSP}{year}"


def grouped(text: str, size: int = 8) -> str:
    """A long row of signs in groups, for people who compare it."""
    return " ".join(text[start : start + size] for start in range(0, len(text), size))
