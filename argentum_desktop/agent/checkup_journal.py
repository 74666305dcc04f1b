"""What a crash must not make forgotten: a load that has begun, and the checks that are due, with why."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Connection

import msgspec

from argentum_desktop.agent.checkup_findings import interrupted
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CheckMode, CheckResult
from argentum_desktop.errors import StoreError
from argentum_desktop.health.stress.protocol import StressPlan, StressProgress, StressRun, StressTest
from argentum_desktop.store import program_state
from argentum_desktop.store.database import Database

log = logging.getLogger(__name__)

_LOAD_KEY, _DUE_KEY = "health-load", "health-due"

Due = dict[str, tuple[CheckResult, ...]]


@dataclass(frozen=True)
class LoadBegun:
    """A load that is on a card, or was when the application ended."""

    gpu_id: str
    mode: CheckMode
    began_at: datetime


class CheckupJournal:
    """In the database before it is true; what cannot be written at once is written by `write` later."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._due: Due = {}
        self._is_changed = False
        self._is_load_over = False

    async def load(self) -> None:
        """Read what an earlier run left. A load whose end nobody wrote down becomes a check that is due.

        Raises:
            StoreError: it cannot be read.
        """
        self._due = await self._database.write(_take_up)

    # -- the load -----------------------------------------------------------------------------------------------------

    async def load_begins(self, gpu: Gpu, mode: CheckMode, at: datetime) -> None:
        """Written down before this returns.

        Raises:
            StoreError: it cannot be, so the load must not begin.
        """
        begun = msgspec.json.encode(LoadBegun(gpu.gpu_id, mode, at)).decode()
        await self._database.write(lambda connection: program_state.put(connection, _LOAD_KEY, begun))
        self._is_load_over = False

    async def load_ended(self) -> None:
        """The end, whether there was a load or not."""
        self._is_load_over = True
        await self.write()

    # -- what is due --------------------------------------------------------------------------------------------------

    def want(self, gpu_id: str, finding: CheckResult) -> None:
        """A check of this card's counters is due, and this is to stand in its report; of two alike the newer stands."""
        others = tuple(other for other in self.findings(gpu_id) if other.check_id != finding.check_id)
        self._due[gpu_id] = (*others, finding)
        self._is_changed = True

    def due(self) -> tuple[str, ...]:
        """The cards."""
        return tuple(self._due)

    def findings(self, gpu_id: str) -> tuple[CheckResult, ...]:
        """What is to stand in the card's next report."""
        return self._due.get(gpu_id, ())

    def forget(self, gpu_id: str, told: Sequence[CheckResult]) -> Callable[[Connection], None]:
        """What to do in the transaction that writes the report in which these findings stand."""
        left = msgspec.json.encode(_without(self._due, gpu_id, told)).decode()
        return lambda connection: program_state.put(connection, _DUE_KEY, left)

    def forgotten(self, gpu_id: str, told: Sequence[CheckResult]) -> None:
        """That transaction is done."""
        self._due = _without(self._due, gpu_id, told)

    async def write(self) -> None:
        """Bring the database up to date; what fails is tried again the next time."""
        if not (self._is_changed or self._is_load_over):
            return
        due, is_over = msgspec.json.encode(self._due).decode(), self._is_load_over

        def change(connection: Connection) -> None:
            program_state.put(connection, _DUE_KEY, due)
            if is_over:
                program_state.put(connection, _LOAD_KEY, None)

        self._is_changed = self._is_load_over = False
        try:
            await self._database.write(change)
        except StoreError as error:
            log.info("the journal of the health checks cannot be written now: %s", error)
            self._is_changed, self._is_load_over = True, is_over


class AnnouncedStress:
    """A `StressTest` that says that a load is about to begin, before it begins."""

    def __init__(self, stress: StressTest, announce: Callable[[], Awaitable[None]]) -> None:
        self._stress = stress
        self._announce = announce

    async def start(self, gpu: Gpu, plan: StressPlan, tell: Callable[[StressProgress], None]) -> StressRun:
        await self._announce()
        return await self._stress.start(gpu, plan, tell)


def _take_up(connection: Connection) -> Due:
    text, begun = program_state.get(connection, _DUE_KEY), program_state.get(connection, _LOAD_KEY)
    due: Due = msgspec.json.decode(text, type=Due) if text else {}
    if begun is not None:
        load = msgspec.json.decode(begun, type=LoadBegun)
        due[load.gpu_id] = (*due.get(load.gpu_id, ()), interrupted(load.began_at))
        program_state.put(connection, _DUE_KEY, msgspec.json.encode(due).decode())
        program_state.put(connection, _LOAD_KEY, None)
    return due


def _without(due: Due, gpu_id: str, told: Sequence[CheckResult]) -> Due:
    left = tuple(finding for finding in due.get(gpu_id, ()) if finding not in told)
    return {**{card: found for card, found in due.items() if card != gpu_id}, **({gpu_id: left} if left else {})}
