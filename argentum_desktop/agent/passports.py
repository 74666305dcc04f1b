"""The passports of this computer's cards: what is written into them, and what they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from sqlite3 import Connection
from typing import Any

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CardIdentity, CheckMode, Grade, HealthReport, HealthSummary
from argentum_desktop.domain.passport import DayOfWork, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import ArgentumError, PassportError
from argentum_desktop.health.passport.certificate import certificate, new_salt
from argentum_desktop.health.passport.chain import first_entry, needs_opening, next_entry, opening_body
from argentum_desktop.health.passport.codec import day_body, repair_body, report_body
from argentum_desktop.identity.keys import Identity
from argentum_desktop.store import passports, program_state
from argentum_desktop.store.database import Database

log = logging.getLogger(__name__)

# A card's standing follows from its last few checks.
LOOKED_AT = 20
_SALT_KEY = "certificate-salt"

Also = Callable[[Connection], None]


class Passports:
    """Appends to the passports with this device's key. Every entry is one transaction.

    Args:
        bench: whose `health` and `certificates` are kept true here.
    """

    def __init__(self, database: Database, identity: Identity, bench: Bench) -> None:
        self._database = database
        self._identity = identity
        self._bench = bench
        self._salt = ""

    async def load(self) -> None:
        """Read what the passports say of each card's health.

        Raises:
            StoreError: they cannot be read.
        """
        self._salt = await self._database.write(_salt)
        self._bench.health.update(await self._database.read(_standings))

    async def certify_all(self) -> None:
        """Make the certificates of all cards that have a passport."""
        for gpu_id in await self._database.read(passports.cards):
            await self.certify(gpu_id)

    def take_note(self, report: HealthReport) -> None:
        """The report counts from now on, also while it cannot be written down."""
        gpu_id = report.card.gpu_id
        self._bench.health[gpu_id] = after(self._bench.health.get(gpu_id), HealthSummary.of(report))

    async def add_check(self, gpu: Gpu, report: HealthReport, also: Also | None = None) -> PassportEntry:
        """Write down a finished check.

        Args:
            also: done in the same transaction.
        """
        return await self._add_and_certify(gpu, EntryKind.CHECK, report_body(report), also)

    async def add_witness(self, gpu: Gpu, statement: Mapping[str, Any]) -> PassportEntry:
        """Write down what a market signed about a check."""
        return await self._add_and_certify(gpu, EntryKind.WITNESSED, statement)

    async def add_repair(self, gpu: Gpu, words: str) -> PassportEntry:
        """Write down what was done to the card.

        Raises:
            PassportError: no words, or too many.
        """
        return await self._add_and_certify(gpu, EntryKind.REPAIR, repair_body(words))

    async def add_day(self, gpu: Gpu, day: DayOfWork) -> None:
        """Write down a day that is over; one that stands already is left as it is. `certify` after the last one."""
        await self._add(gpu, EntryKind.DAY, day_body(day))

    async def last_day(self, gpu_id: str) -> date | None:
        """The latest day that was written down."""
        found = await self._database.read(lambda connection: passports.last_day(connection, gpu_id))
        return None if found is None else date.fromisoformat(found)

    async def reports(self, gpu_id: str, limit: int) -> Sequence[HealthReport]:
        """A card's checks, newest first."""
        return await self._database.read(lambda connection: passports.reports(connection, gpu_id, limit))

    async def passport(self, gpu_id: str) -> Passport:
        """The whole of it.

        Raises:
            PassportError: this card has none yet.
        """
        found = await self._database.read(lambda connection: passports.read(connection, gpu_id))
        if found is None:
            raise PassportError(
                "This card has no passport yet.",
                "It begins with its first health check, or when its first day is over.",
            )
        return found

    async def _add_and_certify(
        self, gpu: Gpu, kind: EntryKind, body: Mapping[str, Any], also: Also | None = None
    ) -> PassportEntry:
        written = await self._add(gpu, kind, body, also)
        await self.certify(gpu.gpu_id)
        return written

    async def _add(self, gpu: Gpu, kind: EntryKind, body: Mapping[str, Any], also: Also | None = None) -> PassportEntry:
        now, identity, card = self._bench.clock.now(), self._identity, CardIdentity.of(gpu)

        def opening(last: PassportEntry | None) -> PassportEntry | None:
            if last is None:
                return first_entry(card, now, identity)
            if needs_opening(last, identity):
                return next_entry(last, EntryKind.OPENED, opening_body(card), now, identity)
            return None

        def following(last: PassportEntry | None) -> PassportEntry:
            if last is None:
                raise LookupError(gpu.gpu_id)
            return next_entry(last, kind, body, now, identity)

        def change(connection: Connection) -> PassportEntry:
            passports.extend(connection, gpu.gpu_id, opening)
            entry = passports.extend(connection, gpu.gpu_id, following)
            if also is not None:
                also(connection)
            return entry or following(passports.head(connection, gpu.gpu_id))

        return await self._database.write(change)

    async def certify(self, gpu_id: str) -> None:
        """What a market may be told changes with every entry."""
        try:
            passport = await self.passport(gpu_id)
            sealed = await asyncio.to_thread(certificate, passport, self._identity, self._salt)
        except ArgentumError as error:
            log.info("%s has no certificate: %s", gpu_id, error)
            self._bench.certificates.pop(gpu_id, None)
        else:
            self._bench.certificates[gpu_id] = sealed


def after(before: HealthSummary | None, latest: HealthSummary) -> HealthSummary:
    """Which of two checks of a card, the second made later, says how it stands. Pure.

    A grade needs a load, so a check that came to none takes nothing away from one that did. What a check without a
    load found wrong in the counters is over when a later one finds it well.
    """
    if before is None or latest.grade is not Grade.UNGRADED:
        return latest
    was_of_counters = before.mode is CheckMode.PASSIVE or before.grade is Grade.UNGRADED
    return latest if was_of_counters else before


def standing(newest_first: Iterable[HealthReport]) -> HealthSummary | None:
    """How a card stands after these checks. Pure."""
    found: HealthSummary | None = None
    for report in reversed(list(newest_first)):
        found = after(found, HealthSummary.of(report))
    return found


def _salt(connection: Connection) -> str:
    """Made once per home folder."""
    known = program_state.get(connection, _SALT_KEY)
    if known is None:
        known = new_salt()
        program_state.put(connection, _SALT_KEY, known)
    return known


def _standings(connection: Connection) -> dict[str, HealthSummary]:
    found = {
        gpu_id: standing(passports.reports(connection, gpu_id, LOOKED_AT)) for gpu_id in passports.cards(connection)
    }
    return {gpu_id: summary for gpu_id, summary in found.items() if summary is not None}
