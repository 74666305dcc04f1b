"""Who else uses a card while a job runs on it: the owner's own programs."""

from __future__ import annotations

from collections.abc import Mapping
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
        programs: their names, those that hold most of its memory first.
        memory_bytes: what they hold of it.
    """

    programs: tuple[str, ...]
    memory_bytes: int


def use_by_owner(reading: Reading, owners: Mapping[int, str]) -> CardUse | None:
    """What neither a job nor the desktop itself uses; None where the driver does not tell who holds how much.

    Args:
        owners: the names of the processes that are nobody's job.
    """
    if PROCESSES in reading.absent:
        return None
    held: dict[str, int] = {}
    for process in reading.processes:
        name = owners.get(process.pid)
        if name is None or name.casefold() in DESKTOPS:
            continue
        if process.memory_bytes is None:
            return None
        held[name] = held.get(name, 0) + process.memory_bytes
    return CardUse(tuple(sorted(held, key=held.__getitem__, reverse=True)), sum(held.values()))
