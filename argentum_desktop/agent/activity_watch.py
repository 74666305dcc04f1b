"""What the owner does, kept up to date on the bench; jobs are told the moment it may concern them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.job_run import JobRun
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
from argentum_desktop.domain.job import JobState
from argentum_desktop.errors import ArgentumError
from argentum_desktop.settings.schema import Presence
from argentum_desktop.system.activity.reader import ActivityReader, Attention, OwnerSignals
from argentum_desktop.system.activity.signal import Stirred
from argentum_desktop.system.activity.sleep import SleepGauge

LOOK_EVERY_S = 2.0
# logind itself waits for less; a computer that has not slept by then stays awake.
SLEEPS_WITHIN_S = 60.0
_FROZEN_WITHIN_S, _IS_FROZEN_EVERY_S = 3.0, 0.02

SignalOpener = Callable[[Stirred], OwnerSignals]


@dataclass(frozen=True)
class ActivityChanged:
    """Something that a rule looks at is not what it was."""

    activity: Activity


@dataclass(frozen=True)
class ComputerWoke:
    """The computer has slept; what was known before may be old."""

    slept_s: float


def wanted(presence: Presence) -> frozenset[str]:
    """The signals that the owner's rules look at."""
    asked = {
        IDLE: presence.idle_minutes > 0,
        FULL_SCREEN: presence.full_screen,
        PRESENTING: presence.presentation,
        REMOTE: not presence.remote_session,
        METERED: not presence.metered_network,
        PROGRAMS: bool(presence.programs),
        CPU: presence.cpu_busy_percent > 0,
        DISK: presence.disk_busy_percent > 0,
    }
    return frozenset(name for name, is_asked in asked.items() if is_asked)


def as_rules_see(activity: Activity, presence: Presence) -> tuple[object, ...]:
    """What rules can tell apart: an idle time or a load only by the side of the owner's limit it is on."""
    limits = {
        IDLE: presence.idle_minutes * 60.0,
        CPU: float(presence.cpu_busy_percent),
        DISK: float(presence.disk_busy_percent),
    }
    facts: list[object] = [activity.is_suspending]
    for name in sorted(wanted(presence)):
        value = getattr(activity, name)
        if value is None:
            facts.append((name, activity.unknown.get(name)))
        elif name == IDLE:
            facts.append((name, value >= limits[name]))
        else:
            facts.append((name, value > limits[name] if name in limits else value))
    return tuple(facts)


class ActivityWatch:
    """Reads the signals and keeps `bench.activity`.

    Args:
        runs: the jobs under way.
        open_with: makes this system's signals.
    """

    def __init__(self, bench: Bench, runs: Callable[[], Sequence[JobRun]], open_with: SignalOpener) -> None:
        self._bench = bench
        self._runs = runs
        self._open_with = open_with
        self._reader: ActivityReader | None = None
        self._attention = Attention()
        self._sleeps_since_s: float | None = None
        self._seen: tuple[object, ...] = ()

    async def run(self) -> None:
        """Watch until cancelled."""
        self._bench.activity = NOT_YET_KNOWN
        self._reader = ActivityReader(self._open_with, self._bench.clock, self._attend, self._changed)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._reader.run(self._before_sleep, self._woke), name="activity")
                tasks.create_task(self._keep_up(), name="activity watch")
        finally:
            self._reader = None

    def look_again(self) -> None:
        """The settings changed, or a job began: what is read how often may be another."""
        attention = self._attend()
        if attention != self._attention:
            self._attention = attention
            if self._reader is not None:
                self._reader.look_again()

    # -- what is wanted -----------------------------------------------------------------------------------------------

    def _attend(self) -> Attention:
        presence = self._bench.settings.presence
        return Attention(
            wanted=wanted(presence),
            programs=presence.programs,
            is_urgent=any(_is_running(run) for run in self._runs()),
            containers=tuple(self._bench.containers.values()),
        )

    async def _keep_up(self) -> None:
        gauge = SleepGauge(self._bench.clock.elapsed_s())
        while True:
            await self._bench.clock.sleep(LOOK_EVERY_S)
            now_s = self._bench.clock.elapsed_s()
            slept_s = gauge.slept_s(now_s, LOOK_EVERY_S)
            if slept_s:
                self._bench.events.publish(ComputerWoke(slept_s))
                self._woke()
            elif self._sleeps_since_s is not None and now_s - self._sleeps_since_s > SLEEPS_WITHIN_S:
                self._woke()
            await self._find_containers()
            self.look_again()

    async def _find_containers(self) -> None:
        """The engine's own ids, by which the system knows what jobs use; asked once for each."""
        running = {run.lease.lease_id: run.lease.container_name for run in self._runs() if _is_running(run)}
        self._bench.containers = {
            lease: container for lease, container in self._bench.containers.items() if lease in running
        }
        engine = self._bench.engine
        for lease_id in running.keys() - self._bench.containers.keys():
            try:
                container = await engine.inspect(running[lease_id]) if engine is not None else None
            except ArgentumError:
                continue
            if container is not None:
                self._bench.containers[lease_id] = container.container_id

    # -- what is seen -------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self._reader is None:
            return
        activity = replace(self._reader.activity, is_suspending=self._sleeps_since_s is not None)
        self._bench.activity = activity
        seen = as_rules_see(activity, self._bench.settings.presence)
        if seen == self._seen:
            return
        self._seen = seen
        for run in self._runs():
            run.signal()
        self._bench.events.publish(ActivityChanged(activity))

    async def _before_sleep(self) -> None:
        """Return when no job computes any more; the computer sleeps then."""
        self._sleeps_since_s = self._bench.clock.elapsed_s()
        self._changed()
        clock = self._bench.clock
        until_s = clock.elapsed_s() + _FROZEN_WITHIN_S
        while any(_is_running(run) for run in self._runs()) and clock.elapsed_s() < until_s:
            await clock.sleep(_IS_FROZEN_EVERY_S)

    def _woke(self) -> None:
        self._sleeps_since_s = None
        self._changed()
        if self._reader is not None:
            self._reader.look_again()


def _is_running(run: JobRun) -> bool:
    return run.lease.state is JobState.RUNNING and run.lease.frozen_at is None
