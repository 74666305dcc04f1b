"""From the accepted lease to the job's first instruction, beside the same container made by hand."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Callable
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
from argentum_desktop.identity.keys import load_or_create
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


def measure(folder: Path, rounds: int = ROUNDS) -> list[Figure]:
    """Jobs through the whole application, and bare containers between them."""
    return asyncio.run(_measure(folder, rounds))


async def _measure(folder: Path, rounds: int) -> list[Figure]:
    home = Home(folder / "claim")
    home.create()
    settings = Settings()
    jobs = replace(settings.jobs, disk_gib=1, stop_grace_s=1)
    core = Core(home, replace(settings, jobs=jobs, cards=replace(settings.cards, simulated=1)))
    await core.open()
    try:
        await _until(lambda: core.agent.bench.engine_info is not None)
        return await _in_turn(core, folder, rounds)
    finally:
        await core.close()


async def _in_turn(core: Core, folder: Path, rounds: int) -> list[Figure]:
    buyer, bench = await _buyer(core, folder), core.agent.bench
    assert bench.engine is not None
    assert bench.engine_info is not None
    engine, socket = bench.engine, bench.engine_info.address.removeprefix("unix://")
    # Not the jobs' images, which go with each job.
    image_id = await engine.load_image(build_busybox(folder / "bare.tar", author="somebody else").path)
    courses: list[Course] = []
    bench.engine = _WatchedEngine(engine, lambda: courses[-1])  # type: ignore[assignment]
    bench.events.subscribe(LeaseMoved, lambda event: _note(core, courses, event))
    taken = Taken(courses)
    try:
        async with _client(socket) as client:
            for number in range(rounds + 1):
                if number == 1:
                    taken.forget()  # the first of each was to warm up
                place = folder / f"round-{number}"
                taken.bare.append(await _bare(client, image_id, place / "bare"))
                await _one_job(core, buyer, folder)
                taken.loaded.append(await _bare_with_load(client, place / "loaded", number))
                taken.run.append(await asyncio.to_thread(_podman_run, core.home, image_id, place / "run"))
    finally:
        await buyer.close()
        await engine.remove_image(image_id)
    return _figures(taken)


@dataclass
class Taken:
    """What each round brought, in milliseconds: ours, and its peers."""

    courses: list[Course]
    bare: list[float] = field(default_factory=list)
    loaded: list[float] = field(default_factory=list)
    run: list[float] = field(default_factory=list)

    def forget(self) -> None:
        for runs in (self.courses, self.bare, self.loaded, self.run):
            runs.clear()


def _figures(taken: Taken) -> list[Figure]:
    steps = [course.steps_ms() for course in taken.courses]
    total = [course.total_ms() for course in taken.courses]
    box = [course.box_ms() for course in taken.courses]
    topic = "From the accepted lease to the job's first instruction"
    peers = "The same in ratios, each to its neighbour in the same round"
    return [
        *(of_runs(topic, name, [step[name] for step in steps], "ms") for name in steps[0]),
        of_runs(topic, "all of it", total, "ms"),
        of_runs(topic, "by hand: create, start", taken.bare, "ms"),
        of_runs(topic, "by hand: load, create, start", taken.loaded, "ms"),
        of_runs(topic, "by hand: podman run", taken.run, "ms"),
        of_runs(peers, "our create and start / by hand", _ratios(box, taken.bare), "×", MOST_TIMES_BARE),
        of_runs(peers, "all of it / load, create, start by hand", _ratios(total, taken.loaded), "×"),
        of_runs(peers, "all of it / create, start by hand", _ratios(total, taken.bare), "×", MOST_TIMES_BARE),
        of_runs(peers, "all of it / podman run", _ratios(total, taken.run), "×"),
    ]


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


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
    # The buyer asks on the same loop, and must not be in the way of what is measured: it waits for the agent first.
    await _until(lambda: bool(core.agent.jobs.runs()))
    await _until(lambda: not core.agent.jobs.runs())
    while not (job := await buyer.job(job.job_id)).phase.is_terminal:
        await asyncio.sleep(0.1)
    assert job.exit_code == 0, job.reason


def _client(socket: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=socket)
    return httpx.AsyncClient(transport=transport, base_url="http://engine/v4.0.0/libpod", timeout=60)


async def _bare(client: httpx.AsyncClient, image_id: str, folder: Path) -> float:
    """The same box through the same interface, with nothing before, between or after."""
    spec = _box(image_id, folder)
    began = time.time_ns()
    try:
        (await client.post("/containers/create", json=podman_create(spec))).raise_for_status()
        (await client.post(f"/containers/{spec.name}/start")).raise_for_status()
        await _until((folder / "out" / MARK).exists)
        return _mark_ms(folder / "out", began)
    finally:
        await client.delete(f"/containers/{spec.name}", params={"force": "true", "timeout": "0"})


async def _bare_with_load(client: httpx.AsyncClient, folder: Path, number: int) -> float:
    """The same with an image that the engine has to take first, as it has to for each job."""
    folder.mkdir(parents=True)
    image = build_busybox(folder / "image.tar", author=f"round {number}")
    content, began = image.path.read_bytes(), time.time_ns()
    (await client.post("/images/load", content=content)).raise_for_status()
    loaded_ms = (time.time_ns() - began) / 1e6
    image_id = image.config_digest.removeprefix("sha256:")
    try:
        return loaded_ms + await _bare(client, image_id, folder)
    finally:
        (await client.delete(f"/images/{image_id}")).raise_for_status()


def _box(image_id: str, folder: Path) -> SandboxSpec:
    inputs, outputs = folder / "in", folder / "out"
    inputs.mkdir(parents=True)
    outputs.mkdir()
    outputs.chmod(0o777)
    return SandboxSpec(
        name=f"argentum-bench-{time.monotonic_ns()}",
        image_id=image_id,
        command=COMMAND,
        env=(),
        labels=(),
        binds=(Bind(inputs, "/in", writable=False), Bind(outputs, "/out", writable=True)),
        memory_bytes=MEMORY_MIB * MIB,
        cpu_millis=1000,
        pids=PIDS,
        file_bytes=DISK_MIB * MIB,
        wall_s=WALL_S,
        seccomp_profile=resource("seccomp", "argentum.json"),
    )


def _podman_run(home: Home, image_id: str, folder: Path) -> float:
    """As anybody would type it, with the settings for this machine that the application's own service has."""
    folder.mkdir(parents=True)
    environment = {**os.environ, "CONTAINERS_CONF": str(home.engine / "containers.conf")}
    command = ["podman", "run", "--rm", "--network=none", "-v", f"{folder}:/out", image_id, *COMMAND]
    began = time.time_ns()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"podman run: {done.stderr.strip()[-300:]}")
    return _mark_ms(folder, began)


def _mark_ms(outputs: Path, began_ns: int) -> float:
    """Until the job made its file. The kernel's stamps move in steps of a few milliseconds, the same for all."""
    return ((outputs / MARK).stat().st_mtime_ns - began_ns) / 1e6


async def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        await asyncio.sleep(0.02)
