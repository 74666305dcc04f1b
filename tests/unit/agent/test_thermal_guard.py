"""Power limits that follow heat and hours, and are always set back: over a sensor that keeps what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benches import BenchWithClock, a_bench
from fake_market import FakeMarket
from samples import GPU, NOON, lease, reading

from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.status import CheckupView
from argentum_desktop.agent.thermal_guard import AGAIN_AFTER_S, ThermalGuard
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.health import CheckMode, Stage
from argentum_desktop.errors import SensorError
from argentum_desktop.gpus.power_limits import NO_PERMISSION, out_of_range
from argentum_desktop.gpus.watched_sensor import CardsFound
from argentum_desktop.settings.schema import Settings
from argentum_desktop.store import power_limits
from argentum_desktop.telemetry.sampler import ReadingsTaken

OWN_MW = 200_000
LIMIT_C = 80


class Driver:
    """One card's power limit as a driver keeps it, whoever asks: stands where the sensor stands."""

    def __init__(self) -> None:
        self.limit_mw: int | None = OWN_MW
        self.lowest_mw = 100_000
        self.refusal = ""
        self.is_gone = False
        self.history: list[int] = []

    async def power_limit_mw(self, gpu_id: str) -> int | None:
        return self.limit_mw

    async def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        if self.is_gone:
            raise SensorError("The graphics driver has not answered.")
        refusal = self.refusal or out_of_range(power_mw, self.lowest_mw, None)
        if not refusal:
            self.limit_mw = power_mw
            self.history.append(power_mw)
        return refusal


class Scene:
    """A guard at work over one card and at most one job."""

    def __init__(self, here: BenchWithClock, driver: Driver) -> None:
        self.here, self.driver, self.notices = here, driver, NoticeBoard()
        self.runs: list[JobRun] = []
        self.guard = ThermalGuard(here.bench, here.database, driver, self.notices, lambda: self.runs)  # type: ignore[arg-type]

    def begin_job(self) -> JobRun:
        run = JobRun(lease(), FakeMarket(), self.here.bench)
        self.runs.append(run)
        return run

    async def readings(self, temperature_c: int, seconds: int = 1) -> None:
        """One reading a second; each has been acted upon when the next comes."""
        bench = self.here.bench
        for _ in range(seconds):
            taken = replace(reading(temperature_c=temperature_c), taken_at=bench.clock.now())
            bench.readings[GPU.gpu_id] = taken
            bench.events.publish(ReadingsTaken((taken,)))
            await self.settle()
            await self.here.clock.advance(1)

    async def settle(self) -> None:
        """The database answers from its own thread."""
        for _ in range(4):
            await self.here.clock.settle()
            await self.here.database.read(lambda _: None)
        await self.here.clock.settle()

    async def written(self) -> dict[str, int]:
        return await self.here.database.read(power_limits.load)

    @property
    def told(self) -> list[str]:
        return [notice.message for notice in self.notices.all()]


def settings(lower_percent: int = 20, windows: tuple[OwnersWindow, ...] | None = None) -> Settings:
    made = Settings()
    cards = replace(made.cards, temperature_limit_c=LIMIT_C, lower_power_percent=lower_percent)
    availability = made.availability if windows is None else replace(made.availability, windows=windows)
    return replace(made, cards=cards, availability=availability)


@asynccontextmanager
async def a_scene(folder: Path, driver: Driver, **choices: Any) -> AsyncIterator[Scene]:
    async with a_bench(folder, settings=settings(**choices)) as here:
        scene = Scene(here, driver)
        await scene.guard.load()
        working = asyncio.create_task(scene.guard.run())
        try:
            yield scene
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


@pytest.fixture
def driver() -> Driver:
    return Driver()


async def test_a_hot_card_gets_less_power_before_its_job_is_frozen(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(70, 3)
        assert driver.history == []
        await scene.readings(78, 1)
        assert driver.history == [190_000]
        assert await scene.written() == {GPU.gpu_id: OWN_MW}
        await scene.readings(80, 1)
        assert driver.history == [190_000, 160_000]
        assert scene.here.bench.cooling == {GPU.gpu_id}
        await scene.readings(81, 14)
        assert scene.here.bench.cooling == {GPU.gpu_id}
        await scene.readings(81, 2)
        assert scene.here.bench.cooling == set()


async def test_it_gets_its_power_back_when_it_stays_cool_or_the_job_is_gone(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 1)
        await scene.readings(70, 62)
        assert driver.history == [160_000, 170_000]
        scene.runs.clear()
        await scene.readings(70, 1)
        assert driver.limit_mw == OWN_MW
        assert await scene.written() == {}


async def test_a_frozen_job_leaves_the_owner_all_the_power(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        run = scene.begin_job()
        await scene.readings(80, 1)
        run.lease = replace(run.lease, frozen_at=NOON)
        await scene.readings(80, 1)
        assert driver.limit_mw == OWN_MW
        run.lease = replace(run.lease, frozen_at=None)
        await scene.readings(74, 1)
        assert driver.limit_mw == 160_000


async def test_a_card_that_works_for_nobody_here_is_left_alone(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        await scene.readings(95, 5)
        assert driver.history == []


async def test_a_windows_limit_holds_in_its_hours_and_not_during_a_check(tmp_path: Path, driver: Driver) -> None:
    noon = OwnersWindow(OwnersWindow.parse("daily 12:00-13:01").when, power_limit_w=150)
    async with a_scene(tmp_path, driver, windows=(noon,)) as scene:
        await scene.readings(50, 2)
        assert driver.history == [150_000]
        view = CheckupView(GPU.gpu_id, CheckMode.QUICK, Stage.MEMORY, "", 0, 0, NOON)
        scene.here.bench.checkups[GPU.gpu_id] = view
        await scene.readings(50, 1)
        assert driver.limit_mw == OWN_MW
        scene.here.bench.checkups.clear()
        await scene.readings(50, 1)
        assert driver.limit_mw == 150_000
        await scene.here.clock.advance(120)
        await scene.readings(50, 1)
        assert driver.limit_mw == OWN_MW
        assert await scene.written() == {}


async def test_a_refusal_is_told_once_and_the_job_frozen_without_delay(tmp_path: Path, driver: Driver) -> None:
    driver.refusal = NO_PERMISSION
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(78, 1)
        assert scene.told == [f"{GPU.label}: {NO_PERMISSION}"]
        assert await scene.written() == {}
        driver.refusal = ""  # nobody asks again
        await scene.readings(80, 20)
        assert driver.history == []
        assert scene.here.bench.cooling == set()
        scene.here.bench.events.publish(CardsFound(()))
        await scene.readings(78, 2)
        assert driver.history == [190_000]
        assert scene.told == []


async def test_a_card_that_cannot_go_so_low_goes_as_low_as_it_can(tmp_path: Path, driver: Driver) -> None:
    driver.lowest_mw = 175_000
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 4)
        assert driver.history == [180_000]
        assert scene.told == [f"{GPU.label}: This card takes a power limit of at least 175 W, not 170 W."]
        scene.runs.clear()
        await scene.readings(60, 1)
        assert driver.limit_mw == OWN_MW


async def test_a_windows_limit_that_is_refused_is_told_and_the_card_keeps_its_own(
    tmp_path: Path, driver: Driver
) -> None:
    always = OwnersWindow(OwnersWindow.parse("daily 00:00-24:00").when, power_limit_w=50)
    async with a_scene(tmp_path, driver, windows=(always,)) as scene:
        await scene.readings(50, 3)
        assert driver.history == []
        assert scene.told == [f"{GPU.label}: This card takes a power limit of at least 100 W, not 50 W."]


async def test_a_card_that_does_not_tell_its_limit_is_not_changed(tmp_path: Path, driver: Driver) -> None:
    driver.limit_mw = None
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 3)
        assert driver.history == []
        assert "does not let its power limit be changed" in scene.told[0]


async def test_the_end_of_the_application_sets_it_back(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 1)
        await scene.guard.restore()
        assert driver.limit_mw == OWN_MW
        assert await scene.written() == {}


async def test_after_a_crash_the_next_start_sets_it_back(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 1)
        assert driver.limit_mw == 160_000
    async with a_scene(tmp_path, driver) as scene:
        assert await scene.written() == {GPU.gpu_id: OWN_MW}
        scene.here.bench.events.publish(CardsFound(()))
        await scene.settle()
        assert driver.limit_mw == OWN_MW
        assert await scene.written() == {}


async def test_what_was_lowered_is_never_taken_for_the_original(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 1)
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(78, 1)
        assert driver.limit_mw == 190_000
        await scene.guard.restore()
        assert driver.limit_mw == OWN_MW


async def test_a_new_sensor_is_told_anew(tmp_path: Path, driver: Driver) -> None:
    """The driver may have been loaded anew, and have forgotten what it was told."""
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        await scene.readings(80, 1)
        driver.limit_mw = OWN_MW
        scene.here.bench.events.publish(CardsFound(()))
        await scene.settle()
        assert driver.limit_mw == 160_000


async def test_a_driver_that_does_not_answer_is_asked_again(tmp_path: Path, driver: Driver) -> None:
    async with a_scene(tmp_path, driver) as scene:
        scene.begin_job()
        driver.is_gone = True
        await scene.readings(80, 1)
        assert await scene.written() == {GPU.gpu_id: OWN_MW}
        await scene.guard.restore()
        assert await scene.written() == {GPU.gpu_id: OWN_MW}
        driver.is_gone = False
        await scene.here.clock.advance(AGAIN_AFTER_S)
        await scene.settle()
        assert driver.limit_mw == 160_000
