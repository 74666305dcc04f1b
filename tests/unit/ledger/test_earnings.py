"""What was earned: settled once, balanced, summed by currency and by the owner's days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from samples import NOON, bill, eur, lease, offer, receipt

from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.money import Money, energy_cost, price_for
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.ledger.earnings import DayEnergy, Totals, by_day, energy_by_day, totals
from argentum_desktop.ledger.settlement import ELECTRICITY, settle

PARIS = ZoneInfo("Europe/Paris")
TARIFF = eur("0.30")


def settled(
    at: datetime = NOON,
    *,
    billable_s: int = 3600,
    energy_mj: int = 720_000_000,
    tariff: Money = TARIFF,
    name: str = "1",
    carbon_mg: int | None = None,
) -> Transaction:
    done = replace(lease(offer=offer(lease_id=f"lse_{name}")), usage=Usage(billable_s, energy_mj))
    return settle(done, receipt(done, billable_s), bill(done, tariff, carbon_mg), at)


@given(st.integers(0, 10**7), st.integers(0, 10**12), st.integers(0, 10**7), st.integers(0, 999_999))
def test_every_settlement_balances_and_pays_what_the_receipt_says(
    billable_s: int, energy_mj: int, micros: int, fee_ppm: int
) -> None:
    done = lease(offer=offer(price_per_hour=Money(micros, "EUR"), fee_ppm=fee_ppm), usage=Usage(billable_s, energy_mj))
    paid = receipt(done, billable_s)
    transaction = settle(done, paid, bill(done, eur("0.30")), NOON)
    assert sum(posting.amount.micros for posting in transaction.postings) == 0
    found = totals([transaction], "EUR")
    assert found.gross == paid.gross == price_for(done.price_per_hour, billable_s)
    assert found.fee == paid.fee
    assert found.electricity == energy_cost(eur("0.30"), energy_mj)
    assert found.net == paid.net - found.electricity
    assert found.energy_mj == energy_mj


def test_a_lease_has_one_settlement_whenever_it_is_made() -> None:
    assert settled(NOON).transaction_id == settled(NOON + timedelta(days=1), billable_s=1).transaction_id


def test_an_hour_by_hand() -> None:
    found = totals([settled()], "EUR")
    assert (found.gross, found.fee, found.electricity) == (eur("0.40"), eur("0.02"), eur("0.06"))
    assert found.net == eur("0.32")


def test_a_job_that_earned_nothing_still_costs_its_electricity() -> None:
    found = totals([settled(billable_s=0)], "EUR")
    assert found.net == eur("-0.06")


def test_each_currency_is_summed_for_itself_and_nothing_falls_between() -> None:
    """The owner changed the currency of his tariff while a job ran: the market pays euros, the meter wants francs."""
    mixed = settled(tariff=Money(300_000, "CHF"))
    euros, francs = totals([mixed], "EUR"), totals([mixed], "CHF")
    assert euros == Totals(eur("0.40"), eur("0.02"), eur("0"), 0)
    assert francs == Totals(Money(0, "CHF"), Money(0, "CHF"), Money(60_000, "CHF"), 720_000_000)
    assert totals([mixed], "USD") == Totals.zero("USD")
    assert {posting.account for posting in mixed.postings} >= {ELECTRICITY}


@given(st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 10**9)), max_size=10))
def test_a_sum_of_totals_is_the_total_of_the_sum(jobs: list[tuple[int, int]]) -> None:
    entries = [settled(billable_s=seconds, energy_mj=energy) for seconds, energy in jobs]
    assert sum((totals([entry], "EUR") for entry in entries), Totals.zero("EUR")) == totals(entries, "EUR")


def test_days_are_the_owners_and_quiet_ones_are_there() -> None:
    last = date(2026, 3, 30)
    entries = [
        settled(datetime(2026, 3, 28, 22, 59, tzinfo=UTC)),  # the 28th, 23:59
        settled(datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),  # the 29th, 00:00
        settled(datetime(2026, 3, 29, 21, 59, tzinfo=UTC)),  # the 29th, 23:59: its clock went forward
        settled(datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),  # the 30th
        settled(datetime(2026, 3, 30, 22, 0, tzinfo=UTC)),  # after the last day
        settled(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)),  # before the first
    ]
    days = by_day(entries, PARIS, last, 4, "EUR")
    assert [entry.day for entry in days] == [date(2026, 3, day) for day in (27, 28, 29, 30)]
    hour = totals([settled()], "EUR")
    assert [entry.totals for entry in days] == [Totals.zero("EUR"), hour, hour + hour, hour]
    assert by_day([], PARIS, last, 0, "EUR") == ()


def test_what_was_emitted_is_summed_as_far_as_it_is_known() -> None:
    known, unknown = settled(carbon_mg=68_400), settled()
    assert known.carbon_mg == 68_400
    both = totals([known, unknown], "EUR")
    assert (both.energy_mj, both.carbon_mg, both.carbon_mj) == (1_440_000_000, 68_400, 720_000_000)
    assert totals([known], "EUR") + totals([unknown], "EUR") == both
    assert totals([known], "CHF") == Totals.zero("CHF")


def test_the_energy_of_each_day_in_the_owners_zone() -> None:
    entries = [
        settled(datetime(2026, 3, 28, 22, 59, tzinfo=UTC), carbon_mg=1000),
        settled(datetime(2026, 3, 28, 23, 0, tzinfo=UTC), carbon_mg=2000),
        settled(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), tariff=Money(300_000, "CHF")),
    ]
    assert energy_by_day(entries, PARIS) == (
        DayEnergy(date(2026, 3, 28), 720_000_000, 1000, 720_000_000),
        DayEnergy(date(2026, 3, 29), 1_440_000_000, 2000, 720_000_000),
    )
    assert energy_by_day([], PARIS) == ()
