"""From the owner's signal to a job that stands still, and to a card that is free, beside Podman's own pause.

The application runs whole, with a real container. What it says of itself is not believed: whether the container stands
still is read from the kernel's control group, and whether it is gone from the list of processes.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from figures import Figure, of_runs
from oci_images import build_busybox

from argentum_desktop.app.core import LOCAL_MARKET, Core
from argentum_desktop.buyer.client import BuyerClient
from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.domain.handback import FREED_MARGIN_MS, FROZEN_WITHIN_MS, HandBackFigures
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.telemetry.sampler import ReadingsTaken

ROUNDS, STOPS = 200, 5
QUICK_ROUNDS, QUICK_STOPS = 10, 1
GRACE_S, NOTICE_S = 3, 1
PATIENCE_S = 60.0
# A busy job that writes a log and takes no notice of being asked to end.
SCRIPT = "trap '' TERM; i=0; while true; do i=$((i+1)); echo line $i of a log that grows; sleep 0.01; done"
JOB = f"""title = "In the way"
image = "image.tar"
command = ["/bin/busybox", "sh", "-c", "{SCRIPT}"]
output = "results"
max_price_per_hour = "0.40"
[limits]
gpus = 0
memory_mib = 64
disk_mib = 16
pids = 16
wall_s = 3600
"""


def measure(folder: Path, *, quick: bool = False) -> list[Figure]:
    """Freezes of one job, each beside one by hand, then ends of a few."""
    return asyncio.run(_measure(folder, *((QUICK_ROUNDS, QUICK_STOPS) if quick else (ROUNDS, STOPS))))


async def _measure(folder: Path, rounds: int, stops: int) -> list[Figure]:
    core = Core(Home(folder / "handback").create(), _settings())
    await core.open()
    try:
        await _until(lambda: core.agent.bench.engine_info is not None)
        info, buyer = core.agent.bench.engine_info, await _buyer(core, folder)
        assert info is not None
        async with _client(info.address.removeprefix("unix://")) as client:
            taken = await _freezes(core, client, await _running(core, buyer, folder), rounds)
            await core.service.stop_jobs()
            await _until(lambda: not core.agent.jobs.runs())
            await core.service.resume()
            freed = [await _ended(core, client, buyer, folder) for _ in range(stops)]
        told = core.agent.status().handback
        await buyer.close()
    finally:
        await core.close()
    return _figures(taken, freed, told)


def _settings() -> Settings:
    settings = Settings()
    # Whatever else this computer is used for meanwhile is no reason here.
    presence = replace(
        settings.presence,
        grace_s=GRACE_S,
        settle_s=0,
        unknown_signals="ignore",
        full_screen=False,
        presentation=False,
        memory_free_mib=0,
    )
    jobs = replace(settings.jobs, disk_gib=1, stop_grace_s=NOTICE_S)
    return replace(settings, jobs=jobs, presence=presence, cards=replace(settings.cards, simulated=1))


def _figures(taken: Taken, freed: list[float], told: HandBackFigures) -> list[Figure]:
    topic, ended = "The machine first: until a job stands still", "The machine first: until the card is free"
    within = FROZEN_WITHIN_MS
    return [
        of_runs(topic, "from Pause", taken.paused, "ms"),
        Figure(topic, "from Pause, 95 of 100 within", p95(taken.paused), "ms", within),
        of_runs(topic, "from a reading that is too hot", taken.gated, "ms"),
        Figure(topic, "from that reading, 95 of 100 within", p95(taken.gated), "ms", within),
        Figure(topic, "as the application told, 95 of 100 within", told.frozen.p95_ms or 0, "ms", within),
        of_runs(topic, "by hand: the engine's own pause", taken.by_hand, "ms"),
        Figure(topic, "by hand, 95 of 100 within", p95(taken.by_hand), "ms"),
        of_runs(ended, f"a job that will not end, {GRACE_S} s of grace", freed, "ms"),
        Figure(ended, "the slowest", max(freed), "ms", GRACE_S * 1000 + FREED_MARGIN_MS),
    ]


def _client(socket: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=socket)
    return httpx.AsyncClient(transport=transport, base_url="http://engine/v4.0.0/libpod", timeout=60)


def p95(values: Sequence[float]) -> float:
    """A value that was measured."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


@dataclass(frozen=True)
class Box:
    """One running container as the kernel sees it."""

    name: str
    pid: int
    state: Path
    frozen: str

    def is_frozen(self) -> bool:
        return self.frozen in self.state.read_text("ascii")

    def is_gone(self) -> bool:
        return not Path(f"/proc/{self.pid}").exists()


async def _box(client: httpx.AsyncClient, lease: Lease) -> Box:
    """Where the kernel says whether it stands still; the old control groups and the new have different words for it."""
    found = (await client.get(f"/containers/{lease.container_name}/json")).raise_for_status().json()
    pid = int(found["State"]["Pid"])
    groups = dict(line.split(":", 2)[1:] for line in Path(f"/proc/{pid}/cgroup").read_text("ascii").splitlines())
    if "freezer" in groups:
        file = Path("/sys/fs/cgroup/freezer") / groups["freezer"].lstrip("/") / "freezer.state"
        return Box(lease.container_name, pid, file, "FROZEN")
    file = Path("/sys/fs/cgroup") / groups[""].lstrip("/") / "cgroup.events"
    return Box(lease.container_name, pid, file, "frozen 1")


@dataclass
class Taken:
    """What each round brought, in milliseconds: ours, and its peer."""

    paused: list[float] = field(default_factory=list)
    gated: list[float] = field(default_factory=list)
    by_hand: list[float] = field(default_factory=list)


async def _freezes(core: Core, client: httpx.AsyncClient, lease: Lease, rounds: int) -> Taken:
    """In turn by the owner's Pause and by a rule that says no; one by hand beside each."""
    box, taken = await _box(client, lease), Taken()
    for number in range(rounds):
        # Not in step with anything that the application does once a second.
        await asyncio.sleep(0.05 + number * 0.618 % 1 * 0.2)
        if number % 2:
            taken.gated.append(await _timed(box.is_frozen, _too_hot(core, True)))
            await _too_hot(core, False)()
        else:
            taken.paused.append(await _timed(box.is_frozen, lambda: core.service.pause(None)))
            await core.service.resume()
        await _until(lambda: not box.is_frozen() and core.agent.jobs.runs()[0].lease.frozen_at is None)
        taken.by_hand.append(await _timed(box.is_frozen, lambda: client.post(f"/containers/{box.name}/pause")))
        (await client.post(f"/containers/{box.name}/unpause")).raise_for_status()
    return taken


def _too_hot(core: Core, is_so: bool) -> Callable[[], Awaitable[None]]:
    """A limit below what the card has, and the reading that shows it, as the sampler would publish it."""

    async def act() -> None:
        bench = core.agent.bench
        limit_c = 1 if is_so else Settings().cards.temperature_limit_c
        bench.settings = replace(bench.settings, cards=replace(bench.settings.cards, temperature_limit_c=limit_c))
        bench.events.publish(ReadingsTaken(tuple(bench.readings.values())))

    return act


async def _timed(is_done: Callable[[], bool], act: Callable[[], Awaitable[object]], patience_s: float = 10.0) -> float:
    """From the call to what it leads to, watched from another thread."""
    began = time.perf_counter()
    watching = asyncio.ensure_future(asyncio.to_thread(_seen_at, is_done, began + patience_s))
    await act()
    return (await watching - began) * 1000


def _seen_at(is_done: Callable[[], bool], end: float) -> float:
    while not is_done():
        if time.perf_counter() > end:
            raise TimeoutError
        time.sleep(0.0005)
    return time.perf_counter()


async def _ended(core: Core, client: httpx.AsyncClient, buyer: BuyerClient, folder: Path) -> float:
    """A rule that says no and goes on saying it, to a job that does not want to end."""
    box = await _box(client, await _running(core, buyer, folder))
    try:
        return await _timed(box.is_gone, _too_hot(core, True), PATIENCE_S)
    finally:
        await _until(lambda: not core.agent.jobs.runs())
        await _too_hot(core, False)()


async def _running(core: Core, buyer: BuyerClient, folder: Path) -> Lease:
    draft = read_job(folder / "job.toml")
    await buyer.submit(draft.spec((await buyer.connect()).currency), draft.files)
    await _until(lambda: any(run.lease.state is JobState.RUNNING for run in core.agent.jobs.runs()))
    return core.agent.jobs.runs()[0].lease


async def _buyer(core: Core, folder: Path) -> BuyerClient:
    (folder / "job.toml").write_text(JOB, "utf-8")
    build_busybox(folder / "image.tar")
    market = await core.agent.market(LOCAL_MARKET)
    buyer = BuyerClient(market.url, load_or_create(folder / "buyer.key"), core.clock)
    await buyer.connect()
    return buyer


async def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        await asyncio.sleep(0.01)
