"""The engine sleeps when there is nothing to do, and is looked at often enough all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from benches import a_bench

from argentum_desktop.agent.engine_watch import LOOK_EVERY_S, REST_AFTER_S, RESTING_LOOK_EVERY_S, EngineWatch
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.errors import EngineMissingError
from argentum_desktop.runner.engine import EngineInfo


class CountedEngine:
    """Says how often it was asked and sent to sleep; fails when told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_gone = False

    async def ping(self) -> None:
        self.calls.append("ping")
        if self.is_gone:
            raise EngineMissingError("Gone.")

    async def info(self) -> EngineInfo:
        self.calls.append("info")
        if self.is_gone:
            raise EngineMissingError("Gone.")
        return INFO

    async def rest(self) -> None:
        self.calls.append("rest")


INFO = EngineInfo("Podman", "4", "unix:///x", rootless=False, limits_enforced=True)


class Stand:
    def __init__(self, here: object) -> None:
        self.bench = here.bench  # type: ignore[attr-defined]
        self.clock = here.clock  # type: ignore[attr-defined]
        self.engine = CountedEngine()
        self.jobs = 0
        self.bench.engine, self.bench.engine_info = self.engine, INFO
        self.watch = EngineWatch(self.bench, NoticeBoard(), lambda: self.jobs > 0)


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with a_bench(tmp_path) as here:
        stand = Stand(here)
        task = asyncio.create_task(stand.watch.run())
        yield stand
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_while_a_job_is_there_it_is_asked_and_never_sent_to_sleep(stand: Stand) -> None:
    stand.jobs = 1
    await stand.clock.advance(10 * LOOK_EVERY_S)
    assert stand.engine.calls == ["ping"] * 10


async def test_it_sleeps_some_time_after_the_last_job(stand: Stand) -> None:
    stand.jobs = 1
    await stand.clock.advance(LOOK_EVERY_S)
    stand.jobs = 0
    await stand.clock.advance(REST_AFTER_S - 1)
    assert "rest" not in stand.engine.calls
    await stand.clock.advance(LOOK_EVERY_S + 1)
    assert stand.engine.calls[-1] == "rest"


async def test_asleep_it_is_woken_only_now_and_then(stand: Stand) -> None:
    await stand.clock.advance(REST_AFTER_S + LOOK_EVERY_S)
    stand.engine.calls.clear()
    await stand.clock.advance(3 * RESTING_LOOK_EVERY_S)
    assert 2 <= stand.engine.calls.count("ping") <= 3
    assert stand.engine.calls[-1] == "rest"


async def test_an_engine_that_went_away_in_its_sleep_is_noticed_and_awaited(stand: Stand) -> None:
    await stand.clock.advance(REST_AFTER_S + LOOK_EVERY_S)
    stand.engine.is_gone = True
    await stand.clock.advance(RESTING_LOOK_EVERY_S + LOOK_EVERY_S)
    assert stand.bench.engine_problem == "Gone."
    stand.engine.is_gone = False
    await stand.clock.advance(LOOK_EVERY_S)
    assert not stand.bench.engine_problem
