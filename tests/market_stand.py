"""A whole market in this process, with a provider and a buyer at its door and a clock that the test moves."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from starlette.applications import Starlette

from argentum_desktop.buyer.client import BuyerClient
from argentum_desktop.domain.job import Artifact, JobSpec, Limits
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.offer import Offer
from argentum_desktop.identity.keys import Identity
from argentum_desktop.market_server.api import create_app
from argentum_desktop.market_server.artifacts import ArtifactFolder
from argentum_desktop.market_server.audit import AuditReport, audit
from argentum_desktop.market_server.config import MarketConfig, local_config
from argentum_desktop.market_server.sqlite_storage import SqliteStorage
from argentum_desktop.marketplace import wire
from argentum_desktop.marketplace.client import HttpMarket

URL = "http://market.test"
CARD = wire.Card("GPU-1", "Simulated 8 GB", "simulated", 8192, is_simulated=True)


class ManualClock:
    """Stands still until the test moves it; waiting gives others the floor."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def elapsed_s(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


def ask(floor: int = 100_000, gpu_id: str = "GPU-1") -> wire.Ask:
    return wire.Ask(gpu_id, Money(floor, "EUR"), 7200, 4096, 4000, 10_000)


def claim(key: str = "claim-key-1", wait_s: int = 5, floor: int = 100_000) -> wire.Claim:
    return wire.Claim(key, (ask(floor),), (), wait_s)


@dataclass
class Stand:
    folder: Path
    clock: ManualClock
    app: Starlette
    storage: SqliteStorage
    provider: HttpMarket
    buyer: BuyerClient
    transport: httpx.AsyncBaseTransport

    def file(self, name: str, content: bytes) -> tuple[Artifact, Path]:
        path = self.folder / name
        path.write_bytes(content)
        return Artifact(name, hashlib.sha256(content).hexdigest(), len(content)), path

    def spec(self, *, price: int = 400_000, wall_s: int = 3600, content: bytes = b"image") -> tuple[JobSpec, Path]:
        image, path = self.file("image.tar", content)
        limits = Limits(wall_s=wall_s, memory_mib=512, disk_mib=16)
        digest = f"sha256:{'a' * 64}"
        return JobSpec("a job", image, digest, ("true",), Money(price, "EUR"), limits=limits), path

    async def submit(self, *, price: int = 400_000, wall_s: int = 3600) -> wire.JobStatus:
        spec, path = self.spec(price=price, wall_s=wall_s)
        return await self.buyer.submit(spec, {spec.image.sha256: path})

    async def lease(self, key: str = "claim-key-1") -> Offer:
        """Submit a job and take it as far as running."""
        await self.submit()
        offer = await self.provider.claim(claim(key))
        assert offer is not None
        await self.provider.accept(offer)
        await self.provider.start(offer)
        return offer

    async def audit(self) -> AuditReport:
        return await self.storage.run(audit)

    def provider_beside(self) -> HttpMarket:
        return HttpMarket(URL, Identity.generate(), self.clock, name="other", transport=self.transport)


@asynccontextmanager
async def market_stand(folder: Path, config: MarketConfig | None = None) -> AsyncIterator[Stand]:
    clock = ManualClock()
    config = config or replace(local_config(), round_every_s=0.01)
    storage = SqliteStorage(folder / "market.db")
    app = create_app(storage, ArtifactFolder(folder / "files"), config, clock, Identity.generate())
    transport = httpx.ASGITransport(app)
    provider = HttpMarket(URL, Identity.generate(), clock, transport=transport)
    buyer = BuyerClient(URL, Identity.generate(), clock, transport=transport)
    try:
        async with app.router.lifespan_context(app):
            await buyer.connect()
            await provider.connect()
            if config.is_local:
                await provider.declare(wire.Inventory((CARD,), "test"))
            yield Stand(folder, clock, app, storage, provider, buyer, transport)
            await provider.close()
            await buyer.close()
    finally:
        await storage.close()
