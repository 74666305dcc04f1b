"""The leases, moved from state to state in one place only: checked, written down, then announced."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from argentum_desktop.domain.decision_record import DecisionRecord
from argentum_desktop.domain.job import ALLOWED_MOVES, JobState
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.events import EventBus
from argentum_desktop.store import decisions, leases, ledger
from argentum_desktop.store.database import Database


@dataclass(frozen=True)
class LeaseMoved:
    """A lease entered another state, or something about it changed."""

    lease: Lease


class LeaseBook:
    """Every lease this machine holds or held, on disk before in memory."""

    def __init__(self, database: Database, events: EventBus) -> None:
        self._database = database
        self._events = events

    async def open(self, lease: Lease, record: DecisionRecord) -> None:
        """Write down that this offer is about to be accepted, and why."""

        def change(connection: sqlite3.Connection) -> None:
            decisions.add(connection, record)
            leases.save(connection, lease)

        await self._database.write(change)
        self._events.publish(LeaseMoved(lease))

    async def refuse(self, record: DecisionRecord) -> None:
        """Write down that an offer is declined, and why."""
        await self._database.write(lambda connection: decisions.add(connection, record))

    async def decision_about(self, lease_id: str) -> DecisionRecord | None:
        """Why an offer was accepted or declined; None when that is not known any more."""
        return await self._database.read(lambda connection: decisions.about(connection, lease_id))

    async def move(self, lease: Lease, state: JobState, *, posting: Transaction | None = None, **changes: Any) -> Lease:
        """Enter `state` with `changes`; a settlement is posted in the same transaction.

        Raises:
            ValueError: no such move is allowed; a fault of the program.
        """
        if state not in ALLOWED_MOVES[lease.state]:
            raise ValueError(f"a job cannot go from {lease.state} to {state}")
        return await self._save(replace(lease, state=state, **changes), posting)

    async def note(self, lease: Lease, **changes: Any) -> Lease:
        """Change something other than the state."""
        return await self._save(replace(lease, **changes), None)

    async def unfinished(self) -> Sequence[Lease]:
        return await self._database.read(leases.unfinished)

    async def recent(self, limit: int) -> Sequence[Lease]:
        return await self._database.read(lambda connection: leases.recent(connection, limit))

    async def touching(self, start: datetime, end: datetime) -> Sequence[Lease]:
        """Those that were held at any moment of this time, oldest first."""
        return await self._database.read(lambda connection: leases.touching(connection, start, end))

    async def find(self, lease_id: str) -> Lease | None:
        return await self._database.read(lambda connection: leases.find(connection, lease_id))

    async def _save(self, lease: Lease, posting: Transaction | None) -> Lease:
        def change(connection: sqlite3.Connection) -> None:
            leases.save(connection, lease)
            if posting is not None:
                ledger.add(connection, posting)

        await self._database.write(change)
        self._events.publish(LeaseMoved(lease))
        return lease
