"""A market that does what the test tells it."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from argentum_desktop.domain.job import Artifact
from argentum_desktop.domain.offer import Offer
from argentum_desktop.errors import ArgentumError, MarketUnreachableError
from argentum_desktop.marketplace import wire


class FakeMarket:
    """Takes every beat, unless `trouble` says otherwise: each entry is the fate of one call, in order.

    A fate is an error to raise, or `HANG` for no answer at all. `for_ever` is the fate of all calls after these.
    """

    HANG = "hang"

    def __init__(self) -> None:
        self.url = "https://market.test"
        self.meta: wire.Meta | None = None
        self.trouble: deque[ArgentumError | Exception | str] = deque()
        self.for_ever: ArgentumError | str | None = None
        self.beats: list[wire.Heartbeat] = []
        self.desired = wire.Desired.RUN
        self.beat_every_s = 20
        self.calls: list[str] = []

    async def heartbeat(self, offer: Offer, beat: wire.Heartbeat) -> wire.LeaseStatus:
        self.beats.append(beat)
        await self._suffer("heartbeat")
        return self._status(offer)

    async def connect(self) -> wire.Meta:
        raise MarketUnreachableError("The market is not there.")

    async def declare(self, inventory: wire.Inventory) -> None:
        await self._suffer("declare")

    async def claim(self, claim: wire.Claim) -> Offer | None:
        await self._suffer("claim")
        return None

    async def accept(self, offer: Offer) -> wire.LeaseStatus:
        await self._suffer("accept")
        return self._status(offer)

    async def decline(self, offer: Offer, reason: str) -> None:
        await self._suffer("decline")

    async def start(self, offer: Offer) -> wire.LeaseStatus:
        await self._suffer("start")
        return self._status(offer)

    async def complete(self, offer: Offer, completion: wire.Completion) -> wire.LeaseStatus:
        await self._suffer("complete")
        return self._status(offer)

    async def lease(self, offer: Offer) -> wire.LeaseStatus:
        await self._suffer("lease")
        return self._status(offer)

    async def download(self, offer: Offer, artifact: Artifact, target: Path) -> None:
        await self._suffer("download")

    async def append_log(self, offer: Offer, offset: int, data: bytes) -> int:
        await self._suffer("append_log")
        return offset + len(data)

    async def upload(self, offer: Offer, artifact: Artifact, source: Path) -> None:
        await self._suffer("upload")

    async def close(self) -> None:
        self.calls.append("close")

    async def _suffer(self, call: str) -> None:
        self.calls.append(call)
        fate = self.trouble.popleft() if self.trouble else self.for_ever
        if fate == self.HANG:
            await asyncio.get_running_loop().create_future()
        if isinstance(fate, Exception):
            raise fate

    def _status(self, offer: Offer) -> wire.LeaseStatus:
        return wire.LeaseStatus(
            offer.lease_id,
            wire.LeaseState.RUNNING,
            offer.fence,
            self.desired,
            expires_in_s=offer.lease_ttl_s,
            beat_every_s=self.beat_every_s,
            server_time=datetime(2026, 3, 1, tzinfo=UTC),
        )
