"""A hot card gets less power first, and its power back when it has stayed cool."""

from __future__ import annotations

import pytest

from argentum_desktop.policy.thermal import (
    COOL_S,
    HELPS_WITHIN_S,
    QUARTERS,
    STEP_S,
    TOO_FAR_C,
    Heat,
    PowerRange,
    may_still_help,
    next_heat,
)

LIMIT_C = 80


def after(temperatures: list[int | None], most: int = QUARTERS, heat: Heat | None = None) -> list[int]:
    """How many quarters are taken away with one reading a second."""
    heat, quarters = heat or Heat(), []
    for second, temperature_c in enumerate(temperatures):
        heat = next_heat(heat, temperature_c, LIMIT_C, second, most)
        quarters.append(heat.quarters)
    return quarters


def test_a_cool_card_keeps_its_power() -> None:
    assert set(after([60] * 200)) == {0}
    assert set(after([None] * 200)) == {0}


def test_near_its_limit_it_loses_a_quarter_at_a_time() -> None:
    assert after([76, 77, 77, 77, 77, 77, 77]) == [0, 1, 1, 1, 1, 1, 2]
    assert after([78] * 40)[-1] == QUARTERS
    assert after([78] * int(STEP_S)) == [1] * int(STEP_S)


def test_at_its_limit_it_gets_the_least_at_once() -> None:
    assert after([60, 80]) == [0, 4]
    assert after([60, 95], most=2) == [0, 2]


def test_what_the_owner_or_the_driver_does_not_allow_is_not_done() -> None:
    assert set(after([95] * 20, most=0)) == {0}
    assert after([78] * 40, most=2)[-1] == 2


def test_power_comes_back_a_quarter_at_a_time_and_only_well_below_the_limit() -> None:
    hot = Heat(quarters=4, changed_s=0)
    quarters = after([72] * int(5 * COOL_S), heat=hot)
    assert [quarters[int(COOL_S * number) + 1] for number in range(5)] == [4, 3, 2, 1, 0]
    assert set(after([73] * 500, heat=hot)) == {4}
    interrupted = ([72] * 50 + [75]) * 6
    assert set(after(interrupted, heat=hot)) == {4}


def test_less_power_is_given_a_moment_but_never_far_beyond_the_limit() -> None:
    heat = next_heat(Heat(), LIMIT_C, LIMIT_C, 100)
    assert may_still_help(heat, LIMIT_C, LIMIT_C, 100)
    assert may_still_help(heat, LIMIT_C + TOO_FAR_C - 1, LIMIT_C, 100 + HELPS_WITHIN_S - 1)
    assert not may_still_help(heat, LIMIT_C + TOO_FAR_C, LIMIT_C, 101)
    assert not may_still_help(heat, LIMIT_C, LIMIT_C, 100 + HELPS_WITHIN_S)
    assert not may_still_help(Heat(), LIMIT_C, LIMIT_C, 100)
    assert not may_still_help(heat, None, LIMIT_C, 100)


@pytest.mark.parametrize(
    ("window_mw", "percent", "limits"),
    [
        (None, 0, [350, 350, 350, 350, 350]),
        (None, 20, [350, 332.5, 315, 297.5, 280]),
        (300_000, 0, [300, 300, 300, 300, 300]),
        (300_000, 20, [300, 295, 290, 285, 280]),
        (200_000, 20, [200, 200, 200, 200, 200]),
        (500_000, 20, [350, 332.5, 315, 297.5, 280]),
    ],
)
def test_the_limit_lies_between_the_original_and_what_the_owner_allows(
    window_mw: int | None, percent: int, limits: list[float]
) -> None:
    power = PowerRange(350_000, window_mw, percent)
    assert [power.limit_mw(quarters) / 1000 for quarters in range(QUARTERS + 1)] == limits
    assert power.can_lower == (limits[0] > limits[-1])
