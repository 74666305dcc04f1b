"""Decisions explained: what is asked, what is answered, in which words; and the weeks replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benches import a_bench
from samples import GPU, NOON, eur, job, offer
from surroundings import HOST, PARIS, circumstances

from argentum_desktop.agent.deciding import CardDesk, decide_on, record_of
from argentum_desktop.agent.explain import Question, explain, explain_handlers, question_of
from argentum_desktop.agent.report_explain import explain_json, explain_text, explanations, record_text
from argentum_desktop.agent.report_what_if import what_if_json, what_if_text
from argentum_desktop.agent.what_if import TooFewRecordsError, read_past, what_if, with_choices
from argentum_desktop.app.explaining import explain_alone, what_if_alone
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.decision_record import DecisionRecord, SeenCard
from argentum_desktop.errors import BadInputError, NoCardError, NotRunningError
from argentum_desktop.paths import Home
from argentum_desktop.policy.gates import Pause
from argentum_desktop.policy.replay import Choices
from argentum_desktop.settings.schema import Availability, Cards, Settings
from argentum_desktop.store import decisions

NIGHTS = Settings(availability=Availability(windows=(OwnersWindow.parse("daily 22:00-07:00"),)))


def test_a_card_that_does_not_ask_says_why_and_from_when() -> None:
    found = explain(Question(), [circumstances(settings=NIGHTS)])
    text = explain_text(found, PARIS)
    assert text.splitlines()[:3] == [
        "GeForce RTX 4070: does not ask for work now.",
        "  It is outside the hours you set.",
        "  What would change it: Runs from 22:00.",
    ]
    assert "  NO   window        It is outside the hours you set. Opens 22:00." in text
    assert "  yes  pause         not paused" in text


def test_a_hypothetical_offer_at_another_time() -> None:
    night = NOON + timedelta(hours=10)
    question = Question("GPU-1", eur("0.10"), 2.0, night)
    (one,) = explain(question, [circumstances(settings=NIGHTS)], fee_ppm=50_000)
    assert not one.is_yes
    assert [no.rule for no in one.decision.refusals] == ["floor"]
    text = explain_text([one], PARIS, is_alone=True)
    assert text.startswith("GeForce RTX 4070: would not run a job of 2 h for 0.10 EUR an hour at 2026-03-01 23:00.")
    assert "What would change it: Runs for 0.115789 EUR an hour, 0.015789 EUR more than offered." in text
    assert "are taken to be then as they are now" in text
    assert "is not running" in text
    (better,) = explain(replace(question, price_per_hour=eur("0.115789")), [circumstances(settings=NIGHTS)], 50_000)
    assert better.is_yes


def test_a_job_longer_than_the_window_is_refused_for_its_time() -> None:
    question = Question(None, eur("0.40"), 10.0, NOON + timedelta(hours=10))
    (one,) = explain(question, [circumstances(settings=NIGHTS)])
    assert [no.rule for no in one.decision.refusals] == ["time"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"price": "a lot"}, "The price 'a lot' is not an amount of money; write for example 0.05."),
        ({"price": "-1"}, "The price '-1' is not an amount"),
        ({"hours": 2}, "How long a job takes matters only with its price. Name it with --price."),
        ({"price": "1", "hours": 0}, "The hours must be a number above 0, at most 720."),
        ({"price": "1", "hours": "two"}, "The hours must be a number above 0"),
        ({"at": "soon"}, "'soon' is no point in time."),
        ({"at": "2026-03-01T12:00"}, "does not say in which time zone"),
        ({"gpu_id": 7}, "gpu_id must be a card's id."),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_is_wrong(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        question_of(arguments, "EUR")
    assert words in str(caught.value)


def test_no_such_card_and_no_such_time() -> None:
    with pytest.raises(NoCardError, match="There is no card GPU-7 in this computer"):
        explain(Question("GPU-7"), [circumstances()])
    for wrong in (NOON - timedelta(hours=1), NOON + timedelta(days=400)):
        with pytest.raises(BadInputError, match="between now and a year from now"):
            explain(Question(at=wrong), [circumstances()])


async def test_the_call_of_the_running_application_says_the_same(tmp_path: Path) -> None:
    async with a_bench(tmp_path, settings=NIGHTS) as on:
        ask = explain_handlers(on.bench, lambda: (True, 0))["explain"]
        raw = json.loads(json.dumps(await ask({"gpu_id": "GPU-1", "price": "0.40", "hours": 2, "at": None})))
        found = explanations(raw)
        here = on.bench.circumstances(GPU, market_is_local=True)
        assert found == explain(Question("GPU-1", eur("0.40"), 2.0), [here])
        status = CardDesk(on.bench).offerable(GPU, market_is_local=True, market_currency=None)
        assert explain(Question("GPU-1"), [here])[0].decision == status
        shown = explain_json(found)
        assert (shown["is_running"], shown["cards"][0]["is_yes"]) == (True, False)
        assert shown["cards"][0]["remedy"] == "Runs from 22:00."
        assert found[0].advice.startswith("Break-even is ")
        assert found[0].advice in explain_text(found, on.bench.zone)
    with pytest.raises(NotRunningError, match="another version"):
        explanations([{"gpu_id": 3}])


async def test_the_status_looks_for_what_helps_only_when_the_reasons_change(tmp_path: Path) -> None:
    async with a_bench(tmp_path, settings=NIGHTS) as on:
        desk = CardDesk(on.bench)
        first = desk.offerable(GPU, market_is_local=True, market_currency="EUR")
        await on.clock.advance(60)
        assert desk.offerable(GPU, market_is_local=True, market_currency="EUR").flip is first.flip
        on.bench.pause = Pause(None)
        paused = desk.offerable(GPU, market_is_local=True, market_currency="EUR")
        assert paused.remedy == "It takes all of this: Wait until 22:00. Resume"
        on.bench.settings, on.bench.pause = Settings(), None
        assert desk.offerable(GPU, market_is_local=True, market_currency="EUR").is_yes
        other = desk.offerable(GPU, market_is_local=True, market_currency="USD")
        assert (other.reason, other.remedy) == (
            "The market pays in USD; your prices are in EUR.", "Set prices.currency to USD."
        )  # fmt: skip


async def test_a_decision_is_written_down_with_what_was_seen_and_without_the_jobs_secrets(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as on:
        asked = offer(job=replace(job(), env={"TOKEN": "secret"}))
        decision = decide_on(asked, on.bench, set(), market_is_local=True)
        record = record_of(asked, decision, on.bench, "local", market_is_local=True)
        await on.bench.book.refuse(record)
        written = await on.bench.book.decision_about("lse_1")
        assert written == record
        assert b"secret" not in msgspec.json.encode(written)
        assert [(card.gpu.gpu_id, card.temperature_c) for card in record.cards] == [("GPU-1", 50)]
        told = record_text(written, PARIS).splitlines()
        assert told[0] == (
            "lse_1: accepted a job of at most 1 h for 0.40 EUR an hour at 2026-03-01 13:00:00 on GeForce RTX 4070."
        )
        assert any(line.split() == ["yes", "pause", "not", "paused"] for line in told)
        assert decide_on(asked, on.bench, {"GPU-1"}, market_is_local=True).reason == (
            "It is for a card that is not free here."
        )


# -- what if ----------------------------------------------------------------------------------------------------------


def records(count: int) -> list[DecisionRecord]:
    found = []
    for number in range(count):
        at, asked = NOON + timedelta(hours=9 * number), offer(lease_id=f"lse_{number}", price_per_hour=eur("0.30"))
        seen = SeenCard(GPU, is_reporting=True, temperature_c=50, utilization_percent=0)
        whole = explain(Question(), [circumstances()])[0].decision
        found.append(DecisionRecord(at, asked.lease_id, whole, "local", asked, (seen,), HOST))
    return found


async def test_weeks_are_replayed_from_what_is_on_the_disk(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as on:
        for record in records(24):
            await on.database.write(lambda connection, record=record: decisions.add(connection, record))
        past = await read_past(on.database, NOON + timedelta(days=12))
        asked = with_choices(Settings(), ["prices.floor_per_gpu_hour=0.25"])
        found = what_if(past, Choices(Settings(), PARIS), Choices(asked, PARIS), ["prices.floor_per_gpu_hour=0.25"])
    assert (found.offers, found.as_they_are.jobs, found.as_asked.jobs) == (24, 24, 0)
    text = what_if_text(found, PARIS)
    assert "24 offers from 2026-03-01 13:00 to 2026-03-10 04:00, decided anew." in text
    assert "Declined, by the first rule that said no: floor 24" in text
    assert "What this cannot know:" in text
    assert "For some of the offers it was not recorded what you did" in text
    assert json.loads(json.dumps(what_if_json(found)))["as_asked"]["net"] == {"micros": 0, "currency": "EUR"}


async def test_too_few_weeks_say_nothing(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as on:
        past = await read_past(on.database, NOON)
        with pytest.raises(TooFewRecordsError, match="Only 0 offers were recorded") as caught:
            what_if(past, Choices(Settings(), PARIS), Choices(Settings(), PARIS), [])
    assert "more days" in caught.value.remedy


def test_choices_are_changed_as_they_stand_in_the_file() -> None:
    changed = with_choices(
        Settings(),
        ['availability.windows=["daily 22:00-07:00"]', "energy.country = fr", "cards.temperature_limit_c=75"],
    )
    assert changed.availability == NIGHTS.availability
    assert (changed.energy.country, changed.cards.temperature_limit_c) == ("FR", 75)
    assert with_choices(changed, []) == changed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("nonsense", "'nonsense' changes nothing"),
        ("prices.flor=1", "prices.flor is not known"),
        ("price.floor_per_gpu_hour=1", "the section [price] is not known"),
        ("cards.temperature_limit_c=900", "must lie between 40 and 110"),
        ("prices.floor_per_gpu_hour=-1", "must lie between 0 and 1000"),
    ],
)
def test_a_change_that_cannot_be_used_is_named(change: str, words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        with_choices(Settings(), [change])
    assert words in str(caught.value)


# -- without the application ------------------------------------------------------------------------------------------


async def test_cards_are_read_once_where_the_application_does_not_run(tmp_path: Path) -> None:
    """With the real sensor process, on cards that are pretended."""
    home = Home(tmp_path / "home").create()
    settings = replace(NIGHTS, cards=Cards(simulated=1))
    tomorrow = SystemClock().now() + timedelta(hours=30)
    (one,) = [
        one
        for one in await explain_alone(home, settings, Question(None, eur("0.90"), 1.0, tomorrow))
        if "simulated" in one.label
    ]
    rules = {verdict.rule: verdict.is_yes for verdict in one.decision.verdicts}
    assert rules["card"]
    assert rules["pause"]
    assert len(rules) == len(one.decision.verdicts)
    with pytest.raises(TooFewRecordsError, match="Nothing was recorded here yet"):
        await what_if_alone(home, settings, [])
