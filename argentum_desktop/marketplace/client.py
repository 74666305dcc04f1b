"""The agent's view of one market, over signed HTTP."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from argentum_desktop.clock import Clock
from argentum_desktop.domain.job import Artifact, is_safe_name
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import PPM, Offer
from argentum_desktop.errors import MarketUnreachableError
from argentum_desktop.identity.keys import Identity
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.errors import plain_words
from argentum_desktop.marketplace.transport import DEADLINE_S, SignedHttp

T = TypeVar("T")

log = logging.getLogger(__name__)

_MOST_NOTES, _LONGEST_NOTE = 10, 300
_RANGE_MISMATCH = 416


class HttpMarket:
    """A `Market` (see market.py) at an address."""

    def __init__(
        self,
        url: str,
        identity: Identity,
        clock: Clock,
        *,
        name: str = "argentum-desktop",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = SignedHttp(url, identity, clock, transport=transport)
        self._name = name
        self._meta: wire.Meta | None = None

    @property
    def meta(self) -> wire.Meta | None:
        return self._meta

    @property
    def url(self) -> str:
        return self._http.url

    async def connect(self) -> wire.Meta:
        meta = await self._call("GET", "/v1/meta", wire.Meta)
        self._http.meet(meta)
        self._require_sense(meta)
        enrolment = wire.Enrolment(wire.Role.PROVIDER, self._name, self._http.identity.public_key)
        await self._call("POST", "/v1/accounts", wire.Account, enrolment)
        self._meta = meta
        return meta

    async def account(self) -> wire.Account:
        """Our account, with what this market owes us."""
        return await self._call("GET", "/v1/account", wire.Account)

    async def declare(self, inventory: wire.Inventory) -> None:
        declared = await self._call("PUT", "/v1/inventory", wire.Declared, inventory)
        for note in declared.notes[:_MOST_NOTES]:
            log.info("the market at %s says of our cards: %s", self.url, plain_words(note, _LONGEST_NOTE))

    async def health_question(self) -> Mapping[str, Any]:
        """A sealed question that a health check can answer."""
        return (await self._call("POST", "/v1/health/challenges", wire.HealthChallenge, wire.Empty())).sealed

    async def witness(self, report: wire.WitnessCall) -> Mapping[str, Any]:
        """The market's sealed statement that it saw this report now."""
        return (await self._call("POST", "/v1/health/witness", wire.WitnessStatement, report)).sealed

    async def claim(self, claim: wire.Claim) -> Offer | None:
        deadline_s = claim.wait_s + DEADLINE_S
        offer = await self._http.call("POST", "/v1/claims", Offer, claim, deadline_s=deadline_s)
        # The lease's name becomes that of a folder and of a container.
        if offer is not None and not all(
            is_safe_name(name) and "/" not in name for name in (offer.lease_id, offer.job_id)
        ):
            raise self._http.nonsense("an offer has a name that is none")
        return offer

    async def accept(self, offer: Offer) -> wire.LeaseStatus:
        return await self._about(offer, "accept", wire.LeaseCall(offer.fence))

    async def decline(self, offer: Offer, reason: str) -> None:
        await self._about(offer, "decline", wire.Decline(offer.fence, reason))

    async def start(self, offer: Offer) -> wire.LeaseStatus:
        return await self._about(offer, "start", wire.LeaseCall(offer.fence))

    async def heartbeat(self, offer: Offer, beat: wire.Heartbeat) -> wire.LeaseStatus:
        return await self._about(offer, "heartbeat", beat)

    async def complete(self, offer: Offer, completion: wire.Completion) -> wire.LeaseStatus:
        return await self._about(offer, "complete", completion)

    async def lease(self, offer: Offer) -> wire.LeaseStatus:
        return await self._call("GET", _lease(offer), wire.LeaseStatus)

    async def download(self, offer: Offer, artifact: Artifact, target: Path) -> None:
        path = f"{_lease(offer)}/artifacts/{artifact.sha256}"
        await self._http.fetch_file(path, target, artifact.sha256, artifact.size_bytes)

    async def append_log(self, offer: Offer, offset: int, data: bytes) -> int:
        if not data:
            return offset
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {offset}-{offset + len(data) - 1}/*",
        }
        got = await self._http.exchange(
            "PATCH", f"{_lease(offer)}/log", data, headers=headers, accept_status=_RANGE_MISMATCH
        )
        return self._http.read(wire.LogPosition, got).offset

    async def upload(self, offer: Offer, artifact: Artifact, source: Path) -> None:
        path = f"{_lease(offer)}/outputs/{quote(artifact.name)}"
        await self._http.send_file(path, source, artifact.sha256, artifact.size_bytes)

    async def close(self) -> None:
        await self._http.close()

    def _require_sense(self, meta: wire.Meta) -> None:
        """Refuse figures that no later step could reckon with, before any of them counts."""
        try:
            Money.zero(meta.currency)
        except ValueError as error:
            raise self._http.nonsense(f"its {error}") from error
        if not 0 <= meta.fee_ppm < PPM:
            raise self._http.nonsense(f"its fee is {meta.fee_ppm} millionths of the price")

    async def _about(self, offer: Offer, verb: str, body: object) -> wire.LeaseStatus:
        return await self._call("POST", f"{_lease(offer)}/{verb}", wire.LeaseStatus, body)

    async def _call(self, method: str, path: str, answer: type[T], body: object | None = None) -> T:
        value = await self._http.call(method, path, answer, body)
        if value is None:
            raise MarketUnreachableError(f"The market at {self.url} gave an empty answer.", "It is asked again.")
        return value


def _lease(offer: Offer) -> str:
    return f"/v1/leases/{quote(offer.lease_id, safe='')}"
