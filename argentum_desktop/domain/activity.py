"""What its owner does with the computer now, as far as a decision needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Longer than anybody was ever away: no screen, no session, nobody who could come back to it.
NOBODY_S = 1e9

IDLE, FULL_SCREEN, PRESENTING, REMOTE = "idle_s", "full_screen", "is_presenting", "is_remote"
METERED, PROGRAMS, CPU, DISK = "is_metered", "programs_running", "cpu_percent", "disk_busy_percent"

# Each signal, in the words that end "It is not known …".
SIGNALS: Mapping[str, str] = {
    IDLE: "whether somebody is at the computer",
    FULL_SCREEN: "whether a game or another program fills the screen",
    PRESENTING: "whether a presentation is being given",
    REMOTE: "whether somebody works on it from afar",
    METERED: "whether the network counts what is used of it",
    PROGRAMS: "which of your programs run",
    CPU: "how busy the processor is",
    DISK: "how busy the disks are",
}


@dataclass(frozen=True)
class Activity:
    """What goes on at the computer. A signal that is None is not known; `unknown` has its reason by the same name.

    Attributes:
        idle_s: since somebody last touched keyboard or mouse; `NOBODY_S` where there is no session to be at.
        full_screen: the program that fills the screen; empty while none does.
        is_presenting: a presentation is given, or a program keeps the screen awake to be looked at.
        is_remote: somebody works on it over a remote desktop. A login over SSH is not that.
        is_metered: what goes over the network is paid for.
        programs_running: those of the owner's chosen programs that run, as the owner wrote them.
        cpu_percent: of all processors together.
        disk_busy_percent: of the busiest disk.
        is_suspending: the computer is about to sleep.
        unknown: why a signal is not known, one sentence each.
    """

    idle_s: float | None = None
    full_screen: str | None = None
    is_presenting: bool | None = None
    is_remote: bool | None = None
    is_metered: bool | None = None
    programs_running: tuple[str, ...] | None = None
    cpu_percent: float | None = None
    disk_busy_percent: float | None = None
    is_suspending: bool = False
    unknown: Mapping[str, str] = field(default_factory=dict)


# Before anything was looked at.
NOT_YET_KNOWN = Activity(unknown=dict.fromkeys(SIGNALS, "It has not been looked at yet."))
