"""What the owner does reaches the bench, and jobs, when a rule looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benches import BenchWithClock, a_bench

from argentum_desktop.agent.activity_watch import (
    LOOK_EVERY_S,
    SLEEPS_WITHIN_S,
    ActivityChanged,
    ActivityWatch,
    ComputerWoke,
    as_rules_see,
    wanted,
)
from argentum_desktop.domain.activity import CPU, FULL_SCREEN, IDLE, METERED, PRESENTING, PROGRAMS, Activity
from argentum_desktop.domain.job import JobState
from argentum_desktop.settings.schema import Presence, Settings
from argentum_desktop.system.activity.signal import Stirred
from argentum_desktop.system.activity.sleep import Suspending


@dataclass
class Signals:
    """A computer at which nobody sits, until told otherwise."""

    stirred: Stirred
    idle: float = 1000.0
    screen: str = ""
    tells: frozenset[str] = frozenset()
    before: Suspending | None = None
    after: Callable[[], None] | None = None

    async def idle_s(self) -> float:
        return self.idle

    async def full_screen(self) -> str:
        return self.screen

    async def is_presenting(self) -> bool:
        return False

    async def is_remote(self) -> bool:
        return False

    async def is_metered(self) -> bool:
        return False

    async def watch_sleep(self, before: Suspending, after: Callable[[], None]) -> None:
        self.before, self.after = before, after
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Scene:
    """The watch at work."""

    made: BenchWithClock
    watch: ActivityWatch
    signals: Signals
    run: Any
    told: list[Any] = field(default_factory=list)


@asynccontextmanager
async def a_scene(folder: Path, presence: Presence | None = None) -> AsyncIterator[Scene]:
    opened: list[Signals] = []

    def open_with(stirred: Stirred) -> Signals:
        opened.append(Signals(stirred))
        return opened[0]

    async with a_bench(folder, settings=Settings(presence=presence or Presence())) as made:
        lease = SimpleNamespace(lease_id="1", container_name="job-1", state=JobState.RUNNING, frozen_at=None)
        run = SimpleNamespace(lease=lease, signals=0)
        run.signal = lambda: setattr(run, "signals", run.signals + 1)
        watch = ActivityWatch(made.bench, lambda: [run], open_with)  # type: ignore[list-item]
        task = asyncio.create_task(watch.run())
        await real_time(lambda: opened and made.bench.activity and made.bench.activity.full_screen is not None)
        await real_time(lambda: made.bench.activity.is_metered is not None)  # type: ignore[union-attr]
        scene = Scene(made, watch, opened[0], run)
        for event in (ActivityChanged, ComputerWoke):
            made.bench.events.subscribe(event, scene.told.append)
        run.signals = 0
        try:
            yield scene
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def real_time(question: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not question():
            await asyncio.sleep(0.002)


async def test_a_game_wakes_the_job_and_is_told_once(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.signals.screen = "Quake"
        scene.signals.stirred(FULL_SCREEN)
        await real_time(lambda: scene.run.signals)
        assert scene.made.bench.activity.full_screen == "Quake"
        assert scene.told == [ActivityChanged(scene.made.bench.activity)]
        scene.signals.stirred(FULL_SCREEN)
        scene.signals.idle = 0.0  # no rule of this owner looks at that
        scene.signals.stirred(IDLE)
        await real_time(lambda: scene.made.bench.activity.idle_s == 0)
        assert scene.run.signals == 1
        assert len(scene.told) == 1


async def test_the_jobs_stand_still_before_the_computer_sleeps(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        assert scene.signals.before is not None
        waiting = asyncio.create_task(scene.signals.before())
        await real_time(lambda: scene.run.signals)
        assert scene.made.bench.activity.is_suspending
        await scene.made.clock.advance(0.5)
        assert not waiting.done()
        scene.run.lease.frozen_at = scene.made.clock.now()
        await scene.made.clock.advance(0.1)
        assert waiting.done()
        assert scene.signals.after is not None
        scene.signals.after()
        assert not scene.made.bench.activity.is_suspending


async def test_a_job_that_does_not_freeze_does_not_keep_the_computer_awake(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        assert scene.signals.before is not None
        waiting = asyncio.create_task(scene.signals.before())
        await scene.made.clock.advance(3.1)
        assert waiting.done()


async def test_sleep_that_nobody_told_of_is_seen_afterwards(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.made.clock.advance(2 * LOOK_EVERY_S)
        assert scene.told == []
        scene.made.clock._move_to(scene.made.clock.elapsed_s() + 3600)
        await scene.made.clock.advance(LOOK_EVERY_S)
        (woke,) = scene.told
        assert isinstance(woke, ComputerWoke)
        assert abs(woke.slept_s - 3600) <= LOOK_EVERY_S


async def test_a_sleep_that_does_not_come_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        assert scene.signals.before is not None
        waiting = asyncio.create_task(scene.signals.before())
        await scene.made.clock.advance(SLEEPS_WITHIN_S - 2 * LOOK_EVERY_S)
        assert scene.made.bench.activity.is_suspending
        await scene.made.clock.advance(4 * LOOK_EVERY_S)
        assert not scene.made.bench.activity.is_suspending
        await waiting


def test_only_what_rules_look_at_is_wanted() -> None:
    assert wanted(Presence()) == {FULL_SCREEN, PRESENTING, METERED}
    every = Presence(idle_minutes=5, programs=("obs",), cpu_busy_percent=50, metered_network=True)
    assert wanted(every) == {IDLE, FULL_SCREEN, PRESENTING, PROGRAMS, CPU}


def test_rules_see_an_idle_time_by_the_side_of_the_limit_it_is_on() -> None:
    presence, activity = Presence(idle_minutes=5, cpu_busy_percent=50), Activity(idle_s=299.0, cpu_percent=10.0)
    seen = as_rules_see(activity, presence)
    assert as_rules_see(replace(activity, idle_s=10.0, cpu_percent=49.0), presence) == seen
    assert as_rules_see(replace(activity, idle_s=300.0), presence) != seen
    assert as_rules_see(replace(activity, cpu_percent=50.1), presence) != seen
    assert as_rules_see(replace(activity, idle_s=None), presence) != seen
    assert as_rules_see(replace(activity, is_suspending=True), presence) != seen
