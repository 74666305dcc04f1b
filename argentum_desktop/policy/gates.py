"""Whether a card may work at all now, whatever the job. Each rule is one function with one word to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from argentum_desktop.domain.decision import Verdict
from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState
from argentum_desktop.domain.health import Grade, HealthSummary
from argentum_desktop.domain.host import HostState
from argentum_desktop.domain.reading import Reading
from argentum_desktop.policy.windows import opening_at
from argentum_desktop.policy.words import clock_time, past_day
from argentum_desktop.settings.schema import Settings

GIB = 1024**3
_KIND_WORDS = {GpuKind.INTEGRATED: "Integrated graphics are", GpuKind.VIRTUAL: "Graphics of a virtual machine are"}


@dataclass(frozen=True)
class Pause:
    """The owner pressed Pause: until an instant, or (None) until Resume."""

    until: datetime | None


@dataclass(frozen=True)
class Circumstances:
    """Everything a rule may look at, apart from the offer.

    Attributes:
        health: what the card's latest decisive health check said; None when it was never checked.
        is_being_checked: a health check of the card is under way.
    """

    gpu: Gpu
    reading: Reading | None
    host: HostState
    settings: Settings
    zone: ZoneInfo
    now: datetime
    pause: Pause | None = None
    engine_problem: str = ""
    engine_remedy: str = ""
    market_is_local: bool = True
    health: HealthSummary | None = None
    is_being_checked: bool = False


def not_paused(at: Circumstances) -> Verdict:
    if at.pause is None or (at.pause.until is not None and at.pause.until <= at.now):
        return Verdict("pause", True, "not paused")
    until = f"until {clock_time(at.pause.until, at.now, at.zone)}" if at.pause.until else "until you resume"
    return Verdict("pause", False, f"You paused it {until}.", "Resume")


def not_being_checked(at: Circumstances) -> Verdict:
    if at.is_being_checked:
        reason = "The card's health is being checked."
        return Verdict("checkup", False, reason, "Wait until the check has ended, or cancel it.")
    return Verdict("checkup", True, "not being checked")


def in_window(at: Circumstances) -> Verdict:
    opening = opening_at(at.settings.availability.windows, at.zone, at.now)
    if opening.is_open:
        until = f"until {clock_time(opening.until, at.now, at.zone)}" if opening.until else "at all times"
        return Verdict("window", True, f"open {until}")
    if opening.until is None:
        remedy = "Add one to availability.windows."
        return Verdict("window", False, "You set no hours in which jobs may run.", remedy)
    opens = clock_time(opening.until, at.now, at.zone)
    return Verdict("window", False, "It is outside the hours you set.", f"Opens {opens}.")


def card_offered(at: Circumstances) -> Verdict:
    if at.gpu.gpu_id in at.settings.cards.excluded:
        return Verdict("offered", False, "You took this card off the market.", "Remove it from cards.excluded.")
    if at.gpu.is_simulated and not at.market_is_local:
        return Verdict(
            "offered", False, "A simulated card is never offered to a real market.", "Use the local market for trials."
        )
    if at.gpu.kind is not GpuKind.DISCRETE and at.gpu.gpu_id not in at.settings.cards.included:
        kind = _KIND_WORDS[at.gpu.kind]
        return Verdict("offered", False, f"{kind} not offered by default.", "Add its id to cards.included.")
    return Verdict("offered", True, "offered")


def card_usable(at: Circumstances) -> Verdict:
    if at.gpu.state is not GpuState.READY:
        return Verdict("driver", False, at.gpu.problem or "No driver answers for this card.", at.gpu.remedy)
    return Verdict("driver", True, "its driver lists it")


def card_present(at: Circumstances) -> Verdict:
    if at.reading is None:
        return Verdict("card", False, "The card has not reported yet.", "Wait a moment.")
    if at.reading.is_lost:
        return Verdict(
            "card",
            False,
            "The card no longer answers its driver.",
            "Check its power cables, then restart the computer.",
        )
    return Verdict("card", True, "answers")


def card_sound(at: Circumstances) -> Verdict:
    """A card that failed is not offered; one that nobody has looked at is, unless its owner wants it otherwise."""
    health, is_required = at.health, at.settings.cards.require_check
    if health is None:
        if is_required:
            return Verdict("health", False, "Its health was never checked.", "Check it, or clear cards.require_check.")
        return Verdict("health", True, "never checked")
    check = f"The health check of {past_day(health.checked_at, at.now, at.zone)}"
    if health.grade is Grade.F:
        return Verdict("health", False, f"{check} found a fault: {health.reason}", "Check it again.")
    if health.grade is Grade.X:
        reason = f"{check} found that the card is not what it says it is: {health.reason}"
        return Verdict("health", False, reason, "Check it again.")
    if health.grade is Grade.UNGRADED:
        if is_required:
            remedy = "Check it again, or clear cards.require_check."
            return Verdict("health", False, f"{check} came to no grade: {health.reason}", remedy)
        return Verdict("health", True, "not graded")
    return Verdict("health", True, f"grade {health.grade}")


def cool_enough(at: Circumstances) -> Verdict:
    temperature = at.reading.temperature_c if at.reading else None
    limit = at.settings.cards.temperature_limit_c
    if temperature is None:
        return Verdict("temperature", True, "not reported")
    if temperature >= limit:
        return Verdict(
            "temperature",
            False,
            f"The card is at {temperature} °C, your limit is {limit} °C.",
            f"Runs below {limit} °C.",
        )
    return Verdict("temperature", True, f"{temperature} °C of {limit} °C")


def on_mains(at: Circumstances) -> Verdict:
    if at.host.on_battery and not at.settings.availability.on_battery:
        return Verdict("battery", False, "The computer runs on battery.", "Plug it in, or set availability.on_battery.")
    return Verdict("battery", True, "not on battery")


def disk_free(at: Circumstances) -> Verdict:
    needed, free = 2 * at.settings.jobs.disk_gib, at.host.disk_free_bytes / GIB
    if free < needed:
        return Verdict(
            "disk",
            False,
            f"Only {free:.1f} GiB of disk are free; {needed} GiB are kept for a job and its image.",
            "Free some space, or lower jobs.disk_gib.",
        )
    return Verdict("disk", True, f"{free:.0f} GiB free")


def engine_ready(at: Circumstances) -> Verdict:
    if at.engine_problem:
        return Verdict("engine", False, at.engine_problem, at.engine_remedy)
    return Verdict("engine", True, "answers")


# In the order in which they are told to the owner: his own choices first, then the machine's state.
GATES = (
    not_paused,
    card_offered,
    card_usable,
    not_being_checked,
    in_window,
    engine_ready,
    card_present,
    card_sound,
    cool_enough,
    on_mains,
    disk_free,
)

# What ends a job that is already running; a pause freezes it instead, its disk was set aside when it began, and an old
# report of the card's health is no reason to take it from somebody.
STOPPING_GATES = (in_window, cool_enough, on_mains)
