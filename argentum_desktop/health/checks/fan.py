"""Does the fan turn when it is told to?"""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import all_readings, has_not, most, values

TOLD_PERCENT = 30
# A fan needs a moment to start, and a driver says for up to five seconds what it said before.
STANDS_FOR_S = 6.0

TURNS = Subject(
    "fan.turns",
    "Fan",
    "driver",
    f"told to turn at more than {TOLD_PERCENT} % and standing still for {STANDS_FOR_S:g} seconds",
    "rpm",
    Threshold(Comparison.AT_LEAST, 1),
)


def fan_turns(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    if _stands_still_s(evidence) >= STANDS_FOR_S:
        words = "Its fan stands still although it is told to turn."
        remedy = "Use the card no more until the fan is freed or replaced."
        return TURNS.says(CheckVerdict.FAIL, words, 0, remedy)
    if values(readings, "fan_percent") and values(readings, "fan_rpm"):
        fastest = most(readings, "fan_rpm")
        if not fastest:
            return TURNS.tells("Its fan was not needed.", 0)
        return TURNS.passes(f"Its fan turned at up to {fastest} rpm.", fastest)
    if not readings:
        return TURNS.not_run("The driver said nothing about the fan.")
    if has_not(readings, "fan_percent") and has_not(readings, "fan_rpm"):
        return TURNS.not_applicable("It has no fan of its own.")
    if has_not(readings, "fan_rpm"):
        return TURNS.not_applicable("The driver tells what the fan is told, and not whether it turns.")
    return TURNS.not_run("The driver did not tell how the fan turns.")


def _stands_still_s(evidence: Evidence) -> float:
    """The longest time in which every reading said that it is told to turn and does not."""
    longest, since = 0.0, None
    for staged in evidence.readings:
        told, turns = staged.reading.fan_percent, staged.reading.fan_rpm
        if told is not None and turns is not None and told > TOLD_PERCENT and turns == 0:
            since = staged.at_s if since is None else since
            longest = max(longest, staged.at_s - since)
        else:
            since = None
    return longest
