"""Who else uses a card: the owner's own programs on it, beside a job or without one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from argentum_desktop.domain.reading import PROCESSES, Reading

# What draws every desktop holds a little of the card at all times and is no use of it that anybody means.
DESKTOPS = frozenset(
    {
        "cinnamon",
        "dwm.exe",
        "explorer.exe",
        "gnome-shell",
        "hyprland",
        "kwin_wayland",
        "kwin_x11",
        "labwc",
        "mutter",
        "nvidia-persistenced",
        "plasmashell",
        "sway",
        "xfwm4",
        "xorg",
        "xwayland",
    }
)


@dataclass(frozen=True)
class CardUse:
    """The owner's own use of a card.

    Attributes:
        programs: the names of the programs, those that hold most of its memory first.
        memory_bytes: what they hold of it; None where the driver does not tell.
        percent: how busy they keep it; None while a job's own use cannot be told apart.
    """

    programs: tuple[str, ...] = ()
    memory_bytes: int | None = None
    percent: int | None = None


def use_by_owner(reading: Reading, own_pids: Collection[int], names: Mapping[int, str], *, is_at_work: bool) -> CardUse:
    """What is used by neither a job nor the desktop itself.

    Args:
        own_pids: the processes of jobs.
        names: of the others, as far as they are known.
        is_at_work: a job runs on the card: the load is then not the owner's.
    """
    percent = None if is_at_work else reading.utilization_percent
    if PROCESSES in reading.absent:
        return CardUse(percent=percent)
    others = [
        process
        for process in reading.processes
        if process.pid not in own_pids and names.get(process.pid, "").casefold() not in DESKTOPS
    ]
    others.sort(key=lambda process: process.memory_bytes or 0, reverse=True)
    held = [process.memory_bytes for process in others if process.memory_bytes is not None]
    programs = dict.fromkeys(names.get(process.pid) or f"process {process.pid}" for process in others)
    memory_bytes = sum(held) if held or not others else None
    # Where everybody on the card is known to be ours, the load is as well.
    return CardUse(tuple(programs), memory_bytes, 0 if is_at_work and not others else percent)
