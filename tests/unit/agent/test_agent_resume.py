"""What an earlier run began is taken up again, once, and its card is busy until then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from benches import BenchWithClock, a_bench
from health_scene import FakeHistory, KeyInHand
from samples import lease

from argentum_desktop.agent.agent import Agent
from argentum_desktop.agent.checkup_tools import CheckTools
from argentum_desktop.agent.health_desk import HealthParts
from argentum_desktop.agent.loops import AGAIN_AFTER_S
from argentum_desktop.domain.job import JobState
from argentum_desktop.errors import MarketUnreachableError
from argentum_desktop.health.examination import CHECK_PLANS
from argentum_desktop.health.reference import load_reference
from argentum_desktop.marketplace.market import Market
from argentum_desktop.runner.engine import Container, EngineInfo
from argentum_desktop.store import leases


class QuietSampler:
    """Reads nothing."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def flush(self) -> None:
        return


class IdleEngine:
    """An engine on which nothing is left."""

    async def ping(self) -> None:
        return

    async def rest(self) -> None:
        return

    async def close(self) -> None:
        return

    async def list_by_label(self, label: str, value: str) -> list[Container]:
        return []


class Finder:
    """Finds no market until it is told to; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, name: str) -> Market:
        self.asked += 1
        raise MarketUnreachableError("No market.")


def an_agent(here: BenchWithClock, find_market: Any) -> Agent:
    here.bench.engine = IdleEngine()  # type: ignore[assignment]
    here.bench.engine_info = EngineInfo("Podman", "4", "unix:///x", rootless=False, limits_enforced=True)
    tools = CheckTools(None, load_reference(), "TestOS", CHECK_PLANS)  # type: ignore[arg-type]
    health = HealthParts(here.database, KeyInHand(), FakeHistory(), tools)
    return Agent(here.bench, here.database, None, QuietSampler(), [], find_market, health)  # type: ignore[arg-type]


async def test_a_card_is_busy_until_its_old_job_is_taken_up(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as here:
        old = lease(state=JobState.RUNNING)
        await here.database.write(lambda connection: leases.save(connection, old))
        finder = Finder()
        agent = an_agent(here, finder)
        await agent.start()
        await here.clock.settle()
        for _ in range(3):
            assert [held.lease_id for held in agent.jobs.busy()] == [old.lease_id]
            assert agent.jobs.runs() == []
            await here.clock.advance(AGAIN_AFTER_S)
        assert finder.asked >= 3
        await agent.close()
