"""A market as the agent needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from argentum_desktop.domain.job import Artifact
from argentum_desktop.domain.offer import Offer
from argentum_desktop.marketplace import wire


class Market(Protocol):
    """One market and our account in it.

    Every call may raise `MarketUnreachableError` (try again later), `MarketRefusedError` (do not), and those about a
    lease `LeaseLostError` (stop the job now). Every call may be repeated without harm.
    """

    @property
    def url(self) -> str:
        """The base address; also the market's name in the ledger."""
        ...

    @property
    def meta(self) -> wire.Meta | None:
        """What the market said of itself when it was last connected to; None before."""
        ...

    async def connect(self) -> wire.Meta:
        """Read what the market is, enrol this device's key where it is new, and remember the clock's offset."""
        ...

    async def declare(self, inventory: wire.Inventory) -> None:
        """Tell which cards this machine has."""
        ...

    async def health_question(self) -> Mapping[str, Any]:
        """A sealed `domain.passport.Question` that a health check can answer; older markets refuse."""
        ...

    async def witness(self, report: wire.WitnessCall) -> Mapping[str, Any]:
        """A sealed `domain.passport.Witness`: that the market saw this report, and when; older markets refuse."""
        ...

    async def claim(self, claim: wire.Claim) -> Offer | None:
        """Wait up to `claim.wait_s` for an offer."""
        ...

    async def accept(self, offer: Offer) -> wire.LeaseStatus: ...

    async def decline(self, offer: Offer, reason: str) -> None: ...

    async def start(self, offer: Offer) -> wire.LeaseStatus:
        """The container runs: billing begins, by the market's clock."""
        ...

    async def heartbeat(self, offer: Offer, beat: wire.Heartbeat) -> wire.LeaseStatus: ...

    async def complete(self, offer: Offer, completion: wire.Completion) -> wire.LeaseStatus: ...

    async def lease(self, offer: Offer) -> wire.LeaseStatus:
        """What the market thinks of the lease; also answers for one that ended long ago."""
        ...

    async def download(self, offer: Offer, artifact: Artifact, target: Path) -> None:
        """Fetch the image or an input into `target`, which exists afterwards only with the right digest."""
        ...

    async def append_log(self, offer: Offer, offset: int, data: bytes) -> int:
        """Send log bytes that begin at `offset`; returns how many bytes the market has."""
        ...

    async def upload(self, offer: Offer, artifact: Artifact, source: Path) -> None:
        """Send one output."""
        ...

    async def close(self) -> None: ...
