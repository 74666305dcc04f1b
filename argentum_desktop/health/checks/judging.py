"""All checks in their order, and how they are run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from argentum_desktop.domain.health import CheckResult, CheckVerdict
from argentum_desktop.health.checks import (
    answers,
    compute,
    driver_errors,
    ecc,
    facts,
    fan,
    heat,
    identity,
    link,
    memory,
    power,
    speed,
)
from argentum_desktop.health.checks.subject import Check
from argentum_desktop.health.evidence import Evidence

log = logging.getLogger(__name__)

# The weight is the check's share of the confidence: what finds most faults weighs most.
ALL = (
    Check(answers.ANSWERS, answers.answers, 8),
    Check(answers.LOAD, answers.load_on_this_card, 4),
    Check(memory.ERRORS, memory.memory_errors, 20),
    Check(memory.COVERAGE, memory.memory_coverage, 4),
    Check(compute.EXACT, compute.compute_exact, 10),
    Check(ecc.UNCORRECTED, ecc.ecc_uncorrected, 3),
    Check(ecc.LIFETIME, ecc.ecc_lifetime, 2),
    Check(ecc.REMAP_FAILED, ecc.remap_failed, 3),
    Check(ecc.PENDING, ecc.repair_pending, 2),
    Check(ecc.ROWS, ecc.rows_remapped, 2),
    Check(ecc.PAGES, ecc.pages_retired, 2),
    Check(ecc.SRAM, ecc.sram, 1),
    Check(driver_errors.NOW, driver_errors.errors_now, 4),
    Check(driver_errors.PAST, driver_errors.errors_past, 1),
    Check(heat.LIMIT, heat.heat_limit, 8),
    Check(heat.SENSOR, heat.sensor_moves, 1),
    Check(heat.SLOWED, heat.slowed_by_heat, 4),
    Check(heat.MEMORY, heat.heat_memory, 3),
    Check(heat.HOTSPOT, heat.hotspot, 1),
    Check(heat.STEP, heat.fast_step, 0),
    Check(power.BRAKE, power.power_brake, 3),
    Check(power.CAP, power.power_cap, 0),
    Check(power.REACHED, power.power_reached, 1),
    Check(power.LIMIT, power.power_limit, 1),
    Check(link.WIDTH, link.link_width, 2),
    Check(link.GENERATION, link.link_generation, 2),
    Check(link.REPLAYS, link.link_replays, 2),
    Check(link.COPY, link.link_copy, 2),
    Check(speed.MEMORY, speed.speed_memory, 8),
    Check(speed.COMPUTE, speed.speed_compute, 4),
    Check(speed.CLOCK, speed.speed_clock, 4),
    Check(fan.TURNS, fan.fan_turns, 3),
    Check(identity.CARD, identity.identity, 6),
    Check(facts.DRIVER, facts.driver, 0),
    Check(facts.FIRMWARE, facts.firmware, 0),
    Check(facts.ECC, facts.error_correction, 0),
    Check(facts.ALONE, facts.alone, 1),
)
WEIGHTS: Mapping[str, int] = {check.subject.check_id: check.weight for check in ALL}


def judge(evidence: Evidence, checks: Sequence[Check] = ALL) -> tuple[CheckResult, ...]:
    """What every check says, in their order. A check that fails itself says so, and the others go on."""
    return tuple(_look(check, evidence) for check in checks)


def _look(check: Check, evidence: Evidence) -> CheckResult:
    try:
        return check.look(evidence)
    except Exception:
        log.exception("the check %s failed", check.subject.check_id)
        words = "This could not be looked at because of a fault in this application."
        return check.subject.says(CheckVerdict.ERROR, words, remedy="The log has the details.")
