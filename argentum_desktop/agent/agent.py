"""The agent: everything that goes on without anybody looking."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from sqlite3 import Connection

from argentum_desktop.agent.activity_watch import ActivityChanged, ActivityWatch, SignalOpener
from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.card_use_watch import CardUseWatch
from argentum_desktop.agent.cards_watch import CardsWatch
from argentum_desktop.agent.energy_files import EnergyFiles
from argentum_desktop.agent.engine_watch import EngineWatch
from argentum_desktop.agent.handback_book import HandBackBook
from argentum_desktop.agent.health_desk import HealthDesk, HealthParts
from argentum_desktop.agent.income import Income
from argentum_desktop.agent.jobs_at_work import JobsAtWork
from argentum_desktop.agent.lease_book import LeaseMoved
from argentum_desktop.agent.loops import Loops
from argentum_desktop.agent.market_link import MarketLink
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.power_profile import PowerWatch
from argentum_desktop.agent.recovery import clear_leftovers
from argentum_desktop.agent.status import Status, StatusChanged
from argentum_desktop.agent.status_board import board
from argentum_desktop.agent.thermal_guard import ThermalGuard
from argentum_desktop.domain.lease import Lease
from argentum_desktop.errors import ArgentumError, StoreError
from argentum_desktop.gpus.watched_sensor import Sensor
from argentum_desktop.marketplace.market import Market
from argentum_desktop.policy.gates import Pause
from argentum_desktop.store import program_state
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.sampler import Sampler

log = logging.getLogger(__name__)

TICK_S = 1.0
LOOK_EVERY_TICKS = 5
REFRESH_EVERY_TICKS = 60
# What the market and the engine may need beyond the notice that a job gets.
SETTLED_WITHIN_S = 20
_PAUSE_KEY = "paused"
_STORE = "store"
_STORE_CHECKED_KEY = "store-checked"
_FOR_EVER = "until resumed"

MarketFinder = Callable[[str], Awaitable[Market]]


class Agent:
    """Holds the stages together: cards, markets, decisions, jobs, money.

    Args:
        market_names: the markets to take work from, by their names in the ledger.
        find_market: connects a name with its market; starts the embedded one where that is meant.
        health: what the health of the cards is looked after with.
        signals: opens what tells of the owner's own use of the computer; without it nobody watches that.
        takes_work: without it only the cards are looked after, as for a health check from a terminal.
    """

    def __init__(
        self,
        bench: Bench,
        database: Database,
        sensor: Sensor,
        sampler: Sampler,
        market_names: Sequence[str],
        find_market: MarketFinder,
        health: HealthParts,
        *,
        signals: SignalOpener | None = None,
        takes_work: bool = True,
    ) -> None:
        self.bench = bench
        self.notices = NoticeBoard()
        self.income = Income(database, bench)
        self._database = database
        self._sampler = sampler
        self._market_names = market_names
        self._find_market = find_market
        self.jobs = JobsAtWork(bench, self._job_closed)
        bench.busy = self.jobs.busy
        self._loops = Loops(bench.clock, self._note_store_failure)
        self._links: dict[str, MarketLink] = {}
        self._engine = EngineWatch(bench, self.notices, lambda: bool(self.jobs.runs() or self.jobs.waiting))
        self._cards = CardsWatch(bench, sensor, self.notices, self.jobs.runs)
        self._activity = ActivityWatch(bench, self.jobs.runs, signals) if signals is not None else None
        self._card_use = CardUseWatch(bench)
        self._thermal = ThermalGuard(bench, database, sensor, self.notices, self.jobs.runs)
        self._energy_files = EnergyFiles(bench, self.notices)
        self._power = PowerWatch(bench, database, self.jobs.runs)
        self.handbacks = HandBackBook(database, bench.events, self.jobs.runs)
        self.health = HealthDesk(
            bench, self.notices, health, sampler, self.jobs.busy, self._look_again, self._connected_markets
        )
        self._takes_work = takes_work
        self._is_started = False
        self._store_failed = False
        self._told: tuple[object, ...] = ()
        bench.events.subscribe(LeaseMoved, lambda _: self._lease_moved())
        bench.events.subscribe(ActivityChanged, lambda _: self._look_again())

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read what an earlier run left, then begin; the engine takes a second to answer and is not waited for.

        Raises:
            StoreError: the database cannot be read.
        """
        self.bench.pause = await self._database.read(read_pause)
        await self.income.refresh()
        await self.handbacks.load()
        await self._thermal.load()
        await self._power.load()
        await self._energy_files.look()
        self.jobs.expect(await self.bench.book.unfinished())
        await self.health.open(self._loops)
        self._loops.start(self._sampler.run)
        self._loops.start(self._cards.run)
        self._loops.start(self._thermal.run)
        self._loops.start(self._power.run)
        self._loops.start(self._energy_files.run)
        if self._takes_work:
            if self._activity is not None:
                self._loops.start(self._activity.run)
            self._loops.start(self._begin_work)

    async def _begin_work(self) -> None:
        """Take up what an earlier run left, then look for more."""
        await self._engine.look()
        await self._clear(self.jobs.waiting)
        self._loops.start(self._engine.run)
        for lease in self.jobs.waiting:
            self._loops.start(self._resume_job, lease)
        for name in self._market_names:
            self._loops.start(self._work_for, name)
        self._loops.start(self._tick)
        self._is_started = True
        self._tell()

    async def close(self) -> None:
        """Take a load off a card, give running jobs back in good order, settle what can be settled, and stop."""
        await self.health.checkups.close()
        self.jobs.give_back("The owner closed Argentum Desktop.")
        await self.jobs.end(self.bench.settings.jobs.stop_grace_s + SETTLED_WITHIN_S)
        await self._loops.end()
        await self._power.close()
        await self._thermal.restore()
        await self.handbacks.close()
        await self._sampler.flush()
        await self._engine.close()

    def status(self) -> Status:
        """What is true now."""
        return board(
            self.bench,
            self.jobs.runs(),
            list(self._links.values()),
            self.notices,
            today=self.income.today,
            week=self.income.week,
            earned_today=self.income.per_card,
            is_started=self._is_started,
            handback=self.handbacks.figures(),
        )

    def _connected_markets(self) -> list[Market]:
        return [link.market for link in self._links.values() if link.status.is_connected]

    def market_terms(self) -> tuple[bool, int]:
        """Whether the first market is this computer's own, and its share of a price in millionths."""
        for link in self._links.values():
            return link.is_local, link.fee_ppm
        return not self.bench.settings.market.url, 0

    async def market(self, name: str) -> Market:
        """One of the markets, by its name in the ledger.

        Raises:
            MarketError: it cannot be had.
        """
        return await self._find_market(name)

    # -- what the owner asks ------------------------------------------------------------------------------------------

    async def pause(self, until: datetime | None) -> None:
        """Freeze what runs and take nothing new. Remembered over a restart."""
        await self._remember_pause(Pause(until))

    async def resume(self) -> None:
        await self._remember_pause(None)

    async def stop_jobs(self) -> None:
        """Give every job back, with notice, and stay paused."""
        self.jobs.give_back("The owner stopped it.")
        await self.pause(None)

    async def _remember_pause(self, pause: Pause | None) -> None:
        """The owner's wish comes true at once; where it cannot be written down, it is as soon as it can."""
        self.bench.pause = pause
        self.jobs.wake()
        try:
            await self._write_pause()
        except StoreError as error:
            self._note_store_failure(error)
        self._look_again()

    async def _write_pause(self) -> None:
        pause = self.bench.pause
        value = None if pause is None else pause.until.isoformat() if pause.until else _FOR_EVER
        await self._database.write(lambda connection: program_state.put(connection, _PAUSE_KEY, value))

    # -- work ---------------------------------------------------------------------------------------------------------

    async def _work_for(self, name: str) -> None:
        """Take offers of one market for as long as the application runs."""
        try:
            market = await self._find_market(name)
        except ArgentumError as error:
            self.notices.put(f"market {name}", error)
            raise
        self.notices.take_down(f"market {name}")
        if name not in self._links:
            self._links[name] = MarketLink(
                name, market, self.bench, self._database, busy=self.jobs.busy, accepted=self.jobs.begin
            )
        await self._links[name].run()

    async def _resume_job(self, lease: Lease) -> None:
        """Go on with a job that an earlier run of this application began."""
        self.jobs.take_up(lease, await self._find_market(lease.market))

    async def _job_closed(self) -> None:
        try:
            await self.income.refresh()
        except StoreError as error:
            self._note_store_failure(error)
        self._look_again()

    async def _clear(self, unfinished: Sequence[Lease]) -> None:
        try:
            await clear_leftovers(self.bench, unfinished)
        except ArgentumError as error:
            log.warning("leftovers of an earlier run stay for now: %s", error)

    # -- time ---------------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Rules change with time: a window opens, a pause ends, a card cools down, a new day begins."""
        ticks = 0
        seen: tuple[object, ...] = ()
        while True:
            await self.bench.clock.sleep(TICK_S)
            ticks += 1
            facts = self._facts()
            if facts != seen or ticks % LOOK_EVERY_TICKS == 0:
                seen = facts
                for link in self._links.values():
                    link.look_again()
            if ticks % REFRESH_EVERY_TICKS == 0:
                await self.income.refresh()
            if ticks % 5 == 0:
                await self._look_at_store()
                self._tell()

    def _facts(self) -> tuple[object, ...]:
        """What most decides about offers, cheap enough for each second; all the rules together are not."""
        bench = self.bench
        busy = tuple(lease.lease_id for lease in self.jobs.busy())
        return (bench.current_pause(), bench.engine_problem, *bench.gpus, *bench.readings, *bench.checkups, busy)

    async def _look_at_store(self) -> None:
        """After a fault of the database, see whether it can be written again."""
        if not self._store_failed:
            return
        now = self.bench.clock.now().isoformat()
        await self._database.write(lambda connection: program_state.put(connection, _STORE_CHECKED_KEY, now))
        await self._write_pause()
        self._store_failed = False
        self.notices.take_down(_STORE)

    def _note_store_failure(self, error: StoreError) -> None:
        self._store_failed = True
        self.notices.put(_STORE, error)

    def _look_again(self) -> None:
        self.jobs.wake()
        for link in self._links.values():
            link.look_again()
        self._tell()

    def _lease_moved(self) -> None:
        if self._activity is not None:
            self._activity.look_again()
        self._tell()

    def _tell(self) -> None:
        """Publish the status when it says something new."""
        status = self.status()
        told = (status.state, status.sentence, status.notices, status.today, status.markets, status.paused_until)
        if told != self._told:
            self._told = told
            self.bench.events.publish(StatusChanged(status))


def read_pause(connection: Connection) -> Pause | None:
    """The pause that an earlier run of the application was told."""
    value = program_state.get(connection, _PAUSE_KEY)
    if value is None:
        return None
    return Pause(None if value == _FOR_EVER else datetime.fromisoformat(value))
