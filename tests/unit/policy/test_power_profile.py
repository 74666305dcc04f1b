"""What a card draws at work: the middle one of its minutes, once there are enough of them."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.policy.power_profile import ENOUGH_MINUTES, MOST_MINUTES, PowerProfile, is_plausible


def profile(watts: list[int]) -> PowerProfile:
    found = PowerProfile()
    for at in watts:
        found = found.with_minute(at * 1000)
    return found


@given(st.lists(st.integers(0, 700), min_size=1, max_size=80))
def test_the_median_of_all_minutes(watts: list[int]) -> None:
    found = profile(watts)
    assert found.minutes == len(watts)
    assert found.median_mw == statistics.median_low(watts) * 1000
    assert found.power_mw == (found.median_mw if len(watts) >= ENOUGH_MINUTES else None)
    assert is_plausible(found)


def test_half_an_hour_is_enough() -> None:
    assert profile([200] * 29).power_mw is None
    assert profile([200] * 30).power_mw == 200_000
    assert PowerProfile().median_mw is None


def test_old_minutes_make_room_for_new_ones() -> None:
    found = PowerProfile({300: MOST_MINUTES})
    for _ in range(MOST_MINUTES):
        found = found.with_minute(150_000)
    assert found.minutes <= MOST_MINUTES
    assert found.power_mw == 150_000


def test_nonsense_stays_within_bounds() -> None:
    assert is_plausible(PowerProfile().with_minute(-5.0).with_minute(1e12))
    assert not is_plausible(PowerProfile({-1: 1}))
    assert not is_plausible(PowerProfile({200: 0}))
    assert not is_plausible(PowerProfile({10_000: 1}))
