"""Simulated cards as a source like any other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from argentum_desktop.domain.gpu import SourceReport, Vendor
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import BadInputError
from argentum_desktop.gpus.power_limits import NO_SUCH_CARD
from argentum_desktop.gpus.simulated.builds import BUILDS
from argentum_desktop.gpus.simulated.card import SimulatedCard
from argentum_desktop.gpus.simulated.plan import LONGEST_PLAYED_S, CardPlan, Scenario

NOTHING_BEFALLS = Scenario()


class SimulatedSource:
    """Lists and reads simulated cards; time passes for them only by the `now` they are given.

    Args:
        count: how many of the usual ones.
        scenario: its cards come first.
        began_at: when the scenario began, where another sensor process has played a part of it; None: now.
    """

    def __init__(
        self, count: int, seed: int = 1, scenario: Scenario = NOTHING_BEFALLS, began_at: datetime | None = None
    ) -> None:
        self._plans = (*scenario.plans, *(CardPlan(BUILDS[index % len(BUILDS)]) for index in range(count)))
        self._seed = seed
        self._begins_at_s = scenario.begins_at_s
        self._began_at = began_at
        self._read_at: datetime | None = None
        self._cards = self._played(self._begins_at_s)

    def discover(self) -> SourceReport:
        return SourceReport(Vendor.SIMULATED, tuple(card.gpu for card in self._cards.values()))

    def read(self, now: datetime, *, all_anew: bool = False) -> Sequence[Reading]:
        if self._read_at is None:
            self._take_up(now)
        span_s = (now - self._read_at).total_seconds() if self._read_at else 0.0
        self._read_at = now
        asked = [card for card in self._cards.values() if card.can_be_asked]
        for card in asked:
            card.move(span_s)
        hang_s = max((card.hangs() for card in asked), default=0.0)
        readings = [card.read(now) for card in asked]
        if hang_s > 0:
            threading.Event().wait(hang_s)
        return readings

    def set_load(self, gpu_id: str, percent: int, memory_used_bytes: int) -> None:
        """Say how busy a card is from now on.

        Raises:
            BadInputError: there is no such card, or the figures are impossible.
        """
        card = self._cards.get(gpu_id)
        if card is None:
            raise BadInputError(f"There is no simulated card {gpu_id}.")
        if not 0 <= percent <= 100 or memory_used_bytes < 0:
            raise BadInputError(f"A card cannot be {percent} % busy with {memory_used_bytes} bytes.")
        card.load = percent / 100
        card.memory_used_bytes = memory_used_bytes

    def power_limit_mw(self, gpu_id: str) -> int | None:
        card = self._cards.get(gpu_id)
        return round(card.limit_w * 1000) if card is not None and card.can_be_asked else None

    def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        card = self._cards.get(gpu_id)
        return NO_SUCH_CARD if card is None else card.set_power_limit(power_mw)

    def close(self) -> None:
        """There is no driver to let go."""

    def _take_up(self, now: datetime) -> None:
        """Go on where the sensor process before this one stopped."""
        if self._began_at is None or now <= self._began_at:
            return
        told = self._cards
        self._cards = self._played(self._begins_at_s + (now - self._began_at).total_seconds())
        for gpu_id, card in self._cards.items():
            before = told[gpu_id]
            card.load, card.memory_used_bytes, card.limit_w = before.load, before.memory_used_bytes, before.limit_w

    def _played(self, behind_s: float) -> dict[str, SimulatedCard]:
        """The cards, with so much of the scenario behind them."""
        cards = {}
        for index, plan in enumerate(self._plans):
            gpu_id = f"SIM-{index}"
            cards[gpu_id] = SimulatedCard(gpu_id, plan, self._seed + index, max(0.0, behind_s - LONGEST_PLAYED_S))
            cards[gpu_id].play(min(behind_s, LONGEST_PLAYED_S))
        return cards
