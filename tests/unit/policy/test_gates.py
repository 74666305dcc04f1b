"""Every rule that looks at the card and the computer: its yes, its no, its words."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from samples import GPU, NOON, reading
from surroundings import HOST, circumstances

from argentum_desktop.domain.gpu import GpuKind, GpuState, Vendor
from argentum_desktop.domain.health import CheckMode, Grade, HealthSummary
from argentum_desktop.domain.reading import Absence
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.policy.evaluate import may_offer, must_stop
from argentum_desktop.policy.gates import GATES, GIB, Circumstances, Pause
from argentum_desktop.settings.schema import Availability, Cards, Jobs, Settings


def with_windows(*texts: str) -> Settings:
    return Settings(availability=Availability(windows=tuple(WeeklyWindow.parse(text) for text in texts)))


def summary(grade: Grade, reason: str, *, hours_ago: int = 1, mode: CheckMode = CheckMode.QUICK) -> HealthSummary:
    return HealthSummary("r", grade, 60, mode, NOON - timedelta(hours=hours_ago), reason)


CHECKED_ONLY = Settings(cards=Cards(require_check=True))
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
        {"reading": reading(temperature_c=87)},
        "The card is at 87 °C, your limit is 87 °C.",
        "Runs below 87 °C.",
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
        {"reading": reading(temperature_c=86)},
        {"reading": reading(temperature_c=None, absent={"temperature_c": Absence.NOT_SUPPORTED})},
        {"host": replace(HOST, on_battery=None)},
        {"host": replace(HOST, on_battery=True), "settings": Settings(availability=Availability(on_battery=True))},
        {"host": replace(HOST, disk_free_bytes=40 * GIB)},
        {"health": summary(Grade.UNGRADED, "Only its counters were read.", mode=CheckMode.PASSIVE)},
        *({"health": summary(grade, "Well."), "settings": CHECKED_ONLY} for grade in (Grade.A, Grade.B, Grade.D)),
        {"host": replace(HOST, disk_free_bytes=2 * GIB), "settings": Settings(jobs=Jobs(disk_gib=1))},
    ],
)
def test_just_on_the_right_side_is_a_yes(change: dict[str, Any]) -> None:
    decision = may_offer(circumstances(**change))
    assert decision.is_yes, decision.reason


def test_the_owners_own_wish_is_told_before_the_machines_state() -> None:
    at = circumstances(pause=Pause(None), reading=None, engine_problem="None.", settings=with_windows())
    assert [no.rule for no in may_offer(at).refusals] == ["pause", "window", "engine", "card"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"settings": with_windows("daily 22:00-07:00")}, "window"),
        ({"reading": reading(temperature_c=90)}, "temperature"),
        ({"host": replace(HOST, on_battery=True)}, "battery"),
    ],
)
def test_what_ends_a_running_job(change: dict[str, Any], rule: str) -> None:
    verdict = must_stop(circumstances(**change))
    assert verdict is not None
    assert verdict.rule == rule


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"pause": Pause(None)},
        {"reading": None},
        {"engine_problem": "gone"},
        {"host": replace(HOST, disk_free_bytes=0)},
        {"settings": Settings(cards=Cards(excluded=("GPU-1",)))},
        {"health": summary(Grade.F, "Its fan stands still.")},
        {"is_being_checked": True},
    ],
)
def test_what_does_not_end_a_running_job(change: dict[str, Any]) -> None:
    assert must_stop(circumstances(**change)) is None


def test_the_rules_see_no_more_than_they_are_given() -> None:
    """A rule with another source of truth would have to be a field here."""
    assert {field.name for field in fields(Circumstances)} == {
        "gpu", "reading", "host", "settings", "zone", "now", "pause", "engine_problem",
        "engine_remedy", "market_is_local", "health", "is_being_checked",
    }  # fmt: skip


def test_integrated_graphics_work_where_the_owner_wants_it() -> None:
    included = Settings(cards=Cards(included=("GPU-1",)))
    at = circumstances(gpu=replace(GPU, kind=GpuKind.INTEGRATED), settings=included)
    assert may_offer(at).is_yes
