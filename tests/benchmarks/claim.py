"""From the accepted lease to the job's first instruction, beside the same container made by hand."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from figures import Figure, of_runs
from oci_images import build_busybox

from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.app.core import LOCAL_MARKET, Core
from argentum_desktop.buyer.client import BuyerClient
from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.domain.job import MIB, JobState
from argentum_desktop.marketplace.identity import load_or_create
from argentum_desktop.paths import Home
from argentum_desktop.resources import resource
from argentum_desktop.runner.engine import ContainerEngine
from argentum_desktop.runner.podman_spec import podman_create
from argentum_desktop.runner.sandbox import Bind, SandboxSpec
from argentum_desktop.settings.schema import Settings

ROUNDS = 7
PATIENCE_S = 60.0
MOST_TIMES_BARE = 1.15
MARK = "begun"
COMMAND = ("/bin/busybox", "touch", f"/out/{MARK}")
MEMORY_MIB, DISK_MIB, PIDS, WALL_S = 64, 8, 16, 60
JOB = f"""title = "The first instruction"
image = "image.tar"
command = {json.dumps(COMMAND)}
output = "results"
max_price_per_hour = "0.40"
[limits]
gpus = 0
memory_mib = {MEMORY_MIB}
disk_mib = {DISK_MIB}
pids = {PIDS}
wall_s = {WALL_S}
"""


@dataclass
class Course:
    """When what happened to one job, in seconds since 1970."""

    entered: dict[JobState, float] = field(default_factory=dict)
    load_from: float = 0.0
    load_until: float = 0.0
    begun: float = 0.0

    def steps_ms(self) -> dict[str, float]:
        at = self.entered
        return {
            "accept": (at[JobState.PREPARING] - at[JobState.ACCEPTING]) * 1000,
            "fetch the image": (self.load_from - at[JobState.PREPARING]) * 1000,
            "load the image": (self.load_until - self.load_from) * 1000,
            "create": (at[JobState.STARTING] - self.load_until) * 1000,
            "start, to the first instruction": (self.begun - at[JobState.STARTING]) * 1000,
        }

    def total_ms(self) -> float:
        return (self.begun - self.entered[JobState.ACCEPTING]) * 1000

    def box_ms(self) -> float:
        """The part that a bare create and start is made of too."""
        return (self.begun - self.load_until) * 1000


class _WatchedEngine:
    """The application's own engine, with the loading of images timed."""

    def __init__(self, engine: ContainerEngine, course: Callable[[], Course]) -> None:
        self._engine = engine
        self._course = course

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def load_image(self, archive: Path, wanted_digest: str | None = None) -> str:
        self._course().load_from = time.time_ns() / 1e9
        try:
            return await self._engine.load_image(archive, wanted_digest)
        finally:
            self._course().load_until = time.time_ns() / 1e9


def measure(folder: Path) -> list[Figure]:
    """Jobs through the whole application, and bare containers between them."""
    return asyncio.run(_measure(folder))


async def _measure(folder: Path) -> list[Figure]:
    home = Home(folder / "claim")
    home.create()
    settings = Settings()
    jobs = replace(settings.jobs, disk_gib=1, stop_grace_s=1)
    core = Core(home, replace(settings, jobs=jobs, cards=replace(settings.cards, simulated=1)))
    await core.open()
    try:
        await _until(lambda: core.agent.bench.engine_info is not None)
        return await _in_turn(core, folder)
    finally:
        await core.close()


async def _in_turn(core: Core, folder: Path) -> list[Figure]:
    buyer = await _buyer(core, folder)
    bench = core.agent.bench
    assert bench.engine is not None
    assert bench.engine_info is not None
    # Not the jobs' image, which goes with each job.
    other = build_busybox(folder / "bare.tar", author="somebody else")
    image_id = await bench.engine.load_image(other.path)
    courses: list[Course] = []
    bench.engine = _WatchedEngine(bench.engine, lambda: courses[-1])  # type: ignore[assignment]
    bench.events.subscribe(LeaseMoved, lambda event: _note(core, courses, event))
    bare, run = [], []
    transport = httpx.AsyncHTTPTransport(uds=bench.engine_info.address.removeprefix("unix://"))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://engine/v4.0.0/libpod", timeout=60) as client:
            await _bare(client, image_id, folder / "warm-up")
            await _one_job(core, buyer, folder)
            courses.clear()
            for number in range(ROUNDS):
                bare.append(await _bare(client, image_id, folder / f"bare-{number}"))
                await _one_job(core, buyer, folder)
                run.append(await asyncio.to_thread(_podman_run, core.home, image_id, folder / f"run-{number}"))
    finally:
        await buyer.close()
        await bench.engine.remove_image(image_id)
    return _figures(courses, bare, run)


def _figures(courses: list[Course], bare: list[float], run: list[float]) -> list[Figure]:
    topic = "From the accepted lease to the job's first instruction"
    steps = [course.steps_ms() for course in courses]
    total = [course.total_ms() for course in courses]
    ratios = [ours / theirs for ours, theirs in zip(total, bare, strict=True)]
    box = [course.box_ms() / theirs for course, theirs in zip(courses, bare, strict=True)]
    return [
        *(of_runs(topic, name, [step[name] for step in steps], "ms") for name in steps[0]),
        of_runs(topic, "all of it", total, "ms"),
        of_runs(topic, "bare create and start of the same box", bare, "ms"),
        of_runs(topic, "bare `podman run`, no network", run, "ms"),
        of_runs(topic, "all of it, times bare create and start", ratios, "×", MOST_TIMES_BARE),
        of_runs(topic, "our create and start, times the bare one", box, "×", MOST_TIMES_BARE),
        of_runs(topic, "all of it, times `podman run`", [a / b for a, b in zip(total, run, strict=True)], "×"),
    ]


def _note(core: Core, courses: list[Course], event: LeaseMoved) -> None:
    lease = event.lease
    if lease.state is JobState.ACCEPTING:
        courses.append(Course())
    courses[-1].entered.setdefault(lease.state, time.time_ns() / 1e9)
    mark = core.home.jobs / lease.lease_id / "out" / MARK
    if not courses[-1].begun and mark.exists():
        courses[-1].begun = mark.stat().st_mtime_ns / 1e9


async def _buyer(core: Core, folder: Path) -> BuyerClient:
    (folder / "job.toml").write_text(JOB, "utf-8")
    build_busybox(folder / "image.tar")
    market = await core.agent.market(LOCAL_MARKET)
    buyer = BuyerClient(market.url, load_or_create(folder / "buyer.key"), core.clock)
    await buyer.connect()
    return buyer


async def _one_job(core: Core, buyer: BuyerClient, folder: Path) -> None:
    draft = read_job(folder / "job.toml")
    job = await buyer.submit(draft.spec((await buyer.connect()).currency), draft.files)
    while not (job := await buyer.job(job.job_id)).phase.is_terminal:
        await asyncio.sleep(0.1)
    assert job.exit_code == 0, job.reason
    await _until(lambda: not core.agent.runs())


async def _bare(client: httpx.AsyncClient, image_id: str, folder: Path) -> float:
    """The same box through the same interface, with nothing before, between or after."""
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "out").chmod(0o777)
    spec = SandboxSpec(
        name=f"argentum-bench-{time.monotonic_ns()}",
        image_id=image_id,
        command=COMMAND,
        env=(),
        labels=(),
        binds=(Bind(folder / "in", "/in", writable=False), Bind(folder / "out", "/out", writable=True)),
        memory_bytes=MEMORY_MIB * MIB,
        cpu_millis=1000,
        pids=PIDS,
        file_bytes=DISK_MIB * MIB,
        wall_s=WALL_S,
        seccomp_profile=resource("seccomp", "argentum.json"),
    )
    body = podman_create(spec)
    began = time.time_ns() / 1e9
    try:
        (await client.post("/containers/create", json=body)).raise_for_status()
        (await client.post(f"/containers/{spec.name}/start")).raise_for_status()
        await _until((folder / "out" / MARK).exists)
        return ((folder / "out" / MARK).stat().st_mtime_ns / 1e9 - began) * 1000
    finally:
        await client.delete(f"/containers/{spec.name}", params={"force": "true", "timeout": "0"})


def _podman_run(home: Home, image_id: str, folder: Path) -> float:
    """As anybody would type it, with the settings for this machine that the application's own service has."""
    folder.mkdir()
    environment = {**os.environ, "CONTAINERS_CONF": str(home.engine / "containers.conf")}
    command = ["podman", "run", "--rm", "--network=none", "-v", f"{folder}:/out", image_id, *COMMAND]
    began = time.time_ns() / 1e9
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"podman run: {done.stderr.strip()[-300:]}")
    return ((folder / MARK).stat().st_mtime_ns / 1e9 - began) * 1000


async def _until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        await asyncio.sleep(0.02)
