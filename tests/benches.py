"""A bench on a real database, without an engine: what the agent's parts are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clocks import FakeClock
from samples import GPU, reading
from surroundings import HOST, PARIS

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.lease_book import LeaseBook
from argentum_desktop.events import EventBus
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database


@dataclass
class BenchWithClock:
    """The bench with what lies behind it."""

    bench: Bench
    database: Database
    clock: FakeClock


@asynccontextmanager
async def a_bench(folder: Path, **changes: Any) -> AsyncIterator[BenchWithClock]:
    """One card, everything allowed, noon on a Sunday."""
    home, clock, events = Home(folder / "home").create(), FakeClock(), EventBus()
    database = Database(home.agent_db, migrations.AGENT, durable=False)
    await database.open()
    parts: dict[str, Any] = {
        "home": home,
        "settings": Settings(),
        "zone": PARIS,
        "clock": clock,
        "events": events,
        "book": LeaseBook(database, events),
        "installation_id": "test",
        "host": HOST,
        "gpus": {GPU.gpu_id: GPU},
        "readings": {GPU.gpu_id: reading(temperature_c=50, power_mw=60_000, utilization_percent=0)},
    }
    yield BenchWithClock(Bench(**(parts | changes)), database, clock)
    await database.close()
