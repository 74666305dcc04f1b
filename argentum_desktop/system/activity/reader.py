"""All signals together, each read at its own pace, so that none waits for another and none costs more than it must."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from argentum_desktop.clock import Clock
from argentum_desktop.domain.activity import (
    CPU,
    DISK,
    FULL_SCREEN,
    IDLE,
    METERED,
    NOT_YET_KNOWN,
    PRESENTING,
    PROGRAMS,
    REMOTE,
    Activity,
)
from argentum_desktop.system.activity.load import DiskLoad, JobGroups, JobsUse, ProcessorLoad
from argentum_desktop.system.activity.programs import Programs
from argentum_desktop.system.activity.signal import SignalUnknownError, Stirred, Surroundings
from argentum_desktop.system.activity.sleep import Suspending

log = logging.getLogger(__name__)

# In seconds: while nobody waits for it, while a rule looks at it, and while a job would be frozen for it.
_PACES: Mapping[str, tuple[float, float, float]] = {
    IDLE: (10.0, 1.0, 0.2),
    FULL_SCREEN: (10.0, 2.0, 0.2),
    PRESENTING: (10.0, 5.0, 2.0),
    REMOTE: (10.0, 5.0, 5.0),
    METERED: (10.0, 10.0, 10.0),
    PROGRAMS: (10.0, 2.0, 1.0),
    CPU: (10.0, 5.0, 2.0),
    DISK: (10.0, 5.0, 2.0),
}


@dataclass(frozen=True)
class Attention:
    """What the rules want to know just now.

    Attributes:
        wanted: the signals that a rule looks at; the others are read slowly, for the record.
        programs: the owner's chosen programs.
        is_urgent: a job runs, which a closing signal freezes.
        containers: the ids of the containers of jobs, whose own use is not the owner's.
    """

    wanted: frozenset[str] = frozenset()
    programs: tuple[str, ...] = ()
    is_urgent: bool = False
    containers: tuple[str, ...] = ()


class OwnerSignals(Protocol):
    """What each system answers in its own way; each question raises `SignalUnknownError` where it cannot."""

    @property
    def tells(self) -> frozenset[str]:
        """The signals of whose changes the system tells by itself, so that asking is for what it may have missed."""
        ...

    async def idle_s(self) -> float: ...

    async def full_screen(self) -> str: ...

    async def is_presenting(self) -> bool: ...

    async def is_remote(self) -> bool: ...

    async def is_metered(self) -> bool: ...

    async def watch_sleep(self, before: Suspending, after: Callable[[], None]) -> None:
        """Hold the computer's sleep up until `before` is done; runs until it is cancelled."""
        ...

    async def close(self) -> None: ...


def open_signals(clock: Clock, stirred: Stirred) -> OwnerSignals:
    """Those of this computer."""
    if sys.platform == "win32":
        from argentum_desktop.system.activity.windows import WindowsSignals

        return WindowsSignals()
    from argentum_desktop.system.activity.linux import LinuxSignals

    return LinuxSignals(surroundings(os.environ, os.getuid()), clock, stirred)


def surroundings(environment: Mapping[str, str], user_id: int) -> Surroundings:
    """Where the buses are: as the environment says, else where systemd puts them."""
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/user/{user_id}"
    session = environment.get("DBUS_SESSION_BUS_ADDRESS", "")
    if not session and Path(runtime, "bus").exists():
        session = f"unix:path={runtime}/bus"
    system = environment.get("DBUS_SYSTEM_BUS_ADDRESS") or "unix:path=/run/dbus/system_bus_socket"
    return Surroundings(dict(environment), user_id, "" if session == "disabled:" else session, system)


class ActivityReader:
    """Reads the signals for as long as `run` runs.

    Args:
        open_with: makes the system's own signals, given whom to tell of a change.
        attention: what is wanted now; asked before each look.
        changed: called when a signal has another value than before.
    """

    def __init__(
        self,
        open_with: Callable[[Stirred], OwnerSignals],
        clock: Clock,
        attention: Callable[[], Attention],
        changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._attention = attention
        self._changed = changed
        self._signals = open_with(self.look_again)
        self._programs = Programs()
        self._groups = JobGroups()
        self._processor, self._disks = ProcessorLoad(), DiskLoad()
        self._values: dict[str, Any] = {}
        self._unknown: dict[str, str] = dict(NOT_YET_KNOWN.unknown)
        self._failed: set[str] = set()
        self._wake = {name: asyncio.Event() for name in _PACES}
        self._reads: Mapping[str, Callable[[], Awaitable[Any]]] = {
            IDLE: self._signals.idle_s,
            FULL_SCREEN: self._signals.full_screen,
            PRESENTING: self._signals.is_presenting,
            REMOTE: self._signals.is_remote,
            METERED: self._signals.is_metered,
            PROGRAMS: self._running_programs,
            CPU: self._cpu_percent,
            DISK: self._disk_busy_percent,
        }

    @property
    def activity(self) -> Activity:
        """What is known now."""
        return Activity(**self._values, unknown=dict(self._unknown))

    def look_again(self, *names: str) -> None:
        """Read these at once; all without a name."""
        for name in names or self._wake:
            self._wake[name].set()

    async def run(self, before_sleep: Suspending, after_sleep: Callable[[], None]) -> None:
        """Read until cancelled; then let go of everything."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._signals.watch_sleep(before_sleep, after_sleep), name="sleep")
                for name in self._reads:
                    tasks.create_task(self._follow(name), name=f"signal {name}")
        finally:
            await self._signals.close()

    async def _follow(self, name: str) -> None:
        woken = self._wake[name]
        while True:
            woken.clear()
            await self._read(name)
            try:
                async with asyncio.timeout(self._pace_s(name)):
                    await woken.wait()
            except TimeoutError:
                continue

    def _pace_s(self, name: str) -> float:
        at_rest, watched, urgent = _PACES[name]
        attention = self._attention()
        if name not in attention.wanted:
            return at_rest
        return urgent if attention.is_urgent and name not in self._signals.tells else watched

    async def _read(self, name: str) -> None:
        """One look; a fault of ours in one signal must not end the others."""
        try:
            value = await self._reads[name]()
        except SignalUnknownError as error:
            self._note(name, None, error.message)
        except Exception:
            if name not in self._failed:
                self._failed.add(name)
                log.exception("the signal %s failed", name)
            self._note(name, None, "It could not be read.")
        else:
            self._failed.discard(name)
            self._note(name, value, "")

    def _note(self, name: str, value: Any, reason: str) -> None:
        before = (self._values.get(name), self._unknown.get(name, ""))
        if value is None:
            self._values.pop(name, None)
            self._unknown[name] = reason
        else:
            self._values[name] = value
            self._unknown.pop(name, None)
        if before != (value, reason):
            self._changed()

    async def _running_programs(self) -> tuple[str, ...]:
        chosen = self._attention().programs
        return await asyncio.to_thread(self._programs.running, chosen) if chosen else ()

    async def _cpu_percent(self) -> float:
        return self._processor.percent(await self._jobs_use())

    async def _disk_busy_percent(self) -> float:
        return self._disks.percent(await self._jobs_use(), self._clock.elapsed_s())

    async def _jobs_use(self) -> JobsUse:
        containers = self._attention().containers
        return await asyncio.to_thread(self._groups.use, containers) if containers else JobsUse()
