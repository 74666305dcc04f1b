"""A health check from the owner's wish to the entry in the passport, and everything that may come between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benches import a_bench
from fake_market import FakeMarket
from health_scene import CARD, Scene, health_at, health_scene, with_memory_errors
from quiet_log import ExpectLog
from samples import NOON, lease, offer, reading
from surroundings import HOST

from argentum_desktop.agent.checkup_findings import INTERRUPTED, JOB_ERRORS, OTHERS
from argentum_desktop.agent.checkups import AGAIN_AFTER_S, CANCELLED
from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.agent.market_link import MarketLink
from argentum_desktop.agent.passports import after
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.domain.health import CheckMode, CheckVerdict, Grade, HealthSummary, Stage
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.passport import EntryKind
from argentum_desktop.domain.reading import Absence
from argentum_desktop.domain.stress import StressEnd
from argentum_desktop.errors import CheckRefusedError, DiskFullError, PassportError, StoreError
from argentum_desktop.health.passport.chain import verify_chain
from argentum_desktop.identity.keys import IdentityError
from argentum_desktop.marketplace.certificates import read_certificate
from argentum_desktop.policy.evaluate import may_offer
from argentum_desktop.policy.gates import Pause
from argentum_desktop.settings.schema import Cards, Settings
from argentum_desktop.store import decisions

OTHER = replace(CARD, gpu_id="GPU-2", name="Example card 8 GB")
ID = CARD.gpu_id


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with health_scene(tmp_path) as made:
        yield made


def refusals(scene: Scene) -> list[str]:
    at = scene.bench.circumstances(CARD, market_is_local=True)
    return [no.rule for no in may_offer(at).refusals]


def check(scene: Scene, check_id: str) -> Any:
    report = scene.ended[-1].report
    assert report is not None
    return next((found for found in report.checks if found.check_id == check_id), None)


# -- a whole check ----------------------------------------------------------------------------------------------------


async def test_a_check_takes_the_card_off_the_market_and_ends_in_its_passport(scene: Scene) -> None:
    with pytest.raises(PassportError, match="no passport yet"):
        await scene.health.passports.passport(ID)
    scene.health.checkups.start(ID, CheckMode.QUICK)
    assert refusals(scene) == ["checkup"]
    await scene.until(lambda: scene.loads and max(scene.loads) >= 95)
    assert scene.hurried == 1
    view = scene.bench.checkups[ID]
    assert (view.mode, view.limit_c, view.temperatures_c[-1][1]) == (CheckMode.QUICK, 90, 55)
    await scene.until(lambda: scene.ended)

    assert scene.loads[-1] == 0
    assert scene.hurried == 0
    assert scene.bench.checkups == {}
    assert refusals(scene) == []
    ended = scene.ended[-1]
    assert ended.report is not None
    assert (ended.gpu_id, ended.problem) == (ID, "")
    assert scene.health.checkups.ended(ID) == ended
    stages = [told.view.stage for told in scene.progressed]
    assert stages == sorted(stages, key=list(Stage).index)
    assert {Stage.BASELINE, Stage.MEMORY, Stage.COMPUTE, Stage.COOL_DOWN} <= set(stages)

    passport = await scene.health.passports.passport(ID)
    assert [entry.kind for entry in passport.entries] == [EntryKind.OPENED, EntryKind.CHECK]
    assert verify_chain(passport).is_whole
    assert await scene.health.passports.reports(ID, 5) == [ended.report]
    assert scene.bench.health[ID] == HealthSummary.of(ended.report)
    certificate, _ = read_certificate(scene.bench.certificates[ID])
    assert certificate.is_of(ID)
    assert certificate.report_id == ended.report.report_id


async def test_a_card_that_failed_is_not_offered_until_a_load_finds_it_well(scene: Scene) -> None:
    scene.stress.plant = with_memory_errors
    ended = await scene.check()
    assert ended.report is not None
    assert ended.report.appraisal.grade is Grade.F
    assert refusals(scene) == ["health"]
    decision = may_offer(scene.bench.circumstances(CARD, market_is_local=True))
    assert decision.reason.startswith("The health check of today found a fault: ")
    assert decision.remedy == "Check it again."

    await scene.check(CheckMode.PASSIVE)
    assert refusals(scene) == ["health"]  # the counters say nothing about its memory

    scene.stress.plant = lambda result: result
    await scene.check()
    assert refusals(scene) == []
    kinds = [entry.kind for entry in (await scene.health.passports.passport(ID)).entries]
    assert kinds == [EntryKind.OPENED, *[EntryKind.CHECK] * 3]


async def test_after_a_restart_a_failed_card_is_still_not_offered(tmp_path: Path) -> None:
    async with a_bench(tmp_path, gpus={ID: CARD}) as desk:
        async with health_at(desk) as scene:
            scene.stress.plant = with_memory_errors
            await scene.check()
        desk.bench.health.clear()
        desk.bench.certificates.clear()
        async with health_at(desk) as again:
            assert refusals(again) == ["health"]
            await again.step()


async def test_a_check_without_a_load_puts_none_on(scene: Scene) -> None:
    ended = await scene.check(CheckMode.PASSIVE)
    assert ended.report is not None
    assert ended.report.stress is None
    assert scene.stress.started == 0


async def test_a_pause_is_about_jobs(scene: Scene) -> None:
    scene.bench.pause = Pause(None)
    assert (await scene.check()).report is not None


async def test_a_card_at_work_before_is_noted(scene: Scene) -> None:
    scene.report(utilization_percent=60)
    await scene.check(CheckMode.PASSIVE)
    noted = check(scene, OTHERS)
    assert (noted.verdict, noted.value) == (CheckVerdict.INFO, 60)
    await scene.check(CheckMode.PASSIVE)
    assert check(scene, OTHERS) is None


# -- refused ----------------------------------------------------------------------------------------------------------


def unknown(scene: Scene) -> None:
    scene.bench.gpus = {}


def without_driver(scene: Scene) -> None:
    gpu = replace(CARD, state=GpuState.NO_DRIVER, problem="It has no driver.", remedy="Install one.")
    scene.bench.gpus = {ID: gpu}


def silent(scene: Scene) -> None:
    scene.bench.readings = {}


def lost(scene: Scene) -> None:
    scene.bench.readings = {ID: reading(absent={"temperature_c": Absence.LOST})}


def with_a_job(scene: Scene) -> None:
    scene.busy.append(lease())


def promised(scene: Scene) -> None:
    scene.bench.promised.add(ID)


def on_battery(scene: Scene) -> None:
    scene.bench.host = replace(HOST, on_battery=True)


def hot(scene: Scene) -> None:
    scene.bench.readings = {ID: reading(temperature_c=87)}


REFUSALS = [
    (unknown, "There is no card GPU-1 in this computer.", "argentum-desktop gpus lists them."),
    (without_driver, "Example card 24 GB (simulated) cannot be checked: It has no driver.", "Install one."),
    (silent, "Example card 24 GB (simulated) has not reported yet.", "Wait a moment, then try again."),
    (lost, "Example card 24 GB (simulated) no longer answers its driver.", "Check its power cables"),
    (with_a_job, "A job runs on Example card 24 GB (simulated): Mandelbrot.", "Wait until it has ended, or stop it"),
    (promised, "A job is just being taken for Example card 24 GB (simulated).", "Wait until it has ended, or stop it"),
    (on_battery, "The computer runs on battery, and this check puts a heavy load on the card.", "Plug it in"),
    (hot, "Example card 24 GB (simulated) is at 87 °C, your limit is 87 °C.", "Let it cool down"),
]


@pytest.mark.parametrize(("change", "message", "remedy"), REFUSALS, ids=[change.__name__ for change, *_ in REFUSALS])
async def test_a_check_is_refused_in_a_sentence_with_what_to_do(
    scene: Scene, change: Any, message: str, remedy: str
) -> None:
    change(scene)
    with pytest.raises(CheckRefusedError) as refused:
        scene.health.checkups.start(ID, CheckMode.QUICK)
    assert refused.value.message == message
    assert refused.value.remedy.startswith(remedy)
    assert scene.bench.checkups == {}


@pytest.mark.parametrize("change", [on_battery, hot])
async def test_counters_may_be_read_on_battery_and_on_a_hot_card(scene: Scene, change: Any) -> None:
    change(scene)
    scene.health.checkups.start(ID, CheckMode.PASSIVE)
    assert ID in scene.bench.checkups


async def test_one_card_at_a_time(scene: Scene) -> None:
    scene.bench.gpus[OTHER.gpu_id] = OTHER
    scene.bench.readings[OTHER.gpu_id] = reading(gpu_id=OTHER.gpu_id)
    scene.health.checkups.start(ID, CheckMode.QUICK)
    with pytest.raises(CheckRefusedError, match=r"Another card .Example card 24 GB .simulated.. is being checked"):
        scene.health.checkups.start(OTHER.gpu_id, CheckMode.PASSIVE)
    with pytest.raises(CheckRefusedError, match="is being checked already"):
        scene.health.checkups.start(ID, CheckMode.PASSIVE)


async def test_the_owners_own_limit_counts(scene: Scene) -> None:
    scene.bench.settings = Settings(cards=Cards(temperature_limit_c=50))
    with pytest.raises(CheckRefusedError, match="your limit is 50 °C"):
        scene.health.checkups.start(ID, CheckMode.FULL)


# -- ended before its time --------------------------------------------------------------------------------------------


async def begun(scene: Scene) -> None:
    """A check whose load is on the card."""
    scene.health.checkups.start(ID, CheckMode.FULL)
    await scene.until(lambda: scene.loads and scene.loads[-1] >= 90)


async def test_a_cancelled_check_frees_the_card_and_says_nothing_about_it(scene: Scene) -> None:
    await begun(scene)
    async with asyncio.timeout(1):
        await scene.health.checkups.cancel(ID)
    assert scene.loads[-1] == 0
    assert scene.bench.checkups == {}
    assert scene.hurried == 0
    assert (scene.ended[-1].report, scene.ended[-1].problem) == (None, CANCELLED)
    with pytest.raises(PassportError):
        await scene.health.passports.passport(ID)
    await scene.health.checkups.cancel(ID)  # nothing to do
    assert (await scene.check()).report is not None


async def test_cancelled_at_the_moment_it_began(scene: Scene) -> None:
    scene.health.checkups.start(ID, CheckMode.QUICK)
    await scene.health.checkups.cancel(ID)
    assert scene.ended[-1].problem == CANCELLED
    assert scene.stress.started == 0


async def test_closing_takes_the_load_off_and_begins_nothing_more(scene: Scene) -> None:
    await begun(scene)
    await scene.health.checkups.close()
    assert scene.loads[-1] == 0
    with pytest.raises(CheckRefusedError, match="ending"):
        scene.health.checkups.start(ID, CheckMode.PASSIVE)


async def test_pulling_the_plug_ends_the_load_and_leaves_no_entry(scene: Scene) -> None:
    await begun(scene)
    on_battery(scene)
    await scene.until(lambda: scene.ended)
    ended = scene.ended[-1]
    assert ended.report is not None
    assert ended.report.stress is not None
    assert ended.report.stress.end is StressEnd.CANCELLED
    assert "battery" in ended.problem
    assert await scene.health.passports.reports(ID, 5) == []
    assert ID not in scene.bench.health


async def test_a_card_lost_under_load_failed(scene: Scene) -> None:
    await begun(scene)
    scene.values["absent"] = dict.fromkeys(("temperature_c", "power_mw"), Absence.LOST)
    scene.values["temperature_c"] = None
    await scene.until(lambda: scene.ended)
    report = scene.ended[-1].report
    assert report is not None
    assert report.appraisal.grade is Grade.F
    assert await scene.health.passports.reports(ID, 5) == [report]


async def test_a_load_that_cannot_be_announced_does_not_begin(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise DiskFullError("The disk is full.", "Free some space.")

    monkeypatch.setattr(scene.health._journal, "load_begins", full)
    ended = await scene.check()
    assert (ended.report, ended.problem) == (None, "The disk is full. Free some space.")
    assert scene.stress.started == 0


async def test_a_fault_of_ours_frees_the_card_too(scene: Scene, expect_log: ExpectLog) -> None:
    expect_log("the check failed")

    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    scene.stress.plant = broken
    ended = await scene.check()
    assert (ended.report, ended.problem) == (None, "Something unexpected happened; the log tells more.")
    assert scene.bench.checkups == {}


# -- what must not be forgotten ---------------------------------------------------------------------------------------


async def test_a_report_that_cannot_be_written_now_is_written_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, trouble = scene.desk.database.write, [True]

    async def failing(change: Any) -> Any:
        if trouble:
            raise StoreError("The database cannot be written.")
        return await write(change)

    scene.stress.plant = with_memory_errors
    scene.health.checkups.start(ID, CheckMode.QUICK)
    await scene.until(lambda: scene.stress.running)
    monkeypatch.setattr(scene.desk.database, "write", failing)
    await scene.until(lambda: scene.ended)
    assert "The database cannot be written." in [notice.message for notice in scene.notices.all()]
    assert refusals(scene) == ["health"]  # it counts all the same
    trouble.clear()
    await scene.until(lambda: not scene.notices.all())
    assert len(await scene.health.passports.reports(ID, 5)) == 1
    await scene.step()
    assert len(await scene.health.passports.reports(ID, 5)) == 1


async def test_with_a_damaged_key_a_report_waits_until_it_is_mended(scene: Scene) -> None:
    key = scene.health.passports._find_identity
    key.damage = IdentityError("The key file is damaged.", "Restore it.")  # type: ignore[attr-defined]
    assert (await scene.check()).report is not None
    assert [notice.message for notice in scene.notices.all()] == ["The key file is damaged."]
    key.damage = None  # type: ignore[attr-defined]
    await scene.until(lambda: not scene.notices.all())
    assert len(await scene.health.passports.reports(ID, 5)) == 1


async def test_a_stop_under_load_is_told_and_stands_in_the_next_report(tmp_path: Path) -> None:
    async with a_bench(tmp_path, gpus={ID: CARD}) as desk:
        async with health_at(desk) as scene:
            await begun(scene)
            kept = await desk.database.read(lambda c: c.execute("SELECT * FROM program_state").fetchall())
        # What a kill would have left: the state as it was in the middle of the load.
        await desk.database.write(lambda c: c.executemany("INSERT OR REPLACE INTO program_state VALUES (?, ?)", kept))
        desk.bench.checkups.clear()
        async with health_at(desk) as again:
            await again.until(again.notices.all)
            notice = again.notices.all()[0]
            assert notice.code == "health"
            assert notice.message == (
                "Example card 24 GB (simulated): The computer or the application stopped during the load test of"
                f" {NOON:%Y-%m-%d %H:%M} UTC."
            )
            assert "power supply" in notice.remedy
            await again.until(lambda: again.ended)
            report = again.ended[-1].report
            assert report is not None
            assert report.mode is CheckMode.PASSIVE
            assert check(again, INTERRUPTED).verdict is CheckVerdict.WARN
            assert "Its counters afterwards: " in again.notices.all()[0].message
            await again.check()  # the owner's own, with a load
            assert again.notices.all() == ()
            assert check(again, INTERRUPTED) is None
        desk.bench.checkups.clear()
        async with health_at(desk) as third:
            for _ in range(12):
                await third.step()
            assert third.ended == []
            assert third.notices.all() == ()


async def test_a_load_that_ended_is_no_stop_under_load(tmp_path: Path) -> None:
    async with a_bench(tmp_path, gpus={ID: CARD}) as desk:
        async with health_at(desk) as scene:
            await scene.check()
            await begun(scene)
            await scene.health.checkups.cancel(ID)
        async with health_at(desk) as again:
            for _ in range(12):
                await again.step()
            assert again.ended == []


# -- errors in a job --------------------------------------------------------------------------------------------------


async def test_a_job_that_ends_in_card_errors_has_the_counters_looked_at(scene: Scene) -> None:
    scene.busy.append(lease())
    scene.report(xid_events=(79, 13))
    scene.report(xid_events=(79,))
    notice = scene.notices.all()[0]
    assert notice.message == (
        "Example card 24 GB (simulated): While it worked on Mandelbrot, the card reported the error 79 (NVIDIA's Xid)"
        " 2 times."
    )
    for _ in range(8):
        await scene.step()
    assert scene.ended == []  # not while the job has the card
    scene.busy.clear()
    await scene.until(lambda: scene.ended)
    found = check(scene, JOB_ERRORS)
    assert (found.verdict, found.value) == (CheckVerdict.WARN, 2)
    assert scene.ended[-1].report is not None
    assert scene.ended[-1].report.mode is CheckMode.PASSIVE
    assert len(await scene.health.passports.reports(ID, 5)) == 1
    for _ in range(12):
        await scene.step()
    assert len(scene.ended) == 1


async def test_uncorrected_memory_errors_in_a_job_are_card_errors(scene: Scene) -> None:
    scene.values["ecc_uncorrected"] = 3
    scene.busy.append(lease())
    scene.report()
    assert scene.notices.all() == ()  # from before the job
    scene.values["ecc_uncorrected"] = 5
    scene.report()
    assert "2 uncorrected memory errors" in scene.notices.all()[0].message
    scene.busy.clear()
    await scene.until(lambda: scene.ended)
    assert check(scene, JOB_ERRORS).value == 2


async def test_a_card_lost_in_a_job_is_looked_at_once_it_is_back(scene: Scene) -> None:
    scene.busy.append(lease())
    scene.report(temperature_c=None, absent={"temperature_c": Absence.LOST})
    assert "stopped answering its driver" in scene.notices.all()[0].message
    scene.busy.clear()
    scene.values = {"absent": {"temperature_c": Absence.LOST}}
    for _ in range(8):
        await scene.step()
    assert scene.ended == []
    scene.values = {"temperature_c": 50}
    await scene.until(lambda: scene.ended)
    assert check(scene, JOB_ERRORS) is not None


async def test_a_card_that_is_not_even_listed_any_more_was_lost_by_its_job(scene: Scene) -> None:
    held = lease(JobState.STOPPING, outcome=Outcome.CARD_LOST)
    scene.busy.append(held)
    scene.bench.readings.clear()
    scene.bench.events.publish(LeaseMoved(held))
    scene.bench.events.publish(LeaseMoved(held))
    assert "stopped answering its driver" in scene.notices.all()[0].message
    assert scene.health._journal.due() == (ID,)


@pytest.mark.parametrize("values", [{"xid_events": (13, 43)}, {"ecc_corrected": 5}, {}])
async def test_what_is_no_error_of_the_card(scene: Scene, values: dict[str, Any]) -> None:
    scene.busy.append(lease())
    scene.report()
    scene.report(**values)
    scene.busy.clear()
    for _ in range(8):
        await scene.step()
    assert scene.ended == []
    assert scene.notices.all() == ()


async def test_errors_outside_a_job_are_not_a_jobs(scene: Scene) -> None:
    scene.report(xid_events=(79,))
    for _ in range(8):
        await scene.step()
    assert scene.ended == []


async def test_a_check_that_nobody_asked_for_gives_way_to_the_owners(scene: Scene) -> None:
    scene.busy.append(lease())
    scene.report(xid_events=(48,))
    scene.busy.clear()
    await scene.until(lambda: scene.bench.checkups)
    await scene.health.checkups.begin(ID, CheckMode.QUICK)
    assert scene.bench.checkups[ID].mode is CheckMode.QUICK
    with pytest.raises(CheckRefusedError, match="is being checked already"):
        await scene.health.checkups.begin(ID, CheckMode.FULL)
    await scene.until(lambda: scene.ended[-1].report)
    assert check(scene, JOB_ERRORS) is not None  # made up for
    assert scene.health._journal.due() == ()


async def test_a_due_check_that_was_cancelled_is_made_again_later(scene: Scene) -> None:
    scene.busy.append(lease())
    scene.report(xid_events=(48,))
    scene.busy.clear()
    await scene.until(lambda: scene.bench.checkups)
    await scene.health.checkups.cancel(ID)
    for _ in range(12):
        await scene.step()
    assert scene.bench.checkups == {}
    await scene.desk.clock.advance(AGAIN_AFTER_S)
    await scene.until(lambda: scene.ended[-1].report)
    assert check(scene, JOB_ERRORS) is not None


# -- the market meanwhile ---------------------------------------------------------------------------------------------


def link_of(scene: Scene) -> MarketLink:
    market = FakeMarket()
    market.url = "http://127.0.0.1:1"
    return MarketLink(
        "m", market, scene.bench, scene.desk.database, busy=lambda: scene.busy, accepted=scene_accepts(scene)
    )


def scene_accepts(scene: Scene) -> Any:
    return lambda accepted, _: scene.busy.append(accepted)


async def test_a_grant_that_is_being_written_down_holds_the_card(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    link, book, refused = link_of(scene), scene.bench.book, []
    write = book.open

    async def opening(*given: Any) -> None:
        for _ in range(2):
            try:
                scene.health.checkups.start(ID, CheckMode.QUICK)
            except CheckRefusedError as error:
                refused.append(error.message)
            await asyncio.sleep(0)
        await write(*given)

    monkeypatch.setattr(book, "open", opening)
    await link._consider(offer())
    assert refused == ["A job is just being taken for Example card 24 GB (simulated)."] * 2
    assert [held.lease_id for held in scene.busy] == ["lse_1"]
    assert scene.bench.promised == set()
    with pytest.raises(CheckRefusedError, match="A job runs on"):
        scene.health.checkups.start(ID, CheckMode.QUICK)


async def test_an_offer_that_comes_during_a_check_is_declined_in_words(scene: Scene) -> None:
    link = link_of(scene)
    assert [ask.gpu_id for ask in link._asks()] == [ID]
    scene.health.checkups.start(ID, CheckMode.QUICK)
    assert link._asks() == []
    considering = asyncio.create_task(link._consider(offer()))
    await scene.until(considering.done)
    assert scene.busy == []
    (record,) = await scene.desk.database.read(lambda c: decisions.recent(c, 5))
    assert record.decision.reason == "The card's health is being checked."


async def test_a_market_is_told_what_the_passport_says(scene: Scene) -> None:
    link = link_of(scene)
    assert [card.certificate for card in link._inventory().cards] == [None]
    await scene.check()
    assert [card.certificate for card in link._inventory().cards] == [scene.bench.certificates[ID]]


# -- the owner's words ------------------------------------------------------------------------------------------------


async def test_a_repair_is_written_in_the_owners_words(scene: Scene) -> None:
    await scene.health.note_repair(ID, "new paste\nand pads")
    entries = (await scene.health.passports.passport(ID)).entries
    assert [entry.kind for entry in entries] == [EntryKind.OPENED, EntryKind.REPAIR]
    assert entries[-1].body == {"words": "new paste and pads"}
    for words in ("", "  ", "x" * 501):
        with pytest.raises(PassportError):
            await scene.health.note_repair(ID, words)
    with pytest.raises(PassportError, match="no card GPU-9"):
        await scene.health.note_repair("GPU-9", "paste")


# -- which check counts -----------------------------------------------------------------------------------------------


def said(grade: Grade, mode: CheckMode = CheckMode.QUICK) -> HealthSummary:
    return HealthSummary(f"{grade}{mode}", grade, 50, mode, NOON, "")


PASSIVE = CheckMode.PASSIVE


@pytest.mark.parametrize(
    ("before", "latest", "is_latest"),
    [
        (None, said(Grade.UNGRADED), True),
        (said(Grade.A), said(Grade.F), True),
        (said(Grade.F), said(Grade.B), True),
        (said(Grade.F), said(Grade.UNGRADED, PASSIVE), False),
        (said(Grade.F), said(Grade.UNGRADED), False),
        (said(Grade.A), said(Grade.F, PASSIVE), True),
        (said(Grade.F, PASSIVE), said(Grade.UNGRADED, PASSIVE), True),
        (said(Grade.F, PASSIVE), said(Grade.UNGRADED), True),
        (said(Grade.X), said(Grade.UNGRADED, PASSIVE), False),
        (said(Grade.UNGRADED), said(Grade.UNGRADED, PASSIVE), True),
    ],
)
def test_which_of_two_checks_says_how_a_card_stands(
    before: HealthSummary | None, latest: HealthSummary, is_latest: bool
) -> None:
    assert (after(before, latest) == latest) is is_latest
