"""The main job once, from offer to earnings, on this computer alone: what `make run` shows."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtWidgets import QApplication

from argentum_desktop.agent.status import Status, StatusChanged
from argentum_desktop.app.core import LOCAL_MARKET, Core
from argentum_desktop.app.desktop import on_qt, run_desktop
from argentum_desktop.app.headless import say
from argentum_desktop.app.questions import look_at_cards
from argentum_desktop.app.service_thread import ServiceThread
from argentum_desktop.app.shell import Desktop
from argentum_desktop.buyer.client import BuyerClient, place_output
from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.buyer.sample import write_sample
from argentum_desktop.clock import Clock
from argentum_desktop.errors import ArgentumError, BadInputError, EngineMissingError
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.marketplace.wire import JobPhase, JobStatus
from argentum_desktop.paths import Home
from argentum_desktop.policy.words import energy
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.display import has_display
from argentum_desktop.ui.picture import save_picture

LOOK_EVERY_S = 0.5
TAKEN_WITHIN_S = 90.0
HINDERED_FOR_S = 10.0
ENGINE_KNOWN_WITHIN_S = 60.0
# The owner's own disk rule is made for real jobs; the sample writes less than a megabyte.
DEMO_DISK_GIB = 1
JOB_FAILED = 1


@dataclass(frozen=True)
class Samples:
    """How many sample jobs, one after another, and how much work each is."""

    count: int
    scale: float


def run_demo(home: Home, settings: Settings, samples: Samples, *, picture: Path | None, no_screen: bool) -> int:
    """Submit sample jobs to the market of this computer and watch it being earned.

    With a display: the tray and the window, until the owner quits. Without: words, a summary and a picture.

    Raises:
        ArgentumError: something on the way cannot be had, and what to do.
    """
    if picture is not None:
        _require_place(picture)
    settings = asyncio.run(_for_demo(settings))
    if has_display() and not no_screen:
        say("The window is open; a sample job runs. Quit from the tray or the window.")
        return run_desktop(home, settings, hidden=False, beside=lambda core: sell_samples(core, samples))
    thread = ServiceThread(lambda: Core(home, settings))
    core = thread.start()
    try:
        code = thread.submit(_sold_aloud(core, samples)).result()
        _draw(thread, settings, picture or home.root / "dashboard.png")
    finally:
        thread.stop()
    return code


async def sell_samples(core: Core, samples: Samples) -> JobStatus:
    """Be the buyer: write the sample job, submit it, wait for its end, fetch what it made; the last one's status.

    Raises:
        ArgentumError: it cannot be submitted, or nobody takes it.
    """
    await _until_engine_known(core)
    hindrance = _engine_missing(core)
    if hindrance is not None:
        raise hindrance
    folder = core.home.root / "sample"
    draft = read_job(await asyncio.to_thread(write_sample, folder, scale=samples.scale))
    market = await core.agent.market(LOCAL_MARKET)
    identity = await asyncio.to_thread(load_or_create, folder / "buyer.key")
    client = BuyerClient(market.url, identity, core.clock)
    try:
        meta = await client.connect()
        for _ in range(max(1, samples.count)):
            status = await client.submit(draft.spec(meta.currency), draft.files)
            status = await _until_over(client, status, core.clock, core)
        for output in status.outputs:
            await place_output(client, status.job_id, output, draft.output, overwrite=True)
        return status
    finally:
        await client.close()


async def _until_over(client: BuyerClient, status: JobStatus, clock: Clock, core: Core) -> JobStatus:
    begun_s = free_s = clock.elapsed_s()
    while not status.phase.is_terminal:
        await clock.sleep(LOOK_EVERY_S)
        status = await client.job(status.job_id)
        now_s, hindrance = clock.elapsed_s(), _hindrance(core)
        if status.phase is not JobPhase.QUEUED or hindrance is None:
            free_s = now_s
        elif now_s - free_s > HINDERED_FOR_S:
            await _take_back(client, status)
            raise hindrance
        if status.phase is JobPhase.QUEUED and now_s - begun_s > TAKEN_WITHIN_S:
            await _take_back(client, status)
            raise ArgentumError("The sample job was not taken.", core.agent.status().sentence)
    return status


def _hindrance(core: Core) -> ArgentumError | None:
    """Why the job cannot run here at present; None when it only has to wait."""
    cards = core.agent.status().cards
    if not cards or not all(card.because for card in cards):
        return _engine_missing(core)
    return _engine_missing(core) or ArgentumError(f"The sample job cannot run: {cards[0].because}", cards[0].remedy)


def _engine_missing(core: Core) -> EngineMissingError | None:
    for notice in core.agent.status().notices:
        if notice.code == EngineMissingError.code:
            return EngineMissingError(notice.message, notice.remedy)
    return None


async def _until_engine_known(core: Core) -> None:
    """It takes a second to answer, and to be sure that there is none may take longer."""
    until_s = core.clock.elapsed_s() + ENGINE_KNOWN_WITHIN_S
    bench = core.agent.bench
    while bench.engine_info is None and not bench.engine_problem and core.clock.elapsed_s() < until_s:
        await core.clock.sleep(0.1)


async def _take_back(client: BuyerClient, status: JobStatus) -> None:
    """Leave no job behind that would run some other day."""
    with suppress(ArgentumError):
        await client.cancel(status.job_id)


def _require_place(picture: Path) -> None:
    """Before half a minute of work, not after it."""
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"The picture {picture} cannot be written ({error.strerror}).", "Name another place with --picture."
        ) from error
    if picture.is_dir():
        raise BadInputError(f"The picture {picture} cannot be written: it is a folder.", "Name a file with --picture.")


async def _for_demo(settings: Settings) -> Settings:
    """The owner's settings, on the local market; a simulated card takes the place of a missing one."""
    jobs = replace(settings.jobs, disk_gib=min(settings.jobs.disk_gib, DEMO_DISK_GIB))
    settings = replace(settings, market=replace(settings.market, url=""), jobs=jobs)
    reports, _ = await look_at_cards(settings)
    for report in reports:
        for gpu in report.gpus:
            say(f"Found {gpu.label}.")
    if any(report.gpus for report in reports):
        return settings
    why = next((report.problem for report in reports if report.problem), "No card was found.")
    say(f"{why} A simulated card takes its place, and is labelled so.")
    return replace(settings, cards=replace(settings.cards, simulated=1))


async def _sold_aloud(core: Core, samples: Samples) -> int:
    """Sell the sample, telling each step, and sum up."""
    hottest: list[int] = []

    def tell(event: StatusChanged) -> None:
        say(f"  {event.status.sentence}")

    await _until_engine_known(core)
    say(f"Engine: {core.agent.status().engine or core.agent.bench.engine_problem}")
    unsubscribe = core.service.events.subscribe(StatusChanged, tell)
    watching = asyncio.ensure_future(_hottest(core, hottest))
    try:
        job = await sell_samples(core, samples)
        await _until_settled(core)
    finally:
        unsubscribe()
        watching.cancel()
    _sum_up(job, core.agent.status(), max(hottest, default=None), core.home.root / "sample" / "output")
    return 0 if job.phase is JobPhase.SUCCEEDED else JOB_FAILED


async def _hottest(core: Core, temperatures: list[int]) -> None:
    while True:
        readings = core.agent.bench.readings.values()
        temperatures.extend(reading.temperature_c for reading in readings if reading.temperature_c is not None)
        await core.clock.sleep(1)


async def _until_settled(core: Core) -> None:
    """The buyer hears of the end a moment before our own books are closed."""
    while core.agent.jobs.runs():
        await core.clock.sleep(0.1)


def _sum_up(job: JobStatus, status: Status, hottest_c: int | None, outputs: Path) -> None:
    today = status.today
    say("")
    say(f"Job          {job.spec.title}: {job.phase}{f' ({job.reason})' if job.reason else ''}")
    say(f"Results      {', '.join(sorted(output.name for output in job.outputs)) or 'none'} in {outputs}")
    say(f"Earned       {today.gross} today, of which {today.fee} fee")
    say(f"Electricity  {today.electricity} for {energy(today.energy_mj)}")
    say(f"Left         {today.net}")
    if hottest_c is not None:
        say(f"Hottest      {hottest_c} °C")


def _draw(thread: ServiceThread, settings: Settings, path: Path) -> None:
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"

    async def draw(application: QApplication) -> None:
        desktop = Desktop(application, thread, settings)
        desktop.window.set_tray_available(True)
        try:
            await save_picture(desktop.window, desktop.bridge, path)
        finally:
            await desktop.close()

    on_qt(draw)
    say(f"Picture      {path}")
