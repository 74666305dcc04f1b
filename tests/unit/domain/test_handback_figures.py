"""The promise in figures."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from samples import NOON

from argentum_desktop.agent.report import status_text
from argentum_desktop.agent.status import AgentState, Status
from argentum_desktop.domain.handback import HandBack, HandBackFigures, Spread, figures, spread
from argentum_desktop.domain.money import Money
from argentum_desktop.ledger.earnings import Totals

FROZEN = HandBack("lse_1", "full_screen", NOON, frozen_ms=40)
FREED = HandBack("lse_1", "full_screen", NOON, freed_ms=60_900, freed_within_ms=60_000)


@pytest.mark.parametrize(
    ("values", "median", "p95"),
    [([7], 7, 7), ([1, 2], 2, 2), (list(range(1, 101)), 50, 95), (list(range(1, 21)), 10, 19), ([9, 1, 5], 5, 9)],
)
def test_median_and_95_of_100(values: list[int], median: int, p95: int) -> None:
    assert spread(values) == Spread(len(values), median, p95)


def test_nothing_measured_is_nothing_and_no_zero() -> None:
    assert spread([]) == Spread(0, None, None)
    assert figures([]) == HandBackFigures()
    assert HandBackFigures().is_kept


@pytest.mark.parametrize(
    ("made", "is_kept"),
    [
        (FROZEN, True),
        (replace(FROZEN, frozen_ms=250), True),
        (replace(FROZEN, frozen_ms=251), False),
        (FREED, True),
        (replace(FREED, freed_ms=61_000), True),
        (replace(FREED, freed_ms=61_001), False),
    ],
)
def test_a_promise_is_kept_or_not(made: HandBack, is_kept: bool) -> None:
    assert made.is_kept is is_kept
    assert figures([made]).kept == int(is_kept)


def shown(of: HandBackFigures) -> list[str]:
    nothing = Money(0, "EUR")
    totals = Totals(nothing, nothing, nothing)
    status = Status(AgentState.IDLE, "Ready.", NOON, "1", "/h", "Podman 4", (), (), (), totals, totals, handback=of)
    return [line for line in status_text(msgspec.to_builtins(status)).splitlines() if line.startswith("Yielded")]


def test_the_status_tells_it_in_a_line() -> None:
    assert shown(HandBackFigures()) == []
    assert shown(figures([FROZEN])) == ["Yielded  frozen after 40 ms (95 % within 40 ms); always as promised"]
    late = replace(FREED, freed_ms=62_000)
    told = "Yielded  frozen after 40 ms (95 % within 40 ms); memory free after 61.5 s (95 % within 62.0 s); "
    assert shown(figures([FROZEN, FREED, late])) == [told + "as promised 2 of 3 times"]
