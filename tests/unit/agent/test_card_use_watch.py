"""What the owner's programs hold of a card that has a job is told to the rules with every reading."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from benches import BenchWithClock, a_bench
from samples import GPU, lease, reading

from argentum_desktop.agent.card_use_watch import ASK_AGAIN_S, CardUseWatch
from argentum_desktop.domain.reading import GpuProcess
from argentum_desktop.policy.card_use import CardUse
from argentum_desktop.telemetry.sampler import ReadingsTaken

GIB = 1024**3
LEASE = lease()


class Owners:
    """Who is who: process 7 is the job's."""

    def __init__(self) -> None:
        self.asked: list[tuple[set[int], list[str]]] = []
        self.names = {8: "blender"}

    def __call__(self, pids: Iterable[int], containers: Collection[str]) -> dict[int, str]:
        self.asked.append((set(pids), list(containers)))
        return self.names


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[BenchWithClock]:
    async with a_bench(tmp_path) as made:
        yield made


def take(desk: BenchWithClock, second: int, *pids: int) -> CardUse | None:
    processes = tuple(GpuProcess(pid, pid * GIB, is_compute=True) for pid in pids)
    desk.bench.events.publish(ReadingsTaken((replace(reading(second), processes=processes),)))
    return desk.bench.circumstances(GPU, market_is_local=True).use


async def test_what_is_not_the_jobs_is_the_owners(desk: BenchWithClock) -> None:
    owners = Owners()
    watch = CardUseWatch(desk.bench, owners)
    assert take(desk, 0, 8) is None  # no job: all of the card's load is the owner's
    desk.bench.busy = lambda: [LEASE]
    assert take(desk, 1, 7, 8) is None  # nobody knows yet which container is the job's
    desk.bench.containers[LEASE.lease_id] = "abc"
    assert take(desk, 2, 7, 8) == CardUse(("blender",), 8 * GIB)
    assert take(desk, 3, 7) == CardUse((), 0)
    desk.bench.busy = list
    assert take(desk, 4, 8) is None
    del watch


async def test_who_is_who_is_asked_when_somebody_came_and_now_and_then(desk: BenchWithClock) -> None:
    owners = Owners()
    watch = CardUseWatch(desk.bench, owners)
    desk.bench.busy = lambda: [LEASE]
    desk.bench.containers[LEASE.lease_id] = "abc"
    for second in range(5):
        take(desk, second, 7, 8)
    assert owners.asked == [({7, 8}, ["abc"])]
    take(desk, 5, 7, 8, 9)
    assert len(owners.asked) == 2
    await desk.clock.advance(ASK_AGAIN_S + 1)
    owners.names = {8: "python3"}
    assert take(desk, 6, 7, 8, 9) == CardUse(("python3",), 8 * GIB)
    del watch
