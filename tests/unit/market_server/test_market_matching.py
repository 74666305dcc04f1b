from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain.job import Limits
from argentum_desktop.market_server.matching import AskOf, Bid, fits, match_round


def bid(number: int, price: int, **limits: int) -> Bid:
    return Bid(f"job-{number}", "buyer", number, price, Limits(**limits))


def ask(number: int, floor: int, memory_mib: int = 8192) -> AskOf:
    return AskOf(f"provider-{number}", "GPU-1", number, floor, memory_mib, 7200, 4096, 4000, 10_000)


def trades(bids: list[Bid], asks: list[AskOf]) -> dict[str, tuple[str, int]]:
    return {match.bid.job_id: (match.ask.provider_id, match.price_micros) for match in match_round(bids, asks)}


def test_one_price_for_the_round_is_the_first_rejected_ask() -> None:
    found = trades([bid(1, 30), bid(2, 28), bid(3, 26)], [ask(1, 18), ask(2, 20), ask(3, 22), ask(4, 24)])
    assert found == {"job-1": ("provider-1", 24), "job-2": ("provider-2", 24), "job-3": ("provider-3", 24)}


def test_one_price_for_the_round_is_the_last_accepted_bid_when_that_is_lower() -> None:
    found = trades([bid(1, 30), bid(2, 21)], [ask(1, 18), ask(2, 20), ask(3, 29)])
    assert {price for _, price in found.values()} == {21}


def test_one_job_and_one_card_trade_at_the_bid() -> None:
    assert trades([bid(1, 30)], [ask(1, 18)]) == {"job-1": ("provider-1", 30)}


def test_nobody_trades_below_the_floor() -> None:
    assert trades([bid(1, 17)], [ask(1, 18)]) == {}


def test_the_older_of_two_equal_bids_is_served_first() -> None:
    assert list(trades([bid(2, 30), bid(1, 30)], [ask(1, 18)])) == ["job-1"]


def test_a_large_job_only_meets_a_large_card() -> None:
    found = trades([bid(1, 30, vram_mib=20_000), bid(2, 20)], [ask(1, 10), ask(2, 15, memory_mib=24_576)])
    assert found["job-1"][0] == "provider-2"
    assert found["job-2"][0] == "provider-1"


def test_who_has_refused_a_job_is_not_asked_again() -> None:
    refused = replace(bid(1, 30), refused_by=frozenset({"provider-1"}))
    assert trades([refused], [ask(1, 18)]) == {}


def test_a_provider_with_two_cards_gets_one_job_a_round_and_its_second_card_sets_no_price() -> None:
    second = replace(ask(1, 19), gpu_id="GPU-2")
    assert trades([bid(1, 30), bid(2, 29)], [ask(1, 18), second]) == {"job-1": ("provider-1", 30)}


bids = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0, 8000, 20_000])), max_size=8)
asks = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([4096, 8192, 24_576])), max_size=8)


@given(bids, asks)
def test_every_trade_fits_and_lies_between_floor_and_bid(
    some_bids: list[tuple[int, int]], some_asks: list[tuple[int, int]]
) -> None:
    ours = [bid(number, price, vram_mib=vram) for number, (price, vram) in enumerate(some_bids)]
    theirs = [ask(number, floor, memory) for number, (floor, memory) in enumerate(some_asks)]
    found = match_round(ours, theirs)
    assert len({match.bid.job_id for match in found}) == len(found)
    assert len({match.ask.provider_id for match in found}) == len(found)
    for match in found:
        assert fits(match.bid, match.ask)
        assert match.ask.floor_micros <= match.price_micros <= match.bid.price_micros


@given(
    st.lists(st.integers(1, 60), max_size=7), st.lists(st.integers(0, 60), min_size=1, max_size=7), st.integers(0, 60)
)
def test_among_equal_cards_lying_about_the_floor_gains_nothing(prices: list[int], floors: list[int], lie: int) -> None:
    ours = [bid(number, price) for number, price in enumerate(prices)]
    honest = [ask(number, floor) for number, floor in enumerate(floors)]
    cost = floors[0]

    def profit(asked: list[AskOf]) -> int:
        return sum(
            match.price_micros - cost for match in match_round(ours, asked) if match.ask.provider_id == "provider-0"
        )

    assert profit([ask(0, lie), *honest[1:]]) <= profit(honest)


@given(st.lists(st.integers(1, 60), max_size=7), st.lists(st.integers(0, 60), max_size=7))
def test_among_equal_cards_all_pay_the_rules_price_and_no_trade_is_missed(prices: list[int], floors: list[int]) -> None:
    found = match_round(
        [bid(number, price) for number, price in enumerate(prices)],
        [ask(number, floor) for number, floor in enumerate(floors)],
    )
    high, low = sorted(prices, reverse=True), sorted(floors)
    count = sum(1 for one, other in zip(high, low, strict=False) if one >= other)
    assert len(found) == count
    if count:
        rejected = low[count : count + 1]
        assert {match.price_micros for match in found} == {min([high[count - 1], *rejected])}
