"""Every rule that looks at the card and the computer: its yes, its no, its words."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from samples import GPU, NOON, reading
from surroundings import HOST, circumstances

from argentum_desktop.domain.activity import NOT_YET_KNOWN, SIGNALS, Activity
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.gpu import GpuKind, GpuState, Vendor
from argentum_desktop.domain.health import CheckMode, Grade, HealthSummary
from argentum_desktop.domain.job import MIB
from argentum_desktop.domain.reading import Absence
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.card_use import CardUse
from argentum_desktop.policy.evaluate import closed_gates, may_offer, must_freeze, must_stop
from argentum_desktop.policy.gates import GATES, GIB, Circumstances, Effect, Gate, Pause
from argentum_desktop.settings.schema import Availability, Cards, Energy, Jobs, Presence, Prices, Settings


def with_windows(*texts: str) -> Settings:
    return Settings(availability=Availability(windows=tuple(OwnersWindow.parse(text) for text in texts)))


def with_limit(temperature_c: int) -> Settings:
    """A window with a limit of its own."""
    window = OwnersWindow(WeeklyWindow.parse("daily 08:00-20:00"), temperature_limit_c=temperature_c)
    return Settings(availability=Availability(windows=(window,)))


def summary(grade: Grade, reason: str, *, hours_ago: int = 1, mode: CheckMode = CheckMode.QUICK) -> HealthSummary:
    return HealthSummary("r", grade, 60, mode, NOON - timedelta(hours=hours_ago), reason)


CHECKED_ONLY = Settings(cards=Cards(require_check=True))
AT_REST = Activity(
    idle_s=600.0, full_screen="", is_presenting=False, is_remote=False, is_metered=False, programs_running=(),
    cpu_percent=50.9, disk_busy_percent=70.0,
)  # fmt: skip
ALL_SIGNALS = Settings(
    presence=Presence(
        idle_minutes=10, programs=("blender", "obs", "x"), cpu_busy_percent=50, disk_busy_percent=70,
        remote_session=False,
    )
)  # fmt: skip
IGNORING = replace(ALL_SIGNALS, presence=replace(ALL_SIGNALS.presence, unknown_signals="ignore"))
SOLAR = Settings(prices=Prices(only_on_solar=True, solar_hours=(WeeklyWindow.parse("daily 14:00-16:00"),)))
CLEAN = Settings(energy=Energy(cleaner_than_g_per_kwh=300))
GRID = GridCarbon("FR", 299_999, 2024, "a table")
SIMULATED = replace(GPU, vendor=Vendor.SIMULATED)
NOES: list[tuple[str, dict[str, Any], str, str]] = [
    ("pause", {"pause": Pause(None)}, "You paused it until you resume.", "Resume"),
    ("pause", {"pause": Pause(NOON + timedelta(hours=1))}, "You paused it until 14:00.", "Resume"),
    ("pause", {"pause": Pause(NOON + timedelta(days=1))}, "You paused it until tomorrow 13:00.", "Resume"),
    (
        "offered",
        {"settings": Settings(cards=Cards(excluded=("GPU-1",)))},
        "You took this card off the market.",
        "Remove it from cards.excluded.",
    ),
    (
        "offered",
        {"gpu": SIMULATED},
        "A simulated card is never offered to a real market.",
        "Use the local market for trials.",
    ),
    (
        "offered",
        {"gpu": replace(GPU, kind=GpuKind.INTEGRATED)},
        "Integrated graphics are not offered by default.",
        "Add its id to cards.included.",
    ),
    (
        "driver",
        {"gpu": replace(GPU, state=GpuState.PASSED_THROUGH, problem="A virtual machine has it.", remedy="Shut it.")},
        "A virtual machine has it.",
        "Shut it.",
    ),
    (
        "window",
        {"settings": with_windows()},
        "You set no hours in which jobs may run.",
        "Add one to availability.windows.",
    ),
    (
        "window",
        {"settings": with_windows("daily 22:00-07:00")},
        "It is outside the hours you set.",
        "Opens 22:00.",
    ),
    (
        "window",
        {"settings": with_windows("fri 22:00-07:00")},
        "It is outside the hours you set.",
        "Opens Friday 22:00.",
    ),
    (
        "engine",
        {"engine_problem": "No container engine answers.", "engine_remedy": "Install Podman."},
        "No container engine answers.",
        "Install Podman.",
    ),
    (
        "checkup",
        {"is_being_checked": True},
        "The card's health is being checked.",
        "Wait until the check has ended, or cancel it.",
    ),
    (
        "health",
        {"health": summary(Grade.F, "12 words of its memory read back wrong.")},
        "The health check of today found a fault: 12 words of its memory read back wrong.",
        "Check it again.",
    ),
    (
        "health",
        {"health": summary(Grade.X, "It has 4 GB and not 8.", hours_ago=24)},
        "The health check of yesterday found that the card is not what it says it is: It has 4 GB and not 8.",
        "Check it again.",
    ),
    (
        "health",
        {"health": summary(Grade.F, "Its fan stands still.", hours_ago=24 * 9, mode=CheckMode.PASSIVE)},
        "The health check of 2026-02-20 found a fault: Its fan stands still.",
        "Check it again.",
    ),
    (
        "health",
        {"settings": CHECKED_ONLY},
        "Its health was never checked.",
        "Check it, or clear cards.require_check.",
    ),
    (
        "health",
        {"settings": CHECKED_ONLY, "health": summary(Grade.UNGRADED, "Nothing here can compute on it.")},
        "The health check of today came to no grade: Nothing here can compute on it.",
        "Check it again, or clear cards.require_check.",
    ),
    ("card", {"reading": None}, "The card has not reported yet.", "Wait a moment."),
    (
        "card",
        {"reading": reading(absent={"temperature_c": Absence.LOST})},
        "The card no longer answers its driver.",
        "Check its power cables, then restart the computer.",
    ),
    (
        "temperature",
        {"reading": reading(utilization_percent=0, temperature_c=87)},
        "The card is at 87 °C, your limit is 87 °C.",
        "Runs below 87 °C.",
    ),
    (
        "temperature",
        {"settings": with_limit(75), "reading": reading(utilization_percent=0, temperature_c=75)},
        "The card is at 75 °C, your limit is 75 °C.",
        "Runs below 75 °C.",
    ),
    (
        "battery",
        {"host": replace(HOST, on_battery=True)},
        "The computer runs on battery.",
        "Plug it in, or set availability.on_battery.",
    ),
    (
        "disk",
        {"host": replace(HOST, disk_free_bytes=39 * GIB)},
        "Only 39.0 GiB of disk are free; 40 GiB are kept for a job and its image.",
        "Free some space, or lower jobs.disk_gib.",
    ),
]  # fmt: skip


def watching(**changes: Any) -> dict[str, Any]:
    """The owner's activity, with one thing changed, and choices under which every signal counts."""
    return {"activity": replace(AT_REST, **changes), "settings": ALL_SIGNALS}


def unknown(rule: str, signal: str) -> tuple[str, dict[str, Any], str, str]:
    change = watching(**{signal: None}, unknown={signal: "Nobody answers."})
    reason = f"It cannot be told {SIGNALS[signal]}, and you chose to be careful. Nobody answers."
    return rule, change, reason, 'Set presence.unknown_signals to "ignore".'


CAREFUL = "and you chose to be careful."
UNKNOWN_USE = f"It cannot be told how much of the card you use yourself, {CAREFUL} It failed to report its load."
NAME_IT = "Name your country in energy.country to have it looked up."
UNKNOWN_GRID = f"It cannot be told how clean the grid is, {CAREFUL} {NAME_IT}"
NOES += [
    (
        "idle",
        watching(idle_s=180.0),
        "You used the computer 3 min ago; jobs wait for 10 min of quiet.",
        "Runs from 13:07 if nobody touches it until then.",
    ),
    ("full_screen", watching(full_screen="quake"), "quake fills the screen.",
     "Runs when quake is closed or no longer full-screen."),
    ("presentation", watching(is_presenting=True), "A presentation is being given.", "Runs when it is over."),
    ("programs", watching(programs_running=("blender",)), "blender runs.", "Runs when blender is closed."),
    ("programs", watching(programs_running=("blender", "obs", "x")), "blender, obs and x run.",
     "Runs when blender, obs and x are closed."),
    ("remote", watching(is_remote=True), "Somebody works on the computer over a remote desktop.",
     "Runs when that session has ended, or set presence.remote_session."),
    ("metered", watching(is_metered=True), "The network counts what is used of it.",
     "Use another network, or set presence.metered_network."),
    ("cpu_busy", watching(cpu_percent=51.0), "The processor is 51 % busy; jobs wait while it is more than 50 %.",
     "Runs when the processor is no more than 50 % busy."),
    ("disk_busy", watching(disk_busy_percent=71.9), "The disk is 71 % busy; jobs wait while it is more than 70 %.",
     "Runs when the disk is no more than 70 % busy."),
    ("sleep", watching(is_suspending=True), "The computer is about to sleep.", "Runs when it has woken up."),
    ("memory_free", {"host": replace(HOST, memory_available_bytes=1023 * MIB)},
     "Only 1023 MiB of memory are free; you want 1024 MiB to stay free.", "Runs when 1024 MiB of memory are free."),
    ("other_use", {"reading": reading(utilization_percent=21, temperature_c=50)},
     "You use 21 % of the card yourself.", "Runs when no more than 20 % of it are in use."),
    ("other_use", {"reading": reading(temperature_c=50, absent={"utilization_percent": Absence.ERROR})},
     UNKNOWN_USE, 'Set presence.unknown_signals to "ignore".'),
    ("solar", {"settings": SOLAR}, "It is outside your solar hours.", "Your solar hours begin 14:00."),
    ("solar", {"settings": Settings(prices=Prices(only_on_solar=True))},
     "Jobs are to run on your solar power alone, and you named no solar hours.",
     "Name them in prices.solar_hours, or clear prices.only_on_solar."),
    ("clean_grid", {"settings": CLEAN, "grid": replace(GRID, mg_per_kwh=300_000)},
     "Your electricity comes with 300 g of CO₂e per kWh; jobs are to run below 300 g.",
     "Set energy.cleaner_than_g_per_kwh to 301."),
    ("clean_grid", {"settings": CLEAN},
     UNKNOWN_GRID, 'Set presence.unknown_signals to "ignore".'),
    unknown("idle", "idle_s"),
    unknown("full_screen", "full_screen"),
    unknown("presentation", "is_presenting"),
    unknown("programs", "programs_running"),
    unknown("remote", "is_remote"),
    unknown("metered", "is_metered"),
    unknown("cpu_busy", "cpu_percent"),
    unknown("disk_busy", "disk_busy_percent"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "change", "reason", "remedy"), NOES)
def test_each_no_has_its_sentence_and_its_remedy(rule: str, change: dict[str, Any], reason: str, remedy: str) -> None:
    decision = may_offer(circumstances(**change))
    assert not decision.is_yes
    assert [(no.rule, no.reason, no.remedy) for no in decision.refusals] == [(rule, reason, remedy)]


def test_where_nothing_is_wrong_every_rule_says_yes_and_what_it_compared() -> None:
    decision = may_offer(circumstances())
    assert decision.is_yes
    assert {verdict.rule for verdict in decision.verdicts} == {rule for rule, *_ in NOES}
    assert len(decision.verdicts) == len(GATES)
    assert all(verdict.reason and not verdict.remedy for verdict in decision.verdicts)


@pytest.mark.parametrize(
    "change",
    [
        {"pause": Pause(NOON)},
        {"pause": Pause(NOON - timedelta(seconds=1))},
        {"gpu": SIMULATED, "market_is_local": True},
        {"settings": Settings(cards=Cards(excluded=("GPU-2",)))},
        {"settings": with_windows("sun 13:00-13:01")},
        {"reading": reading(utilization_percent=0, temperature_c=86)},
        {
            "reading": reading(
                utilization_percent=0, temperature_c=None, absent={"temperature_c": Absence.NOT_SUPPORTED}
            )
        },
        {"host": replace(HOST, on_battery=None)},
        {"host": replace(HOST, on_battery=True), "settings": Settings(availability=Availability(on_battery=True))},
        {"host": replace(HOST, disk_free_bytes=40 * GIB)},
        {"health": summary(Grade.UNGRADED, "Only its counters were read.", mode=CheckMode.PASSIVE)},
        *({"health": summary(grade, "Well."), "settings": CHECKED_ONLY} for grade in (Grade.A, Grade.B, Grade.D)),
        {"host": replace(HOST, disk_free_bytes=2 * GIB), "settings": Settings(jobs=Jobs(disk_gib=1))},
        {"activity": AT_REST, "settings": ALL_SIGNALS},
        {"activity": NOT_YET_KNOWN, "settings": IGNORING},
        {"activity": replace(AT_REST, full_screen="quake"), "settings": Settings(presence=Presence(full_screen=False))},
        {"activity": replace(AT_REST, is_remote=True, idle_s=0.0, programs_running=("blender",))},
        {"host": replace(HOST, memory_available_bytes=1024 * MIB)},
        {"reading": reading(utilization_percent=20, temperature_c=50)},
        {"reading": reading(temperature_c=50), "settings": Settings(presence=Presence(other_gpu_percent=0))},
        {"settings": SOLAR, "now": NOON + timedelta(hours=1)},
        {"settings": CLEAN, "grid": GRID},
        {"settings": with_limit(75), "reading": reading(utilization_percent=0, temperature_c=74)},
    ],
)
def test_just_on_the_right_side_is_a_yes(change: dict[str, Any]) -> None:
    decision = may_offer(circumstances(**change))
    assert decision.is_yes, decision.reason


def test_the_owners_own_wish_is_told_before_the_machines_state() -> None:
    at = circumstances(pause=Pause(None), reading=None, engine_problem="None.", settings=with_windows())
    assert [no.rule for no in may_offer(at).refusals] == ["pause", "window", "engine", "card"]


EFFECTS = {
    "pause": Effect.FREEZE, "offered": Effect.HOLD, "driver": Effect.HOLD, "checkup": Effect.HOLD,
    "window": Effect.END, "solar": Effect.END, "clean_grid": Effect.END, "sleep": Effect.FREEZE,
    "full_screen": Effect.FREEZE, "programs": Effect.FREEZE, "presentation": Effect.FREEZE, "idle": Effect.FREEZE,
    "remote": Effect.FREEZE, "engine": Effect.HOLD, "card": Effect.HOLD, "health": Effect.HOLD,
    "temperature": Effect.FREEZE, "other_use": Effect.FREEZE, "battery": Effect.FREEZE, "memory_free": Effect.FREEZE,
    "cpu_busy": Effect.FREEZE, "disk_busy": Effect.FREEZE, "metered": Effect.HOLD, "disk": Effect.HOLD,
}  # fmt: skip


def test_what_each_gate_does_to_a_running_job() -> None:
    assert {gate.rule: gate.effect for gate in GATES} == EFFECTS


@pytest.mark.parametrize(("rule", "change", "reason", "_"), NOES)
def test_a_closed_gate_has_its_effect_and_no_other(rule: str, change: dict[str, Any], reason: str, _: str) -> None:
    at = circumstances(**change)
    stopped = must_stop(at)
    assert [no.reason for no in must_freeze(at)] == [reason] * (EFFECTS[rule] is Effect.FREEZE)
    assert [stopped.reason if stopped else None] == [reason if EFFECTS[rule] is Effect.END else None]
    assert [no.reason for no in closed_gates(at)] == [reason]


def test_nothing_is_frozen_or_stopped_where_nothing_is_wrong() -> None:
    assert must_stop(circumstances()) is None
    assert must_freeze(circumstances()) == ()


def test_several_reasons_hold_at_once() -> None:
    playing = replace(AT_REST, full_screen="quake", is_presenting=True)
    at = circumstances(activity=playing, host=replace(HOST, on_battery=True), pause=Pause(None))
    assert [no.rule for no in must_freeze(at)] == ["pause", "full_screen", "presentation", "battery"]


@pytest.mark.parametrize(("minutes_left", "ends"), [(15, False), (16, True)])
def test_a_job_that_is_nearly_done_may_finish_after_its_hours(minutes_left: int, ends: bool) -> None:
    shut_now = with_windows("sun 08:00-13:00")
    job_ends_at = NOON + timedelta(minutes=minutes_left)
    at = circumstances(settings=shut_now, is_at_work=True, job_ends_at=job_ends_at)
    assert (must_stop(at) is not None) is ends
    assert not may_offer(replace(at, is_at_work=False, job_ends_at=None)).is_yes


def test_a_jobs_own_load_is_not_its_owners() -> None:
    at = circumstances(reading=reading(utilization_percent=98, temperature_c=60))
    assert [no.rule for no in must_freeze(at)] == ["other_use"]
    assert must_freeze(replace(at, is_at_work=True)) == ()


def test_beside_a_job_it_counts_what_the_owners_programs_hold_of_the_card() -> None:
    at = circumstances(is_at_work=True, gpu=replace(GPU, memory_total_bytes=24 * GIB))
    game = replace(at, use=CardUse(("game", "firefox"), 6 * GIB))
    (no,) = must_freeze(game)
    assert (no.rule, no.reason) == ("other_use", "Your programs hold 25 % of the card's memory, game most of it.")
    assert no.remedy == "Runs when game is closed, or your programs hold no more than 20 % of it."
    assert must_freeze(replace(at, use=CardUse(("firefox",), 4 * GIB))) == ()
    assert must_freeze(replace(at, use=CardUse((), 0))) == ()
    assert must_freeze(replace(game, gpu=replace(GPU, memory_total_bytes=None))) == ()
    never_mind = Settings(presence=Presence(other_gpu_percent=0))
    assert must_freeze(replace(game, settings=never_mind)) == ()


def test_what_is_remembered_of_the_computer_is_forgotten_with_it() -> None:
    """Gates that see only the computer are asked again when it, or what its owner does, is another."""
    at = circumstances(activity=watching()["activity"])
    assert may_offer(at).is_yes
    assert may_offer(at).verdicts == may_offer(circumstances(activity=at.activity)).verdicts
    full = replace(at, host=replace(HOST, disk_free_bytes=GIB))
    playing = replace(at, **watching(full_screen="game"))
    for other, rule in ((full, "disk"), (playing, "full_screen")):
        assert [no.rule for no in may_offer(other).refusals] == [rule]
        assert may_offer(at).is_yes


@pytest.mark.parametrize("gate", [gate for gate in GATES if gate.sees_only_computer], ids=lambda gate: gate.rule)
def test_a_gate_that_is_said_to_see_only_the_computer_sees_nothing_else(gate: Gate) -> None:
    at = circumstances(**watching())
    seen = SimpleNamespace(host=at.host, activity=at.activity, settings=at.settings)
    assert gate.ask(cast("Circumstances", seen)) == gate.ask(at)
    assert gate.ask(at).is_yes


def test_what_was_made_ready_of_other_choices_is_not_used() -> None:
    at = circumstances()
    closed = replace(at, settings=with_windows("fri 22:00-07:00"))
    assert at.opening.is_open
    assert not closed.opening.is_open
    assert replace(closed, now=NOON + timedelta(days=5, hours=10)).opening.is_open


def test_the_rules_see_no_more_than_they_are_given() -> None:
    """A rule with another source of truth would have to be a field here."""
    assert {field.name for field in fields(Circumstances)} == {
        "gpu", "reading", "host", "settings", "zone", "now", "pause", "engine_problem",
        "engine_remedy", "market_is_local", "health", "is_being_checked", "activity", "measured_power_mw",
        "is_at_work", "job_ends_at", "use", "tariff", "grid", "ready",
    }  # fmt: skip


def test_integrated_graphics_work_where_the_owner_wants_it() -> None:
    included = Settings(cards=Cards(included=("GPU-1",)))
    at = circumstances(gpu=replace(GPU, kind=GpuKind.INTEGRATED), settings=included)
    assert may_offer(at).is_yes
