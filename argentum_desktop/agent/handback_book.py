"""The promise to give the machine back quickly: every time it was made good is measured, kept and shown."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from argentum_desktop.agent.handback import HandedBack
from argentum_desktop.agent.job_run import JobRun
from argentum_desktop.domain.handback import KEPT, HandBack, HandBackFigures, figures
from argentum_desktop.domain.job import JobState
from argentum_desktop.errors import StoreError
from argentum_desktop.events import EventBus
from argentum_desktop.store import handbacks
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.sampler import ReadingsTaken

log = logging.getLogger(__name__)


class HandBackBook:
    """Listens for hand-backs, and lets running jobs know of new readings.

    Args:
        runs: the jobs under way.
    """

    def __init__(self, database: Database, events: EventBus, runs: Callable[[], Sequence[JobRun]]) -> None:
        self._database = database
        self._runs = runs
        self._frozen: deque[HandBack] = deque(maxlen=KEPT)
        self._freed: deque[HandBack] = deque(maxlen=KEPT)
        self._writing: set[asyncio.Task[None]] = set()
        events.subscribe(HandedBack, lambda event: self._add(event.made))
        events.subscribe(ReadingsTaken, lambda _: self.signal())

    async def load(self) -> None:
        """Take up what earlier runs measured.

        Raises:
            StoreError: the database cannot be read.
        """
        for made in await self._database.read(handbacks.recent):
            self._keep(made)

    def figures(self) -> HandBackFigures:
        return figures([*self._frozen, *self._freed])

    def signal(self) -> None:
        """Let every running job look whether the machine is wanted back."""
        for run in self._runs():
            if run.lease.state is JobState.RUNNING:
                run.signal()

    async def close(self) -> None:
        """Wait for what is still being written."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _add(self, made: HandBack) -> None:
        self._keep(made)
        level = logging.DEBUG if made.is_kept else logging.INFO
        log.log(level, "handed back: %s", made)
        task = asyncio.ensure_future(self._write(made))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _keep(self, made: HandBack) -> None:
        (self._freed if made.frozen_ms is None else self._frozen).append(made)

    async def _write(self, made: HandBack) -> None:
        try:
            await self._database.write(lambda connection: handbacks.add(connection, made))
        except StoreError as error:
            # A figure less at the next start; nothing that anybody would have to mend for.
            log.info("a hand-back could not be written down: %s", error)
