"""A running job and the owner's machine: frozen first, written down after, ended in time, and nothing in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benches import BenchWithClock, a_bench
from fake_market import FakeMarket
from samples import GPU, NOON, lease, reading

from argentum_desktop.agent.handback import HandedBack
from argentum_desktop.agent.handback_book import HandBackBook
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.steps import stop
from argentum_desktop.agent.watch import watch
from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.handback import HandBack
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.reading import lost
from argentum_desktop.errors import EngineError
from argentum_desktop.policy.gates import Pause
from argentum_desktop.runner.engine import Container, ContainerState
from argentum_desktop.settings.schema import Settings

GAME = Activity(idle_s=0.0, full_screen="A game", is_presenting=False, is_metered=False)
NOTHING = replace(GAME, full_screen="")


class SlowEngine:
    """One container; its log can be waited for for ever, and a pause takes as long as it is told."""

    def __init__(self) -> None:
        self.state = ContainerState.RUNNING
        self.acts: list[str] = []
        self.log_comes = asyncio.Event()
        self.refusals = 0
        self.over = asyncio.Event()

    def container(self) -> Container:
        return Container("id", "argentum-lse_1", self.state, {}, exit_code=0)

    async def inspect(self, name: str) -> Container:
        return self.container()

    async def wait(self, name: str) -> Container:
        await self.over.wait()
        return self.container()

    async def logs(self, name: str) -> bytes:
        await self.log_comes.wait()
        return b"progress: 50 %\n"

    async def pause(self, name: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise EngineError("The container engine refused.")
        self._become(ContainerState.PAUSED, "pause")

    async def unpause(self, name: str) -> None:
        self._become(ContainerState.RUNNING, "unpause")

    async def stop(self, name: str, grace_s: int) -> None:
        self._become(ContainerState.EXITED, f"stop {grace_s}")

    def _become(self, state: ContainerState, act: str) -> None:
        self.state = state
        self.acts.append(act)


class Scene:
    def __init__(self, here: BenchWithClock, engine: SlowEngine, of: Lease) -> None:
        self.here, self.engine, self.bench = here, engine, here.bench
        self.run = JobRun(of, FakeMarket(), here.bench)
        self.book = HandBackBook(here.database, here.bench.events, lambda: [self.run])
        self.made: list[HandBack] = []
        self.bench.events.subscribe(HandedBack, lambda event: self.made.append(event.made))
        self.watching = asyncio.ensure_future(watch(self.run))

    async def advance(self, seconds: float) -> None:
        await self.here.clock.advance(seconds)
        await self.settle()

    async def settle(self) -> None:
        """The database answers from its own thread."""
        for _ in range(4):
            await self.here.clock.settle()
            await self.here.database.read(lambda _: None)
        await self.here.clock.settle()

    async def owner_does(self, activity: Activity) -> None:
        self.bench.activity = activity
        self.run.signal()
        await self.here.clock.settle()


@asynccontextmanager
async def a_scene(
    folder: Path, of: Lease | None = None, state: ContainerState = ContainerState.RUNNING
) -> AsyncIterator[Scene]:
    async with a_bench(folder, activity=NOTHING) as here:
        engine = SlowEngine()
        engine.state = state
        here.bench.engine = engine  # type: ignore[assignment]
        scene = Scene(here, engine, of or lease())
        await scene.settle()
        try:
            yield scene
        finally:
            scene.watching.cancel()
            await asyncio.gather(scene.watching, return_exceptions=True)
            await scene.book.close()


async def test_a_signal_freezes_it_behind_no_log_and_no_disk(tmp_path: Path) -> None:
    """The log never comes, and nothing can be written: the container stands still all the same."""
    async with a_scene(tmp_path) as scene:
        release = asyncio.Event()
        await scene.run._changing.acquire()
        await scene.owner_does(GAME)
        assert scene.engine.acts == ["pause"]
        assert [(one.rule, one.frozen_ms, one.is_kept) for one in scene.made] == [("full_screen", 0, True)]
        assert scene.run.lease.frozen_at is None
        scene.run._changing.release()
        await scene.settle()
        assert scene.run.lease.frozen_at == NOON
        assert not release.is_set()


async def test_it_goes_on_when_the_reason_has_settled_and_its_time_still_is_not_billed(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.owner_does(GAME)
        await scene.advance(5)
        await scene.owner_does(NOTHING)
        await scene.advance(29)
        assert scene.engine.acts == ["pause"]
        await scene.advance(1.1)
        assert scene.engine.acts == ["pause", "unpause"]
        assert (scene.run.lease.frozen_at, scene.run.lease.frozen_s) == (None, 35)
        assert scene.run.usage().billable_s <= 1


async def test_a_reason_that_stays_ends_it_with_notice_within_the_grace(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.owner_does(GAME)
        await scene.advance(39.5)
        assert not scene.watching.done()
        await scene.advance(0.5)
        await scene.watching
        assert (scene.run.lease.state, scene.run.lease.outcome) == (JobState.STOPPING, Outcome.RECLAIMED)
        assert scene.run.lease.reason == "The owner took the card back: A game fills the screen."
        await stop(scene.run)
        await scene.settle()
        assert scene.engine.acts == ["pause", "stop 20"]
        assert [(one.freed_ms, one.freed_within_ms, one.is_kept) for one in scene.made[1:]] == [(40_000, 60_000, True)]


async def test_pause_and_resume(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.bench.pause = Pause(None)
        scene.run.wake()
        await scene.here.clock.settle()
        assert scene.engine.acts == ["pause"]
        await scene.advance(100)
        scene.bench.pause = None
        scene.run.wake()
        await scene.here.clock.settle()
        assert scene.engine.acts == ["pause", "unpause"]
        scene.bench.pause = Pause(None)
        await scene.advance(15 * 60 + 2)
        assert scene.run.lease.state is JobState.STOPPING
        assert "longer than a job is kept frozen" in scene.run.lease.reason


async def test_a_game_that_comes_and_goes_freezes_it_once(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        for _ in range(3):
            await scene.owner_does(GAME)
            await scene.advance(5)
            await scene.owner_does(NOTHING)
            await scene.advance(5)
        assert scene.engine.acts == ["pause"]
        assert len(scene.made) == 1


async def test_a_refused_freeze_is_tried_again_and_counts_from_the_first_signal(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.engine.refusals = 1
        await scene.owner_does(GAME)
        with pytest.raises(EngineError):
            await scene.watching
        await scene.here.clock.advance(2)
        scene.watching = asyncio.ensure_future(watch(scene.run))
        await scene.settle()
        assert scene.engine.acts == ["pause"]
        assert [(one.frozen_ms, one.is_kept) for one in scene.made] == [(2000, False)]
        assert (scene.book.figures().promises, scene.book.figures().is_kept) == (1, False)


async def test_a_lost_card_ends_its_job_at_the_signal(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.bench.readings[GPU.gpu_id] = lost(GPU.gpu_id, NOON)
        scene.run.signal()
        await scene.watching
        assert scene.run.lease.outcome is Outcome.CARD_LOST


async def test_a_hot_card_freezes_it_unless_less_power_may_still_help(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.bench.readings[GPU.gpu_id] = reading(temperature_c=90)
        scene.bench.cooling.add(GPU.gpu_id)
        scene.run.signal()
        await scene.here.clock.settle()
        assert scene.engine.acts == []
        scene.bench.cooling.clear()
        scene.run.signal()
        await scene.here.clock.settle()
        assert scene.engine.acts == ["pause"]


@pytest.mark.parametrize(("progress", "is_nearly_done"), [(50, True), (1, False), (None, False)])
async def test_at_the_end_of_the_hours_only_a_job_that_is_nearly_done_goes_on(
    tmp_path: Path, progress: int | None, is_nearly_done: bool
) -> None:
    """Ten minutes of work by 13:10 in Paris, a window until 13:11, and fifteen minutes in which it may finish."""
    async with a_scene(tmp_path) as scene:
        window = OwnersWindow.parse("daily 12:00-13:11")
        hours = replace(scene.bench.settings.availability, windows=(window,))
        scene.bench.settings = replace(scene.bench.settings, availability=hours)
        scene.run.progress_percent = progress
        await scene.advance(659)
        assert not scene.watching.done()
        await scene.advance(2)
        assert scene.watching.done() is not is_nearly_done
        if is_nearly_done:  # and then it does not come any further
            await scene.advance(60)
            assert not scene.watching.done()
            await scene.advance(180)
        await scene.watching
        assert scene.run.lease.state is JobState.STOPPING
        assert scene.run.lease.reason == "The owner took the card back: It is outside the hours you set."


@pytest.mark.parametrize("written", [False, True])
async def test_what_a_killed_run_left_frozen_goes_on(tmp_path: Path, written: bool) -> None:
    """Whether or not the freeze could be written down before the end came."""
    left = lease(frozen_at=NOON - timedelta(seconds=7) if written else None)
    async with a_scene(tmp_path, left, ContainerState.PAUSED) as scene:
        await scene.advance(29)
        assert scene.engine.acts == []
        assert scene.run.lease.frozen_at is not None
        await scene.advance(2)
        assert scene.engine.acts == ["unpause"]
        assert scene.run.lease.frozen_at is None
        assert scene.run.lease.frozen_s >= 30


async def test_what_a_killed_run_thawed_without_writing_it_down_runs(tmp_path: Path) -> None:
    async with a_scene(tmp_path, lease(frozen_at=NOON - timedelta(seconds=7))) as scene:
        assert scene.engine.acts == []
        assert (scene.run.lease.frozen_at, scene.run.lease.frozen_s) == (None, 7)
        await scene.owner_does(GAME)
        assert scene.engine.acts == ["pause"]


async def test_the_end_of_the_container_is_seen_whatever_else_goes_on(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.engine.state = ContainerState.EXITED
        scene.engine.over.set()
        await scene.watching
        assert (scene.run.lease.state, scene.run.lease.outcome) == (JobState.COLLECTING, Outcome.SUCCEEDED)


async def test_figures_are_kept_over_a_restart_and_the_oldest_are_forgotten(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as here:
        book = HandBackBook(here.database, here.bench.events, list)
        for number in range(130):
            here.bench.events.publish(HandedBack(HandBack("lse_1", "idle", NOON, frozen_ms=number)))
        here.bench.events.publish(HandedBack(HandBack("lse_1", "idle", NOON, freed_ms=900, freed_within_ms=1000)))
        await book.close()
        again = HandBackBook(here.database, here.bench.events, list)
        await again.load()
        assert again.figures() == book.figures()
        figures = again.figures()
        assert (figures.frozen.count, figures.frozen.median_ms, figures.frozen.p95_ms) == (100, 80, 124)
        assert (figures.freed.count, figures.promises, figures.kept) == (1, 101, 101)


def test_settings_are_what_these_tests_count_with() -> None:
    presence: Any = Settings().presence
    assert (presence.grace_s, presence.settle_s, Settings().jobs.stop_grace_s) == (60, 30, 20)
