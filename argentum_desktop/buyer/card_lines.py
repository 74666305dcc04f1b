"""What is on offer, a line a card. Names come from strangers: whatever cannot be printed is left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from argentum_desktop.domain.health import Grade
from argentum_desktop.marketplace.wire import ListedCard

_LONGEST_NAME = 60
_MIB_IN_GIB = 1024
_WORDS = {
    Grade.F: "failed its health check",
    Grade.X: "is not what it says it is",
    Grade.UNGRADED: "checked without a grade",
}


def card_lines(cards: Sequence[ListedCard]) -> str:
    """All of them."""
    return "\n".join(card_line(card) for card in cards) or "No card asks this market for work now."


def card_line(card: ListedCard) -> str:
    """`GeForce RTX 3090, 24 GiB: grade B, confidence 74 %, full check of 2026-02-28`."""
    name = "".join(letter for letter in card.name if letter.isprintable())[:_LONGEST_NAME].strip() or "A card"
    simulated = " (simulated)" if card.is_simulated else ""
    return f"{name}{simulated}, {card.memory_mib / _MIB_IN_GIB:.3g} GiB: {_health(card)}"


def _health(card: ListedCard) -> str:
    health = card.health
    if health is None:
        return "never checked"
    found = _WORDS.get(health.grade, f"grade {health.grade}")
    return f"{found}, confidence {health.confidence_percent} %, {health.mode} check of {health.checked_at:%Y-%m-%d}"
