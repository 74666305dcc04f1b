"""What the card says: driver, answers, health, temperature, who else uses it."""

from __future__ import annotations

from functools import lru_cache

from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.health import Grade, HealthSummary
from argentum_desktop.domain.reading import Absence
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates.unknown import unknown
from argentum_desktop.policy.words import past_day

_LISTED = Verdict("driver", True, "its driver lists it")
_NOT_CHECKED_NOW = Verdict("checkup", True, "not being checked")
_ANSWERS = Verdict("card", True, "answers")
_NEVER_CHECKED = Verdict("health", True, "never checked")
_NOT_GRADED = Verdict("health", True, "not graded")
_GRADED = {grade: Verdict("health", True, f"grade {grade}") for grade in Grade}
_NO_TEMPERATURE = Verdict("temperature", True, "not reported")
_NOT_MINDED = Verdict("other_use", True, "not minded")
_NO_READING = Verdict("other_use", True, "the card has said nothing yet")
# Careful or not, a card whose driver never tells its load would else never work.
_TELLS_NO_LOAD = Verdict("other_use", True, "its driver does not tell how much of it is in use")
_OWN_WORK = Verdict("other_use", True, "it works for the market; its driver does not tell who else uses it")
_ALONE = Verdict("other_use", True, "no program of yours uses it beside the job")


def card_usable(at: Circumstances) -> Verdict:
    if at.gpu.state is not GpuState.READY:
        return _no("driver", at.gpu.problem or "No driver answers for this card.", at.gpu.remedy)
    return _LISTED


def not_being_checked(at: Circumstances) -> Verdict:
    if at.is_being_checked:
        return _no("checkup", "The card's health is being checked.", "Wait until the check has ended, or cancel it.")
    return _NOT_CHECKED_NOW


def card_present(at: Circumstances) -> Verdict:
    if at.reading is None:
        return _no("card", "The card has not reported yet.", "Wait a moment.")
    if at.reading.is_lost:
        return _no(
            "card", "The card no longer answers its driver.", "Check its power cables, then restart the computer."
        )
    return _ANSWERS


def card_sound(at: Circumstances) -> Verdict:
    """A card that failed is not offered; one that nobody has looked at is, unless its owner wants it otherwise."""
    health, is_required = at.health, at.settings.cards.require_check
    if health is None:
        if is_required:
            return _no("health", "Its health was never checked.", "Check it, or clear cards.require_check.")
        return _NEVER_CHECKED
    if health.grade in {Grade.F, Grade.X} or (health.grade is Grade.UNGRADED and is_required):
        return _unsound(health, f"The health check of {past_day(health.checked_at, at.now, at.zone)}")
    return _NOT_GRADED if health.grade is Grade.UNGRADED else _GRADED[health.grade]


def _unsound(health: HealthSummary, check: str) -> Verdict:
    if health.grade is Grade.F:
        return _no("health", f"{check} found a fault: {health.reason}", "Check it again.")
    if health.grade is Grade.X:
        return _no(
            "health", f"{check} found that the card is not what it says it is: {health.reason}", "Check it again."
        )
    remedy = "Check it again, or clear cards.require_check."
    return _no("health", f"{check} came to no grade: {health.reason}", remedy)


def cool_enough(at: Circumstances) -> Verdict:
    temperature_c = at.reading.temperature_c if at.reading else None
    if temperature_c is None:
        return _NO_TEMPERATURE
    return _temperature(temperature_c, at.temperature_limit_c)


@lru_cache(maxsize=512)
def _temperature(temperature_c: int, limit_c: int) -> Verdict:
    if temperature_c < limit_c:
        return Verdict("temperature", True, f"{temperature_c} °C of {limit_c} °C")
    remedy = f"Runs below {limit_c} °C."
    change = Change(ChangeKind.MEASURE, remedy, "temperature_c", value=str(limit_c - 1))
    return Verdict(
        "temperature", False, f"The card is at {temperature_c} °C, your limit is {limit_c} °C.", remedy, change
    )


def not_used_otherwise(at: Circumstances) -> Verdict:
    """The owner's own work on the card. A job's load hides the owner's; what their programs hold of it does not."""
    most = at.settings.presence.other_gpu_percent
    if most == 0:
        return _NOT_MINDED
    if at.is_at_work:
        return _beside_the_job(at, most)
    reading = at.reading
    if reading is None or reading.is_lost:
        return _NO_READING
    load = reading.utilization_percent
    if load is None and reading.absent.get("utilization_percent", Absence.NOT_SUPPORTED) is Absence.NOT_SUPPORTED:
        return _TELLS_NO_LOAD
    if load is None:
        return unknown(at, "other_use", "how much of the card you use yourself", "It failed to report its load.")
    return _other_use(load, most)


@lru_cache(maxsize=512)
def _other_use(load_percent: int, most_percent: int) -> Verdict:
    if load_percent <= most_percent:
        return Verdict("other_use", True, f"{load_percent} % in use by you, at most {most_percent} %")
    remedy = f"Runs when no more than {most_percent} % of it are in use."
    change = Change(ChangeKind.MEASURE, remedy, "utilization_percent", value=str(most_percent))
    return Verdict("other_use", False, f"You use {load_percent} % of the card yourself.", remedy, change)


def _beside_the_job(at: Circumstances, most_percent: int) -> Verdict:
    use, total_bytes = at.use, at.gpu.memory_total_bytes
    if use is None or not total_bytes:
        return _OWN_WORK
    if not use.programs:
        return _ALONE
    return _held(use.programs[0], use.memory_bytes * 100 // total_bytes, most_percent)


@lru_cache(maxsize=512)
def _held(program: str, held_percent: int, most_percent: int) -> Verdict:
    if held_percent <= most_percent:
        return Verdict("other_use", True, f"your programs hold {held_percent} % of it, at most {most_percent} %")
    remedy = f"Runs when {program} is closed, or your programs hold no more than {most_percent} % of it."
    words = f"Your programs hold {held_percent} % of the card's memory, {program} most of it."
    return Verdict("other_use", False, words, remedy, Change(ChangeKind.ACT, remedy))


def _no(rule: str, reason: str, remedy: str) -> Verdict:
    return Verdict(rule, False, reason, remedy, Change(ChangeKind.ACT, remedy) if remedy else None)
