"""What is on offer, for buyers to see before they ask."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from argentum_desktop.domain.health import Grade
from argentum_desktop.market_server import bodies
from argentum_desktop.market_server.card_health import health_of
from argentum_desktop.market_server.parts import MarketParts
from argentum_desktop.market_server.records import CardRecord
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.wire import MAX_JSON_BYTES, CardList, ListedCard

MOST_LISTED = 200
_BEST_FIRST = list(Grade)


class CardsApi:
    """Endpoints under `/v1/cards`."""

    def __init__(self, parts: MarketParts) -> None:
        self._market = parts

    def endpoints(self) -> list[tuple[str, str, bodies.Endpoint]]:
        return [("GET", "/v1/cards", self.list_cards)]

    async def list_cards(self, request: Request) -> Response:
        """The cards that asked for work in the last minutes; anybody with an account may look."""
        await self._market.authenticator.account(request)
        asked = self._market.rounds.asked_lately()

        def look(work: Work) -> list[CardRecord]:
            providers = sorted({provider_id for provider_id, _ in asked})
            cards = [card for provider_id in providers for card in work.cards(provider_id)]
            return [card for card in cards if (card.account_id, card.gpu_id) in asked]

        found = sorted(await self._market.storage.run(look), key=_rank)[:MOST_LISTED]
        return bodies.answer(CardList(tuple(_listed(found))))


def _listed(cards: list[CardRecord]) -> list[ListedCard]:
    """With their certificates as long as there is room in one answer."""
    listed, room = [], MAX_JSON_BYTES // 2
    for card in cards:
        room -= len(card.certificate or "")
        certificate = json.loads(card.certificate) if card.certificate is not None and room >= 0 else None
        listed.append(
            ListedCard(card.name, card.vendor, card.memory_mib, card.is_simulated, health_of(card), certificate)
        )
    return listed


def _rank(card: CardRecord) -> tuple[int, int, int, str]:
    grade = len(_BEST_FIRST) if card.grade is None else _BEST_FIRST.index(card.grade)
    return grade, -(card.confidence_percent or 0), -card.memory_mib, card.gpu_id
