"""The machine comes first: what its owner does with it."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from argentum_desktop.domain.activity import FULL_SCREEN, IDLE, METERED, PRESENTING, PROGRAMS, REMOTE
from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates.unknown import unknown_signal
from argentum_desktop.policy.words import clock_time, span

NOT_WATCHED = "nobody watches that here"
_NOT_MINDED = "not minded"


def awake(at: Circumstances) -> Verdict:
    if at.activity is not None and at.activity.is_suspending:
        remedy = "Runs when it has woken up."
        change = Change(ChangeKind.ACT, remedy)
        return Verdict("sleep", False, "The computer is about to sleep.", remedy, change)
    return _yes("sleep", "awake")


def left_alone(at: Circumstances) -> Verdict:
    """Whether nobody has touched the computer for as long as the owner wants that."""
    activity, minutes = at.activity, at.settings.presence.idle_minutes
    if minutes == 0:
        return _yes("idle", "jobs run also while you work")
    if activity is None:
        return _yes("idle", NOT_WATCHED)
    if activity.idle_s is None:
        return unknown_signal(at, "idle", IDLE)
    missing_s = minutes * 60 - activity.idle_s
    if missing_s <= 0:
        return _yes("idle", f"nobody was at it for {minutes} min")
    opens_at = at.now + timedelta(seconds=missing_s)
    remedy = f"Runs from {clock_time(opens_at, at.now, at.zone)} if nobody touches it until then."
    change = Change(ChangeKind.TIME, remedy, at=opens_at)
    reason = f"You used the computer {span(activity.idle_s)} ago; jobs wait for {minutes} min of quiet."
    return Verdict("idle", False, reason, remedy, change)


def no_full_screen(at: Circumstances) -> Verdict:
    activity = at.activity
    if not at.settings.presence.full_screen:
        return _yes("full_screen", _NOT_MINDED)
    if activity is None:
        return _yes("full_screen", NOT_WATCHED)
    if activity.full_screen is None:
        return unknown_signal(at, "full_screen", FULL_SCREEN)
    if not activity.full_screen:
        return _yes("full_screen", "no program fills the screen")
    return _full_screen(activity.full_screen)


@lru_cache(maxsize=64)
def _full_screen(program: str) -> Verdict:
    remedy = f"Runs when {program} is closed or no longer full-screen."
    change = Change(ChangeKind.PROGRAM, remedy, program)
    return Verdict("full_screen", False, f"{program} fills the screen.", remedy, change)


def not_presenting(at: Circumstances) -> Verdict:
    if not at.settings.presence.presentation:
        return _yes("presentation", _NOT_MINDED)
    if at.activity is None:
        return _yes("presentation", NOT_WATCHED)
    if at.activity.is_presenting is None:
        return unknown_signal(at, "presentation", PRESENTING)
    if not at.activity.is_presenting:
        return _yes("presentation", "no presentation")
    remedy = "Runs when it is over."
    return Verdict("presentation", False, "A presentation is being given.", remedy, Change(ChangeKind.ACT, remedy))


def no_chosen_program(at: Circumstances) -> Verdict:
    """Whether none of the programs runs before which the owner wants jobs to step back."""
    if not at.settings.presence.programs:
        return _yes("programs", "you named no programs")
    if at.activity is None:
        return _yes("programs", NOT_WATCHED)
    if at.activity.programs_running is None:
        return unknown_signal(at, "programs", PROGRAMS)
    return _programs(at.activity.programs_running)


@lru_cache(maxsize=64)
def _programs(running: tuple[str, ...]) -> Verdict:
    if not running:
        return Verdict("programs", True, "none of the programs you named runs")
    names = running[0] if len(running) == 1 else f"{', '.join(running[:-1])} and {running[-1]}"
    remedy = f"Runs when {names} {'is' if len(running) == 1 else 'are'} closed."
    # Closing one of several opens nothing: only one alone is a single change.
    change = Change(ChangeKind.PROGRAM if len(running) == 1 else ChangeKind.ACT, remedy, names)
    return Verdict("programs", False, f"{names} {'runs' if len(running) == 1 else 'run'}.", remedy, change)


def not_remote(at: Circumstances) -> Verdict:
    if at.settings.presence.remote_session:
        return _yes("remote", "jobs run also during a remote session")
    if at.activity is None:
        return _yes("remote", NOT_WATCHED)
    if at.activity.is_remote is None:
        return unknown_signal(at, "remote", REMOTE)
    if not at.activity.is_remote:
        return _yes("remote", "no remote session")
    remedy = "Runs when that session has ended, or set presence.remote_session."
    change = Change(ChangeKind.SETTING, remedy, "presence.remote_session", value="true")
    return Verdict("remote", False, "Somebody works on the computer over a remote desktop.", remedy, change)


def not_metered(at: Circumstances) -> Verdict:
    if at.settings.presence.metered_network:
        return _yes("metered", _NOT_MINDED)
    if at.activity is None:
        return _yes("metered", NOT_WATCHED)
    if at.activity.is_metered is None:
        return unknown_signal(at, "metered", METERED)
    if not at.activity.is_metered:
        return _yes("metered", "the network is not metered")
    remedy = "Use another network, or set presence.metered_network."
    change = Change(ChangeKind.SETTING, remedy, "presence.metered_network", value="true")
    return Verdict("metered", False, "The network counts what is used of it.", remedy, change)


@lru_cache(maxsize=128)
def _yes(rule: str, compared: str) -> Verdict:
    return Verdict(rule, True, compared)
