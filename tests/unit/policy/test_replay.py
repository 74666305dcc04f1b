"""A replay of hand-made weeks: what it counts, and what it refuses to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from samples import GPU, NOON, eur, job, lease, offer, receipt
from surroundings import HOST, PARIS

from argentum_desktop.domain.activity import Activity
from argentum_desktop.domain.availability import OwnersWindow
from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.decision_record import DecisionRecord, SeenCard
from argentum_desktop.domain.job import JobState, Outcome
from argentum_desktop.domain.lease import Lease, Usage
from argentum_desktop.policy.replay import Choices, Past, Replayed, replay, too_few
from argentum_desktop.settings.schema import Availability, Presence, Prices, Settings

HOUR_S = 3600
AWAY = Activity(600.0, "", False, False, False, (), 1.0, 1.0)


def record(hours: float, price: str = "0.40", wall_s: int = HOUR_S, **changes: Any) -> DecisionRecord:
    at, name = NOON + timedelta(hours=hours), f"lse_{hours}"
    asked = offer(lease_id=name, price_per_hour=eur(price), job=job(wall_s=wall_s), fee_ppm=100_000, issued_at=at)
    seen = SeenCard(GPU, is_reporting=True, temperature_c=50, utilization_percent=0, measured_power_mw=100_000)
    made = DecisionRecord(at, name, Decision(()), "local", asked, (seen,), HOST, AWAY)
    return replace(made, **changes)


def ran(of: DecisionRecord, billable_s: int = 1800, energy_mj: int = 360_000_000) -> Lease:
    """The lease of an offer that was accepted."""
    assert of.offer is not None
    end = of.decided_at + timedelta(seconds=billable_s)
    held = lease(
        JobState.CLOSED, offer=of.offer, accepted_at=of.decided_at, started_at=of.decided_at, ended_at=end,
        outcome=Outcome.SUCCEEDED, usage=Usage(billable_s, energy_mj),
    )  # fmt: skip
    return replace(held, receipt=receipt(held, billable_s))


def replayed(records: list[DecisionRecord], leases: list[Lease] | None = None, **sections: Any) -> Replayed:
    past = Past(records, {one.lease_id: one for one in leases or ()})
    return replay(past, Choices(Settings(**sections), PARIS))


def test_a_job_that_ran_is_counted_as_it_ran() -> None:
    """Half an hour at 0.40 is 0.20; a tenth is the market's; 0.1 kWh at 0.30 is 0.03."""
    first = record(0)
    found = replayed([first], [ran(first)])
    assert (found.jobs, found.estimated, found.unvalued, found.busy_s) == (1, 0, 0, 1800)
    assert (found.gross, found.fee, found.electricity) == (eur("0.20"), eur("0.02"), eur("0.03"))
    assert found.net == eur("0.15")


def test_wear_and_another_tariff_are_the_asked_ones() -> None:
    first = record(0)
    prices = Prices(electricity_per_kwh=Decimal("0.10"), wear_per_gpu_hour=Decimal("0.02"))
    found = replayed([first], [ran(first)], prices=prices)
    assert (found.electricity, found.wear) == (eur("0.01"), eur("0.01"))


def test_a_higher_floor_declines_what_ran() -> None:
    first = record(0)
    found = replayed([first], [ran(first)], prices=Prices(floor_per_gpu_hour=Decimal("0.50")))
    assert (found.jobs, found.net, dict(found.refusals)) == (0, eur("0.00"), {"floor": 1})


def test_a_job_that_never_ran_lasts_as_the_owners_own_did() -> None:
    """Five own jobs took half of their time: an hour asked for is half an hour at 100 W and 0.30 a kWh."""
    own = [record(10 * number) for number in range(5)]
    found = replayed([*own, record(60)], [ran(one, energy_mj=0) for one in own])
    assert (found.jobs, found.estimated) == (6, 1)
    assert found.busy_s == 6 * 1800
    assert found.electricity == eur("0.015")


def test_where_too_few_ran_the_others_are_counted_and_not_valued() -> None:
    own = record(0)
    found = replayed([own, record(10)], [ran(own)])
    assert (found.jobs, found.unvalued, found.gross) == (2, 1, eur("0.20"))


def test_a_card_works_on_one_job_at_a_time() -> None:
    first, second, third = record(0), record(0.25), record(0.5)
    found = replayed([first, second, third], [ran(one) for one in (first, second, third)])
    assert (found.jobs, found.occupied) == (2, 1)


def test_a_job_that_would_have_been_declined_leaves_room_for_the_next() -> None:
    first, second = record(0, price="0.12"), record(0.25)
    as_it_was = replayed([first, second], [ran(first), ran(second)])
    assert (as_it_was.jobs, as_it_was.occupied) == (1, 1)
    asked = replayed([first, second], [ran(first), ran(second)], prices=Prices(floor_per_gpu_hour=Decimal("0.20")))
    assert (asked.jobs, asked.occupied, asked.gross) == (1, 0, eur("0.20"))


@pytest.mark.parametrize(
    ("changes", "sections", "rule"),
    [
        ({}, {"availability": Availability(windows=(OwnersWindow.parse("daily 22:00-07:00"),))}, "window"),
        ({"is_paused": True}, {}, "pause"),
        ({"engine_problem": "None."}, {}, "engine"),
        ({"activity": replace(AWAY, full_screen="quake")}, {}, "full_screen"),
        ({}, {"presence": Presence(idle_minutes=11)}, "idle"),
    ],
)
def test_what_was_seen_then_counts(changes: dict[str, Any], sections: dict[str, Any], rule: str) -> None:
    assert dict(replayed([record(0, **changes)], **sections).refusals) == {rule: 1}


def test_an_accepted_job_that_never_began_earns_nothing() -> None:
    first = record(0)
    given_back = replace(ran(first), started_at=None, receipt=None, outcome=Outcome.RECLAIMED, usage=Usage())
    found = replayed([first], [given_back])
    assert (found.jobs, found.gross, found.estimated) == (1, eur("0.00"), 0)


@pytest.mark.parametrize(
    ("offers", "every_hours", "words"),
    [
        (19, 24, "Only 19 offers were recorded, on 19 days; at least 20 on 7 different days"),
        (40, 1, "Only 40 offers were recorded, on 3 days; at least 20"),
        (0, 1, "Only 0 offers were recorded, on 0 days"),
        (1, 1, "Only 1 offer was recorded, on 1 day;"),
        (20, 8, ""),
    ],
)
def test_too_few_records_say_nothing(offers: int, every_hours: int, words: str) -> None:
    said = too_few([record(every_hours * number) for number in range(offers)], PARIS)
    assert said.startswith(words)
    assert bool(said) is bool(words)


def test_decisions_without_their_offer_do_not_count() -> None:
    bare = [replace(record(24 * number), offer=None, cards=()) for number in range(30)]
    assert too_few(bare, PARIS).startswith("Only 0 offers")
    assert replayed(bare).jobs == 0
