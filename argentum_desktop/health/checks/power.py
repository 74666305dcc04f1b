"""Does it get the power it needs?"""

from __future__ import annotations

from argentum_desktop.domain.gpu import GpuKind
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Stage, Threshold
from argentum_desktop.domain.reading import THROTTLE_REASONS, ThrottleReason
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import values, was_slowed

REACHED_PERCENT = 75
# A mean over four seconds: a card's power swings too much for a single reading to say anything.
MEAN_OF_S = 4.0

BRAKE = Subject("power.brake", "Power supply", "driver", "NVIDIA's clock event reason 0x80: the supply asked for less")
CAP = Subject("power.cap", "Held at its power limit", "driver", "NVIDIA's clock event reason 0x4: normal at full load")
REACHED = Subject(
    "power.reached",
    "Power reached",
    "driver",
    "NVIDIA DCGM's targeted power: 75 %; not every load can reach it, so it is only told",
    "%",
    Threshold(Comparison.AT_LEAST, REACHED_PERCENT),
)
LIMIT = Subject("power.limit", "Power limit", "driver", "the limit that the card came with", "mW")


def power_brake(evidence: Evidence) -> CheckResult:
    if was_slowed(evidence, ThrottleReason.POWER_BRAKE):
        words = "The power supply or its cable could not give the card what it needs."
        remedy = "Check the card's power cables, then whether the power supply is strong enough."
        return BRAKE.says(CheckVerdict.FAIL, words, remedy=remedy)
    if not evidence.under_load:
        return BRAKE.without_load(evidence)
    if all(THROTTLE_REASONS in reading.absent for reading in evidence.under_load):
        return BRAKE.not_run("The driver does not tell what slows the card.")
    return BRAKE.passes("The power supply gave what the card needed.")


def power_cap(evidence: Evidence) -> CheckResult:
    if was_slowed(evidence, ThrottleReason.POWER_LIMIT):
        return CAP.tells("It worked up to its power limit, as cards do.")
    if not evidence.under_load:
        return CAP.without_load(evidence)
    if all(THROTTLE_REASONS in reading.absent for reading in evidence.under_load):
        return CAP.not_run("The driver does not tell what slows the card.")
    return CAP.tells("It stayed below its power limit.")


def power_reached(evidence: Evidence) -> CheckResult:
    if not evidence.under_load:
        return REACHED.without_load(evidence)
    limit_mw = evidence.gpu.power_limit_default_mw or evidence.gpu.power_limit_mw
    drawn_mw = _highest_mean_mw(evidence)
    if drawn_mw is None or not limit_mw:
        return REACHED.not_run("The driver does not tell its power or its limit.")
    percent = drawn_mw * 100 // limit_mw
    words = f"It drew up to {drawn_mw // 1000} W of {limit_mw // 1000} W."
    return REACHED.passes(words, percent) if percent >= REACHED_PERCENT else REACHED.tells(words, percent)


def power_limit(evidence: Evidence) -> CheckResult:
    default_mw, now_mw = evidence.gpu.power_limit_default_mw, evidence.gpu.power_limit_mw
    said = values((staged.reading for staged in evidence.readings), "power_limit_mw")
    now_mw = said[-1] if said else now_mw
    if evidence.gpu.kind is not GpuKind.DISCRETE:
        return LIMIT.not_applicable("Only a card of its own has a power limit of its own.")
    if default_mw is None or now_mw is None:
        return LIMIT.not_run("The driver does not tell its power limit.")
    if now_mw == default_mw:
        return LIMIT.passes(f"Its power limit is as it came: {now_mw // 1000} W.", now_mw)
    direction = "below" if now_mw < default_mw else "above"
    words = f"Its power limit is set to {now_mw // 1000} W, {direction} the {default_mw // 1000} W it came with."
    remedy = "Set it back for a check of its full speed." if now_mw < default_mw else "Set it back to spare the card."
    return LIMIT.tells(words, now_mw, remedy)


def _highest_mean_mw(evidence: Evidence) -> int | None:
    """The highest mean over four seconds of arithmetic; over all of it where that took less."""
    burn = [s for s in evidence.readings if s.stage is Stage.COMPUTE and s.reading.power_mw is not None]
    if not burn:
        return None
    latest_s = max(burn[0].at_s, burn[-1].at_s - MEAN_OF_S)
    means = []
    for start in burn:
        if start.at_s > latest_s:
            break
        span = [s.reading for s in burn if start.at_s <= s.at_s <= start.at_s + MEAN_OF_S]
        drawn = values(span, "power_mw")
        means.append(sum(drawn) // len(drawn))
    return max(means)
