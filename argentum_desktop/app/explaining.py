"""Decisions explained and weeks replayed without the running application."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from argentum_desktop.agent.agent import read_pause
from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.energy_files import EnergyFiles
from argentum_desktop.agent.explain import Explanation, Question, explain
from argentum_desktop.agent.lease_book import LeaseBook
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.agent.what_if import TooFewRecordsError, WhatIf, read_past, what_if, with_choices
from argentum_desktop.app.questions import look_at_cards
from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.decision import Decision
from argentum_desktop.domain.decision_record import DecisionRecord
from argentum_desktop.errors import BadInputError
from argentum_desktop.events import EventBus
from argentum_desktop.paths import Home
from argentum_desktop.policy.replay import Choices
from argentum_desktop.settings.schema import Settings
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database
from argentum_desktop.system.host import read_host
from argentum_desktop.system.zone import owners_zone

# Known only to the running application.
_NOT_ASKED = frozenset({"engine", "health", "checkup"})


async def explain_alone(home: Home, settings: Settings, question: Question) -> tuple[Explanation, ...]:
    """Read the cards once and say what would be decided about them.

    Raises:
        ArgentumError: the cards cannot be read, there is no such card, or the question cannot be answered.
    """
    bench, database = _bench(home, settings), _database(home)
    await EnergyFiles(bench, NoticeBoard()).look()
    if home.agent_db.exists():
        try:
            await database.open()
            bench.pause = await database.read(read_pause)
        finally:
            await database.close()
    reports, readings = await look_at_cards(settings)
    bench.readings.update({reading.gpu_id: reading for reading in readings})
    is_local = not settings.market.url
    gpus = [gpu for report in reports for gpu in report.gpus]
    found = explain(question, [bench.circumstances(gpu, market_is_local=is_local) for gpu in gpus])
    return tuple(replace(one, decision=_honest(one.decision)) for one in found)


def _honest(decision: Decision) -> Decision:
    """A yes that nobody asked for is not told as one that somebody gave."""
    asked = (
        replace(verdict, reason="not asked") if verdict.rule in _NOT_ASKED and verdict.is_yes else verdict
        for verdict in decision.verdicts
    )
    return replace(decision, verdicts=tuple(asked))


async def recorded_decision(home: Home, lease_id: str) -> DecisionRecord:
    """Why an offer was accepted or declined, as it was written down then.

    Raises:
        BadInputError: nothing is known of such a lease, or not any more.
        StoreError: the records cannot be read.
    """
    record = None
    if home.agent_db.exists():
        database = _database(home)
        try:
            await database.open()
            record = await LeaseBook(database, EventBus()).decision_about(lease_id)
        finally:
            await database.close()
    if record is None:
        raise BadInputError(
            f"No decision about {lease_id[:60]!r} is known.",
            "Decisions are kept for a month; argentum-desktop status lists the jobs.",
        )
    return record


async def what_if_alone(home: Home, settings: Settings, changes: Sequence[str]) -> WhatIf:
    """Replay what this home recorded under changed choices, whether the application runs or not.

    Raises:
        BadInputError: a change cannot be used.
        TooFewRecordsError: less was recorded than would say anything.
        StoreError: the records cannot be read.
    """
    asked = with_choices(settings, changes)
    if not home.agent_db.exists():
        raise TooFewRecordsError("Nothing was recorded here yet.", "Let it run for some days.")
    database = _database(home)
    try:
        await database.open()
        past = await read_past(database, SystemClock().now())
    finally:
        await database.close()
    chosen, wanted = await asyncio.gather(_choices(home, settings), _choices(home, asked))
    return await asyncio.to_thread(what_if, past, chosen, wanted, changes)


async def _choices(home: Home, settings: Settings) -> Choices:
    """The choices with the owner's files of prices and of the grid."""
    bench = _bench(home, settings)
    await EnergyFiles(bench, NoticeBoard()).look()
    return Choices(settings, bench.zone, bench.tariff, bench.grid)


def _bench(home: Home, settings: Settings) -> Bench:
    """A bench at which nobody works: its book is never opened."""
    events = EventBus()
    return Bench(
        home=home,
        settings=settings,
        zone=owners_zone(settings.availability.timezone),
        clock=SystemClock(),
        events=events,
        book=LeaseBook(_database(home), events),
        installation_id="",
        host=read_host(home.root if home.root.exists() else home.root.parent),
    )


def _database(home: Home) -> Database:
    return Database(home.agent_db, migrations.AGENT, durable=True)
