"""The one word and the one sentence for everything that can be, and the whole as text and as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benches import BenchWithClock, a_bench
from fake_market import FakeMarket
from samples import GPU, NOON, eur, job, lease, offer, reading, receipt

from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.agent.market_link import MarketLink
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.report import status_text
from argentum_desktop.agent.sentences import job_words
from argentum_desktop.agent.status import AgentState, CheckupView, Status
from argentum_desktop.agent.status_board import board, view
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import CheckMode, Grade, HealthSummary, Stage
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.reading import Absence
from argentum_desktop.errors import EngineMissingError, NotRunningError
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.feed import MarketConnected, MarketLost
from argentum_desktop.policy.gates import Pause
from argentum_desktop.runner.engine import EngineInfo
from argentum_desktop.settings.schema import Availability, Cards, Settings

NOTHING = Totals.zero("EUR")
OTHER = replace(GPU, gpu_id="GPU-2", name="GeForce RTX 3060")


class Scene:
    """A bench with one market, of which the test says whether it answers."""

    def __init__(self, desk: BenchWithClock) -> None:
        self.desk, self.bench = desk, desk.bench
        self.market, self.notices = FakeMarket(), NoticeBoard()
        self.runs: list[JobRun] = []
        self.links = [MarketLink("m", self.market, self.bench, desk.database, busy=list, accepted=lambda *_: None)]
        self.is_started = True

    def connect(self, currency: str = "EUR") -> None:
        self.market.meta = wire.Meta("The market", (1,), NOON, currency, 50_000, False, "key", 15, 60, 20)
        self.bench.events.publish(MarketConnected(self.market.url, "The market"))

    def status(self) -> Status:
        return board(
            self.bench,
            self.runs,
            self.links,
            self.notices,
            today=NOTHING,
            week=NOTHING,
            earned_today={GPU.gpu_id: eur("1.25")},
            is_started=self.is_started,
        )

    def set_windows(self, *texts: str) -> None:
        windows = tuple(OwnersWindow.parse(text) for text in texts)
        self.bench.settings = Settings(availability=Availability(windows=windows))

    def run(self, **changes: Any) -> JobRun:
        self.runs.append(JobRun(lease(**changes), self.market, self.bench))
        return self.runs[-1]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_bench(tmp_path) as desk:
        made = Scene(desk)
        made.connect()
        yield made


Change = Callable[[Scene], object]


def stop_starting(scene: Scene) -> None:
    scene.is_started = False


def no_link_yet(scene: Scene) -> None:
    scene.links = []


def connecting(scene: Scene) -> None:
    scene.links = [MarketLink("m", scene.market, scene.bench, scene.desk.database, busy=list, accepted=lambda *_: None)]


def market_lost(scene: Scene) -> None:
    scene.bench.events.publish(MarketLost(scene.market.url, "The market does not answer. It is asked again."))


def no_cards(scene: Scene) -> None:
    scene.bench.gpus = {}


def no_engine(scene: Scene) -> None:
    error = EngineMissingError("No container engine answers.", "Install Podman.")
    scene.bench.engine_problem = error.message
    scene.notices.put("engine", error)


def hot(scene: Scene) -> None:
    scene.bench.readings = {GPU.gpu_id: reading(temperature_c=95, utilization_percent=0)}


def taken_off(scene: Scene) -> None:
    scene.bench.settings = Settings(cards=Cards(excluded=(GPU.gpu_id,)))


def one_off_the_other_outside(scene: Scene) -> None:
    scene.bench.gpus = {GPU.gpu_id: GPU, OTHER.gpu_id: OTHER}
    scene.set_windows("daily 22:00-07:00")
    scene.bench.settings = replace(scene.bench.settings, cards=Cards(excluded=(GPU.gpu_id,)))
    scene.bench.readings[OTHER.gpu_id] = reading(gpu_id=OTHER.gpu_id, utilization_percent=0)


def one_hot_the_other_excused(scene: Scene) -> None:
    """Nothing is wrong with the hours: the hot card is what to look at."""
    scene.bench.gpus = {GPU.gpu_id: GPU, OTHER.gpu_id: OTHER}
    scene.bench.readings = {GPU.gpu_id: reading(temperature_c=95, utilization_percent=0)}


def one_hot_the_other_ready(scene: Scene) -> None:
    scene.bench.gpus = {GPU.gpu_id: GPU, OTHER.gpu_id: OTHER}
    scene.bench.readings = {
        GPU.gpu_id: reading(temperature_c=95, utilization_percent=0),
        OTHER.gpu_id: reading(gpu_id=OTHER.gpu_id, utilization_percent=0),
    }


def two_jobs(scene: Scene) -> None:
    scene.run()
    scene.run(offer=offer(lease_id="lse_2", gpu_ids=("GPU-2",)))


def checking(scene: Scene) -> None:
    words = "Writing and reading patterns: 12 done, no errors"
    scene.bench.checkups[GPU.gpu_id] = CheckupView(GPU.gpu_id, CheckMode.QUICK, Stage.MEMORY, words, 30, 40, NOON)


def failed(scene: Scene) -> None:
    reason = "12 words of its memory read back wrong."
    scene.bench.health[GPU.gpu_id] = HealthSummary("r", Grade.F, 60, CheckMode.QUICK, NOON, reason)


def one_checked_the_other_ready(scene: Scene) -> None:
    scene.bench.gpus = {GPU.gpu_id: GPU, OTHER.gpu_id: OTHER}
    scene.bench.readings[OTHER.gpu_id] = reading(gpu_id=OTHER.gpu_id, utilization_percent=0)
    checking(scene)


def one_checked_the_other_at_work(scene: Scene) -> None:
    one_checked_the_other_ready(scene)
    scene.run(offer=offer(lease_id="lse_2", gpu_ids=("GPU-2",)))


SCENES: list[tuple[str, list[Change], AgentState, str]] = [
    ("starting", [stop_starting], AgentState.STARTING, "Connecting to the market."),
    ("no market yet", [no_link_yet], AgentState.STARTING, "Starting."),
    ("connecting", [connecting], AgentState.STARTING, "Connecting to the market."),
    (
        "ready",
        [],
        AgentState.IDLE,
        "1 card is ready and waiting for a job that leaves at least 0.05 EUR an hour.",
    ),
    (
        "one of two ready",
        [one_hot_the_other_ready],
        AgentState.IDLE,
        "1 card is ready and waiting for a job that leaves at least 0.05 EUR an hour.",
    ),
    ("market away", [market_lost], AgentState.ATTENTION, "The market does not answer. It is asked again."),
    ("no card", [no_cards], AgentState.ATTENTION, "No card has been found yet."),
    ("no engine", [no_engine], AgentState.ATTENTION, "No container engine answers. Install Podman."),
    ("hot", [hot], AgentState.ATTENTION, "The card is at 95 °C, your limit is 87 °C. Runs below 87 °C."),
    (
        "two cards with two troubles",
        [one_hot_the_other_excused],
        AgentState.ATTENTION,
        "The card is at 95 °C, your limit is 87 °C. Runs below 87 °C.",
    ),
    (
        "outside hours",
        [lambda scene: scene.set_windows("daily 22:00-07:00")],
        AgentState.OUTSIDE_HOURS,
        "It is outside the hours you set. Runs from 22:00.",
    ),
    (
        "no hours",
        [lambda scene: scene.set_windows()],
        AgentState.OUTSIDE_HOURS,
        "You set no hours in which jobs may run. Add one to availability.windows.",
    ),
    (
        "outside hours and no market",
        [market_lost, lambda scene: scene.set_windows("daily 22:00-07:00")],
        AgentState.OUTSIDE_HOURS,
        "It is outside the hours you set. Runs from 22:00.",
    ),
    (
        "taken off",
        [taken_off],
        AgentState.ATTENTION,
        "You took this card off the market. Remove it from cards.excluded.",
    ),
    (
        "one off, the other outside",
        [one_off_the_other_outside],
        AgentState.OUTSIDE_HOURS,
        "It is outside the hours you set. Runs from 22:00.",
    ),
    (
        "another currency",
        [lambda scene: scene.connect("USD")],
        AgentState.ATTENTION,
        "The market pays in USD; your prices are in EUR. Set prices.currency to USD.",
    ),
    (
        "paused",
        [lambda scene: setattr(scene.bench, "pause", Pause(None))],
        AgentState.PAUSED,
        "Paused until you resume.",
    ),
    (
        "paused for an hour",
        [lambda scene: setattr(scene.bench, "pause", Pause(NOON + timedelta(hours=1)))],
        AgentState.PAUSED,
        "Paused until 14:00.",
    ),
    (
        "paused with a job and without an engine",
        [no_engine, lambda scene: scene.run(), lambda scene: setattr(scene.bench, "pause", Pause(None))],
        AgentState.PAUSED,
        "Paused until you resume.",
    ),
    (
        "a pause that is over",
        [lambda scene: setattr(scene.bench, "pause", Pause(NOON))],
        AgentState.IDLE,
        "1 card is ready and waiting for a job that leaves at least 0.05 EUR an hour.",
    ),
    (
        "working",
        [lambda scene: scene.run()],
        AgentState.WORKING,
        "Mandelbrot: running, at most 60 min left.",
    ),
    ("working in spite of a notice", [no_engine, lambda scene: scene.run()], AgentState.WORKING, "Mandelbrot: running"),
    ("being checked", [checking], AgentState.IDLE, "GeForce RTX 4070: being checked, 40 s left."),
    (
        "being checked and no market",
        [market_lost, checking],
        AgentState.IDLE,
        "GeForce RTX 4070: being checked, 40 s left.",
    ),
    (
        "one checked, the other ready",
        [one_checked_the_other_ready],
        AgentState.IDLE,
        "1 card is ready and waiting for a job that leaves at least 0.05 EUR an hour. GeForce RTX 4070: being checked",
    ),
    (
        "one checked, the other at work",
        [one_checked_the_other_at_work],
        AgentState.WORKING,
        "Mandelbrot: running, at most 60 min left. GeForce RTX 4070: being checked, 40 s left.",
    ),
    (
        "being checked while paused",
        [checking, lambda scene: setattr(scene.bench, "pause", Pause(None))],
        AgentState.PAUSED,
        "Paused until you resume. GeForce RTX 4070: being checked, 40 s left.",
    ),
    (
        "failed",
        [failed],
        AgentState.ATTENTION,
        "The health check of today found a fault: 12 words of its memory read back wrong. Check it again.",
    ),
    ("two jobs", [two_jobs], AgentState.WORKING, "Working on 2 jobs."),
]


@pytest.mark.parametrize(("changes", "state", "sentence"), [entry[1:] for entry in SCENES], ids=[s[0] for s in SCENES])
async def test_each_state_has_its_sentence(
    scene: Scene, changes: list[Change], state: AgentState, sentence: str
) -> None:
    for change in changes:
        change(scene)
    status = scene.status()
    assert status.state is state
    assert status.sentence.startswith(sentence)
    assert status.sentence.endswith(".")
    assert "\n" not in status.sentence


async def test_a_card_says_what_it_does_or_why_not(scene: Scene) -> None:
    scene.bench.gpus = {GPU.gpu_id: GPU, OTHER.gpu_id: OTHER}
    run = scene.run()
    run.progress_percent = 42
    first, second = scene.status().cards
    assert (first.doing, first.because, first.lease_id) == (
        "Mandelbrot: running, 42 %, at most 60 min left", "", "lse_1",
    )  # fmt: skip
    assert first.earned_today == eur("1.25")
    assert (second.doing, second.because, second.remedy) == (
        "Not working", "The card has not reported yet.", "Wait a moment.",
    )  # fmt: skip
    assert second.earned_today is None


async def test_a_card_that_is_checked_says_how_far_it_is(scene: Scene) -> None:
    failed(scene)
    checking(scene)
    (card,) = scene.status().cards
    assert (card.doing, card.because) == ("Being checked, 40 s left", "The card's health is being checked.")
    assert card.checkup == scene.bench.checkups[GPU.gpu_id]
    assert card.health == scene.bench.health[GPU.gpu_id]
    assert card.earned_today == eur("1.25")
    scene.links = []
    assert scene.status().cards[0].doing == "Being checked, 40 s left"


async def test_a_card_that_is_good_for_one_of_two_markets_is_ready(scene: Scene) -> None:
    dollars = FakeMarket()
    dollars.url = "https://dollars.test"
    dollars.meta = replace(scene.market.meta or wire.Meta("", (), NOON, "", 0, False, "", 0, 0, 0), currency="USD")
    link = MarketLink("d", dollars, scene.bench, scene.desk.database, busy=list, accepted=lambda *_: None)
    scene.links.insert(0, link)
    assert scene.status().cards[0].doing == "Ready"
    assert scene.status().state is AgentState.IDLE


@pytest.mark.parametrize("state", list(JobState))
async def test_every_state_of_a_job_has_its_words(scene: Scene, state: JobState) -> None:
    words = job_words(view(lease(state), scene.bench))
    assert words.startswith("Mandelbrot: ")
    assert len(words) > len("Mandelbrot: ")


@pytest.mark.parametrize(
    ("wall_s", "words"),
    [
        (60, "60 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (86_400, "24.0 h"),
    ],
)
async def test_what_is_left_is_said_as_people_say_it(scene: Scene, wall_s: int, words: str) -> None:
    running = view(lease(offer=offer(job=job(wall_s=wall_s))), scene.bench)
    assert job_words(running) == f"Mandelbrot: running, at most {words} left"
    assert job_words(replace(running, elapsed_s=wall_s + 5)).endswith("at most 0 s left")
    assert job_words(replace(running, is_frozen=True)) == "Mandelbrot: frozen"


async def test_what_a_job_earned_is_the_owners_share_and_then_the_receipts_word(scene: Scene) -> None:
    run = scene.run()
    await scene.desk.clock.advance(1800)
    so_far = view(run.lease, scene.bench, run)
    assert (so_far.earned, so_far.is_settled, so_far.elapsed_s) == (eur("0.19"), False, 1800)
    settled = replace(run.lease, receipt=receipt(run.lease, 900), usage=Usage(1800, 0), outcome=Outcome.SUCCEEDED)
    done = view(settled, scene.bench)
    assert (done.earned, done.is_settled) == (eur("0.095"), True)


async def test_the_present_trouble_of_a_job_is_told_before_why_it_is_to_end(scene: Scene) -> None:
    run = scene.run(reason="The owner stopped it.")
    assert view(run.lease, scene.bench, run).reason == "The owner stopped it."
    run.problem = "The market does not answer."
    assert view(run.lease, scene.bench, run).reason == "The market does not answer."


# -- the whole, as JSON and as text -----------------------------------------------------------------------------------


def rich(scene: Scene) -> Status:
    """A status in which everything that can be there is there."""
    lost = replace(OTHER, vendor=Vendor.SIMULATED)
    scene.bench.gpus = {GPU.gpu_id: GPU, lost.gpu_id: lost}
    scene.bench.readings[lost.gpu_id] = reading(gpu_id=lost.gpu_id, absent={"temperature_c": Absence.LOST})
    scene.bench.engine_info = EngineInfo("Podman", "5.4.0", "unix:///x", True, True)
    scene.bench.pause = Pause(NOON + timedelta(hours=2))
    failed(scene)
    no_engine(scene)
    view = CheckupView(lost.gpu_id, CheckMode.QUICK, Stage.MEMORY, "Patterns", 30, 40, NOON, ((0.5, 55),), 90)
    scene.bench.checkups[lost.gpu_id] = view
    scene.run(reason="Enough.", outcome=Outcome.FAILED, exit_code=3)
    return scene.status()


async def test_the_json_is_the_whole_status_and_can_be_read_again(scene: Scene) -> None:
    status = rich(scene)
    written = json.dumps(msgspec.to_builtins(status))
    raw = json.loads(written)
    assert msgspec.convert(raw, Status) == status

    def complete(value: Any, shown: Any) -> None:
        if is_dataclass(value):
            assert set(shown) == {field.name for field in fields(value)}
            for field in fields(value):
                complete(getattr(value, field.name), shown[field.name])
        elif isinstance(value, tuple):
            assert len(value) == len(shown)
            for one, other in zip(value, shown, strict=True):
                complete(one, other)

    complete(status, raw)
    assert raw["jobs"][0]["earned"] == {"micros": 0, "currency": "EUR"}
    assert raw["taken_at"].startswith("2026-03-01T12:00:00")
    assert raw["cards"][1]["reading"]["absent"] == {"temperature_c": "lost"}


async def test_the_text_says_it_all(scene: Scene) -> None:
    text = status_text(json.loads(json.dumps(msgspec.to_builtins(rich(scene)))))
    lines = text.splitlines()
    assert lines[0] == "Paused until 15:00. GeForce RTX 3060 (simulated): being checked, 40 s left."
    for part in (
        "Card     GeForce RTX 4070  50 °C  60 W  0 %  Mandelbrot: running",
        "Card     GeForce RTX 3060 (simulated)  lost  not supported  not supported  Being checked, 40 s left. ",
        "Job      Mandelbrot: running, at most 60 min left (0.00 EUR so far) Enough.",
        "Market   The market (https://market.test): connected",
        "Engine   Podman 5.4.0 (rootless)",
        "Today    0.00 EUR net",
        "7 days   0.00 EUR net",
        "Notice   No container engine answers. Install Podman.",
    ):
        assert any(line.startswith(part) for line in lines), f"{part}\n\n{text}"


async def test_the_text_of_nothing(scene: Scene) -> None:
    no_cards(scene)
    no_link_yet(scene)
    text = status_text(msgspec.to_builtins(scene.status()))
    assert "No cards." in text
    assert "Engine   none" in text


async def test_what_others_say_does_not_steer_the_terminal(scene: Scene) -> None:
    scene.bench.events.publish(MarketConnected(scene.market.url, "\x1b]0;owned\x07\nToday    1000.00 EUR net"))
    text = status_text(msgspec.to_builtins(scene.status()))
    assert "\x1b" not in text
    assert sum(line.startswith("Today") for line in text.splitlines()) == 1


@pytest.mark.parametrize("raw", [{}, {"state": "dancing"}, None, [], {"state": "idle", "sentence": 3}])
def test_a_status_of_another_version_is_refused_in_words(raw: Any) -> None:
    with pytest.raises(NotRunningError, match="of another version"):
        status_text(raw)


async def test_asking_costs_little(scene: Scene) -> None:
    """It is asked for after every event: eight cards, a window, no loop over the calendar."""
    scene.bench.gpus = {f"GPU-{n}": replace(GPU, gpu_id=f"GPU-{n}") for n in range(8)}
    scene.set_windows("mon-fri 22:00-07:00", "sat,sun 00:00-24:00")
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(20):
        scene.status()
    assert (loop.time() - began) / 20 < 0.05
