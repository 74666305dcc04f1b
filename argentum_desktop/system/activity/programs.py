"""Which of the owner's chosen programs run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import psutil

# A process is looked at again a few times after it appeared, for it may still become another program (fork, then
# exec), and everybody now and then, for numbers are given anew.
LOOKS_AT_NEW = 3
ALL_ANEW_EVERY = 30
# Linux keeps so many letters of a name; the whole of a longer one is in the command.
_KERNEL_LETTERS = 15

Names = Callable[[int], str | None]


def running_name(pid: int) -> str | None:
    """What a process is called, of a Windows program under Wine too; None where it has ended."""
    try:
        process = psutil.Process(pid)
        name = str(process.name())
        if len(name) < _KERNEL_LETTERS:
            return name
        command = process.cmdline()
    except (psutil.Error, OSError, ValueError):
        return None
    whole = re.split(r"[/\\]", command[0])[-1] if command else ""
    return whole if whole.startswith(name[:_KERNEL_LETTERS]) else name


def plain(name: str) -> str:
    """A name as it is compared: without case, folder or `.exe`."""
    last = re.split(r"[/\\]", name.strip())[-1].casefold()
    return last.removesuffix(".exe")


class Programs:
    """Looks through the processes; those it knows are not asked again."""

    def __init__(
        self, pids: Callable[[], Iterable[int]] = psutil.pids, name_of: Callable[[int], str | None] = running_name
    ) -> None:
        self._pids = pids
        self._name_of = name_of
        self._names: dict[int, str] = {}
        self._looks: dict[int, int] = {}
        self._turn = 0

    def running(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """Those of the chosen programs that run, as they were written."""
        if not chosen:
            return ()
        self._turn += 1
        if self._turn % ALL_ANEW_EVERY == 0:
            self._names, self._looks = {}, {}
        present = set(self._pids())
        self._names = {pid: name for pid, name in self._names.items() if pid in present}
        self._looks = {pid: looks for pid, looks in self._looks.items() if pid in present}
        for pid in present:
            if self._looks.get(pid, 0) < LOOKS_AT_NEW:
                self._looks[pid] = self._looks.get(pid, 0) + 1
                self._names[pid] = plain(self._name_of(pid) or "")
        there = set(self._names.values()) - {""}
        return tuple(name for name in chosen if plain(name) in there)
