"""The passports of this computer's cards: what is written into them, and what they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from sqlite3 import Connection
from typing import Any

from argentum_desktop.agent.bench import Bench
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CardIdentity, HealthReport, HealthSummary
from argentum_desktop.domain.passport import DayOfWork, EntryKind, Passport, PassportEntry
from argentum_desktop.errors import ArgentumError, PassportError
from argentum_desktop.health.passport.certificate import certificate, new_salt
from argentum_desktop.health.passport.chain import first_entry, needs_opening, next_entry, opening_body
from argentum_desktop.health.passport.codec import day_body, repair_body, report_body
from argentum_desktop.health.passport.match import MatchVerdict, match, matched_body
from argentum_desktop.health.passport.trust import Readers
from argentum_desktop.health.passport.verify import Verification, verify_passport
from argentum_desktop.identity.keys import Identity
from argentum_desktop.store import passports, program_state
from argentum_desktop.store.database import Database
from argentum_desktop.store.known_markets import known_markets

log = logging.getLogger(__name__)

# A card's standing follows from its last few checks.
LOOKED_AT = 20
_SALT_KEY = "certificate-salt"

Also = Callable[[Connection], None]
Written = tuple[EntryKind, Mapping[str, Any]]
FindIdentity = Callable[[], Awaitable[Identity]]


class Passports:
    """Appends to the passports with this device's key. Every entry is one transaction.

    Args:
        find_identity: the key of this device; may raise `IdentityError`, and is asked again the next time.
        bench: whose `health` and `certificates` are kept true here.
    """

    def __init__(self, database: Database, find_identity: FindIdentity, bench: Bench) -> None:
        self._database = database
        self._find_identity = find_identity
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
        """Make the certificates of all cards that have a passport.

        Raises:
            IdentityError: the key of this device cannot be used.
        """
        gpu_ids = await self._database.read(passports.cards)
        if gpu_ids:
            await self._find_identity()
        for gpu_id in gpu_ids:
            await self.certify(gpu_id)

    def take_note(self, report: HealthReport) -> None:
        """The report counts from now on, also while it cannot be written down."""
        gpu_id = report.card.gpu_id
        self._bench.health[gpu_id] = after(self._bench.health.get(gpu_id), HealthSummary.of(report))

    async def add_check(
        self, gpu: Gpu, report: HealthReport, also: Also | None = None, against: Passport | None = None
    ) -> None:
        """Write down a finished check.

        Args:
            also: done in the same transaction.
            against: a verified passport that is said to be this card's. How they compare is written down too; where it
                is this card's, and the card has none here, it goes on here under this device's key.
        """
        check = (EntryKind.CHECK, report_body(report))
        found = match(against, report) if against is not None else None
        if found is None or found.verdict is MatchVerdict.ANOTHER_CARD:
            await self._add_and_certify(gpu, check, also=also)
            return
        adopted = against if found.is_same and found.other_gpu_id == gpu.gpu_id else None
        await self._add_and_certify(gpu, (EntryKind.MATCHED, matched_body(found)), check, also=also, adopted=adopted)

    async def add_witness(self, gpu: Gpu, statement: Mapping[str, Any]) -> None:
        """Write down what a market signed about a check."""
        await self._add_and_certify(gpu, (EntryKind.WITNESSED, statement))

    async def add_repair(self, gpu: Gpu, words: str) -> None:
        """Write down what was done to the card.

        Raises:
            PassportError: no words, or too many.
        """
        await self._add_and_certify(gpu, (EntryKind.REPAIR, repair_body(words)))

    async def add_day(self, gpu: Gpu, day: DayOfWork) -> None:
        """Write down a day that is over; one that stands already is left as it is. `certify` after the last one."""
        await self._add(gpu, (EntryKind.DAY, day_body(day)))

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

    async def verified(self, gpu_id: str) -> Verification:
        """The whole of it, and how far it can be believed here.

        Raises:
            PassportError: this card has none yet.
            IdentityError: the key of this device cannot be used.
        """
        passport = await self.passport(gpu_id)
        readers = Readers((await self._find_identity()).public_key, await self._database.read(known_markets))
        return await asyncio.to_thread(verify_passport, passport, readers)

    async def _add_and_certify(
        self, gpu: Gpu, *entries: Written, also: Also | None = None, adopted: Passport | None = None
    ) -> None:
        await self._add(gpu, *entries, also=also, adopted=adopted)
        await self.certify(gpu.gpu_id)

    async def _add(
        self, gpu: Gpu, *entries: Written, also: Also | None = None, adopted: Passport | None = None
    ) -> None:
        """All of them or none, after what opens the passport where that is needed."""
        now, identity, gpu_id = self._bench.clock.now(), await self._find_identity(), gpu.gpu_id
        card = CardIdentity.of(gpu)
        takes_over = entries[0][0] is EntryKind.MATCHED

        def opening(last: PassportEntry | None) -> PassportEntry | None:
            if last is None:
                return first_entry(card, now, identity)
            if needs_opening(last, identity) and not takes_over:
                return next_entry(last, EntryKind.OPENED, opening_body(card), now, identity)
            return None

        def following(last: PassportEntry | None, entry: Written) -> PassportEntry:
            if last is None:
                raise LookupError(gpu_id)
            return next_entry(last, *entry, now, identity)

        def change(connection: Connection) -> None:
            if adopted is not None:
                passports.adopt(connection, adopted)
            passports.extend(connection, gpu_id, opening)
            for entry in entries:
                passports.extend(connection, gpu_id, partial(following, entry=entry))
            if also is not None:
                also(connection)

        await self._database.write(change)

    async def certify(self, gpu_id: str) -> None:
        """What a market may be told changes with every entry."""
        try:
            passport = await self.passport(gpu_id)
            identity = await self._find_identity()
            sealed = await asyncio.to_thread(certificate, passport, identity, self._salt)
        except ArgentumError as error:
            log.info("%s has no certificate: %s", gpu_id, error)
            self._bench.certificates.pop(gpu_id, None)
        else:
            self._bench.certificates[gpu_id] = sealed


def after(before: HealthSummary | None, latest: HealthSummary) -> HealthSummary:
    """Which of two checks of a card, the second made later, says how it stands. Pure."""
    return latest if before is None or latest.stands_after(before) else before


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
