"""A card on offer, in a line."""

from __future__ import annotations

from typing import Any

import pytest
from samples import NOON

from argentum_desktop.buyer.card_lines import card_line, card_lines
from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.marketplace.wire import CardHealth, ListedCard


def health(grade: Grade) -> CardHealth:
    return CardHealth(grade, 74, CheckMode.FULL, NOON)


@pytest.mark.parametrize(
    ("grade", "words"),
    [
        (Grade.B, "grade B, confidence 74 %, full check of 2026-03-01"),
        (Grade.F, "failed its health check, confidence 74 %, full check of 2026-03-01"),
        (Grade.X, "is not what it says it is, confidence 74 %, full check of 2026-03-01"),
        (Grade.UNGRADED, "checked without a grade, confidence 74 %, full check of 2026-03-01"),
        (None, "never checked"),
    ],
)
def test_what_is_known_of_its_health(grade: Grade | None, words: str) -> None:
    card = ListedCard("GeForce RTX 3090", "nvidia", 24_576, False, health(grade) if grade else None)
    assert card_line(card) == f"GeForce RTX 3090, 24 GiB: {words}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\x1b[2Jb\nc", "a[2Jbc"), ("x" * 200, "x" * 60), ("\n\x00", "A card"), ("RTX", "RTX")],
)
def test_a_strangers_name_moves_nothing_on_the_terminal(name: str, shown: str) -> None:
    assert card_line(ListedCard(name, "nvidia", 6144, True)) == f"{shown} (simulated), 6 GiB: never checked"


@pytest.mark.parametrize(("cards", "text"), [((), "No card asks this market for work now.")])
def test_none(cards: Any, text: str) -> None:
    assert card_lines(cards) == text
