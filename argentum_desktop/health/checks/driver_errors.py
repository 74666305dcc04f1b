"""The errors that NVIDIA's driver wrote down: Xid numbers, from its catalogue, with words for the owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.domain.reading import XID_EVENTS
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import all_readings, has_not

_BASIS = "NVIDIA's Xid catalogue"
NOW = Subject(
    "errors.now", "Driver errors during the check", "driver", _BASIS, "errors", Threshold(Comparison.AT_MOST, 0)
)
PAST = Subject(
    "errors.past", "Driver errors of the last 30 days", "log", _BASIS, "errors", Threshold(Comparison.AT_MOST, 0)
)


@dataclass(frozen=True)
class Xid:
    """One number of the catalogue.

    Attributes:
        verdict: when it comes during a check.
    """

    verdict: CheckVerdict
    words: str
    remedy: str = ""


_FAIL, _WARN, _INFO = CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.INFO
_RESTART = "Restart the computer and check again; if it comes back, the card is at fault."
_CABLES = "Check the card's power cables and its seat in the slot."
_DRIVER = "Update the graphics driver and check again."

XIDS = {
    13: Xid(_INFO, "a program made the chip compute something that is not allowed"),
    31: Xid(_INFO, "a program reached for memory that is not its own"),
    32: Xid(_INFO, "the card received garbled commands", _CABLES),
    38: Xid(_INFO, "the driver's firmware reported a fault", _DRIVER),
    43: Xid(_INFO, "a program's work on the card was given up"),
    45: Xid(_INFO, "work was cleared away after an earlier error"),
    48: Xid(_FAIL, "its memory lost two bits at once, which cannot be corrected", _RESTART),
    54: Xid(_WARN, "its power cable is not plugged in", _CABLES),
    61: Xid(_WARN, "a controller inside the card stopped", _RESTART),
    62: Xid(_WARN, "a controller inside the card halted", _RESTART),
    63: Xid(_WARN, "a bad part of its memory was put on the list for repair", "Restart the computer."),
    64: Xid(_FAIL, "a bad part of its memory could not be put on the list for repair", _RESTART),
    74: Xid(_WARN, "the link between cards (NVLink) had errors", "Check the bridge between the cards."),
    79: Xid(_FAIL, "the card fell off the bus", _CABLES),
    92: Xid(_WARN, "its memory corrects unusually many errors", "Watch whether it comes again."),
    94: Xid(_WARN, "its memory lost data, and only one program was hit", "Restart the computer."),
    95: Xid(_FAIL, "its memory lost data, and nobody knows whose", _RESTART),
    109: Xid(_INFO, "switching between programs took too long", _DRIVER),
    119: Xid(_FAIL, "the card's own controller stopped answering the driver", _RESTART),
    120: Xid(_WARN, "the card's own controller reported a fault", _RESTART),
    140: Xid(_WARN, "memory errors were seen that were not recovered from", _RESTART),
}
_UNKNOWN = Xid(_INFO, "an error that is not among those known here", _DRIVER)
_WORST_FIRST = (_FAIL, _WARN, _INFO)


def errors_now(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    numbers = [number for reading in readings for number in reading.xid_events]
    if numbers:
        worst = _worst(numbers)
        known = XIDS.get(worst, _UNKNOWN)
        words = f"The driver reported an error during the check: {known.words} (Xid {worst})."
        return NOW.says(known.verdict, words, _listed(numbers), known.remedy)
    if evidence.gpu.vendor not in {Vendor.NVIDIA, Vendor.SIMULATED}:
        return NOW.not_applicable("Only NVIDIA's driver numbers its errors.")
    if not readings:
        return NOW.not_run("The driver said nothing during the check.")
    if all(XID_EVENTS in reading.absent for reading in readings):
        if has_not(readings, XID_EVENTS):
            return NOW.not_applicable("The driver does not tell its errors here.")
        return NOW.not_run("The driver's errors could not be read.")
    return NOW.passes("The driver reported no error during the check.", 0)


def errors_past(evidence: Evidence) -> CheckResult:
    """A warning at most: logs are wiped and rotated, and many an old error was a program's."""
    numbers = [error.xid for error in evidence.past_errors]
    if not numbers:
        if evidence.gpu.vendor not in {Vendor.NVIDIA, Vendor.SIMULATED}:
            return PAST.not_applicable("Only NVIDIA's driver numbers its errors.")
        return PAST.tells("This application has noted no driver error of this card in the last 30 days.", 0)
    worst = _worst(numbers)
    known = XIDS.get(worst, _UNKNOWN)
    verdict = _INFO if known.verdict is _INFO else _WARN
    words = f"In the last 30 days the driver reported: {known.words} (Xid {worst})."
    return PAST.says(verdict, words, _listed(numbers), known.remedy if verdict is _WARN else "")


def is_serious(xid: int) -> bool:
    """Whether the number tells of the card, and not of a program."""
    return XIDS.get(xid, _UNKNOWN).verdict is not _INFO


def _worst(numbers: Iterable[int]) -> int:
    return min(numbers, key=lambda number: (_WORST_FIRST.index(XIDS.get(number, _UNKNOWN).verdict), number))


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(set(numbers)))
