"""Everything but the window, built and connected."""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import AsyncExitStack
from sqlite3 import Connection

from argentum_desktop.agent.agent import Agent
from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.control import ControlServer
from argentum_desktop.agent.lease_book import LeaseBook
from argentum_desktop.agent.local_service import LocalService
from argentum_desktop.app.health_parts import CheckOptions, health_parts
from argentum_desktop.app.questions import cards_command
from argentum_desktop.clock import Clock, SystemClock
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import Sensor
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.marketplace.client import HttpMarket
from argentum_desktop.marketplace.embedded import EmbeddedMarket
from argentum_desktop.marketplace.market import Market
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.store import migrations, program_state
from argentum_desktop.store.database import Database
from argentum_desktop.system.activity.reader import open_signals
from argentum_desktop.system.host import read_host
from argentum_desktop.system.single_instance import InstanceLock
from argentum_desktop.system.zone import owners_zone
from argentum_desktop.telemetry.history import open_history
from argentum_desktop.telemetry.sampler import Sampler

LOCAL_MARKET = "local"
_INSTALLATION_KEY = "installation"


class Core:
    """The application without a screen. Open it, use `service`, close it; all on one loop.

    Args:
        settings: the owner's choices.
        clock: time; a test brings its own.
        checks: how health checks are made; likewise.
        takes_work: without it only the cards are looked after.
    """

    service: LocalService
    agent: Agent

    def __init__(
        self,
        home: Home,
        settings: Settings,
        clock: Clock | None = None,
        checks: CheckOptions | None = None,
        *,
        takes_work: bool = True,
    ) -> None:
        self._checks = checks or CheckOptions()
        self._takes_work = takes_work
        self.home = home
        self.settings = settings
        self.clock = clock or SystemClock()
        self._closing = AsyncExitStack()
        self._markets: dict[str, Market] = {}
        self._embedded: EmbeddedMarket | None = None
        self._finding = asyncio.Lock()

    async def open(self) -> None:
        """Build everything and begin.

        Raises:
            ArgentumError: it cannot begin, and why; what was begun is ended again.
        """
        try:
            await self._open()
        except BaseException:
            await self._closing.aclose()
            raise

    async def close(self) -> None:
        """End everything in the reverse order of its beginning."""
        await self._closing.aclose()

    async def _open(self) -> None:
        home, clock, settings = self.home, self.clock, self.settings
        lock = InstanceLock(home.lock_file)
        self._closing.callback(lock.release)
        database = await self._opened(Database(home.agent_db, migrations.AGENT, durable=True))
        events = EventBus()
        bench = Bench(
            home=home,
            settings=settings,
            zone=owners_zone(settings.availability.timezone),
            clock=clock,
            events=events,
            book=LeaseBook(database, events),
            installation_id=await database.write(_installation_id),
            host=await asyncio.to_thread(read_host, home.root),
        )
        sensor = Sensor(cards_command(settings.cards, clock.now()), clock, events)
        self._closing.push_async_callback(sensor.close)
        history = await open_history(home.telemetry_db, lambda gpu_id: sampler.recent(gpu_id), clock, events)  # noqa: PLW0108 - made below
        self._closing.push_async_callback(history.close)
        sampler = Sampler(sensor, history, clock, events)
        names = [settings.market.url.rstrip("/") or LOCAL_MARKET]
        health = await health_parts(home, database, history, sensor, clock, self._checks)
        self.agent = Agent(
            bench,
            database,
            sensor,
            sampler,
            names,
            self._find_market,
            health,
            signals=lambda stirred: open_signals(clock, stirred),
            takes_work=self._takes_work,
        )
        self.service = LocalService(self.agent, history)
        self._closing.push_async_callback(self._close_markets)
        await self.agent.start()
        self._closing.push_async_callback(self.agent.close)
        control = ControlServer(home.control_file, self.service.control_handlers())
        await control.open()
        self._closing.push_async_callback(control.close)
        if settings.metrics.port:
            await self._open_metrics(settings.metrics.port, sensor, events)

    async def _open_metrics(self, number: int, sensor: Sensor, events: EventBus) -> None:
        """Only for who switched it on: nobody else has to load it."""
        from argentum_desktop.agent.metrics_feed import MetricsFeed
        from argentum_desktop.agent.metrics_port import MetricsPort

        feed = MetricsFeed(events, self.agent.status, lambda: sensor.pid, socket.gethostname())
        port = MetricsPort(number, feed.text, self.agent.notices, self.clock)
        self._closing.push_async_callback(port.close)
        await port.open()

    async def _opened(self, database: Database) -> Database:
        self._closing.push_async_callback(database.close)
        await database.open()
        return database

    async def _find_market(self, name: str) -> Market:
        """The market of this name, made on first use; the embedded one is started for it."""
        async with self._finding:
            if name not in self._markets:
                identity = await asyncio.to_thread(load_or_create, self.home.device_key)
                url = await self._embedded_url() if name == LOCAL_MARKET else name
                shown = self.settings.market.name or socket.gethostname()
                self._markets[name] = HttpMarket(url, identity, self.clock, name=shown)
            return self._markets[name]

    async def _embedded_url(self) -> str:
        self._embedded = EmbeddedMarket(self.home.market, self.clock, self.settings.prices.currency)
        return await self._embedded.start()

    async def _close_markets(self) -> None:
        for market in self._markets.values():
            await market.close()
        if self._embedded is not None:
            await self._embedded.close()


def _installation_id(connection: Connection) -> str:
    """Made once per home folder; tells its containers from another's on the same engine."""
    known = program_state.get(connection, _INSTALLATION_KEY)
    if known is None:
        known = secrets.token_hex(8)
        program_state.put(connection, _INSTALLATION_KEY, known)
    return known
