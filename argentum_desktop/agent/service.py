"""What the window, the tray and the commands may ask of the application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argentum_desktop.agent.status import JobView, Status
from argentum_desktop.domain.health import CheckMode, HealthReport
from argentum_desktop.events import EventBus
from argentum_desktop.health.passport.verify import Verification
from argentum_desktop.ledger.earnings import DayEarnings
from argentum_desktop.telemetry.history import Point


@dataclass(frozen=True)
class ShowRequested:
    """Somebody started the application a second time, or asked for its window."""


@dataclass(frozen=True)
class QuitRequested:
    """Somebody asked the application to end."""


class OwnerService(Protocol):
    """The owner's side of the house. Every coroutine runs on the service's loop and may raise `ArgentumError`.

    `events` carries `StatusChanged`, `CheckupProgressed` and `CheckupEnded`; listeners are called on the service's
    thread.
    """

    events: EventBus

    async def status(self) -> Status: ...

    async def pause(self, until: datetime | None) -> Status:
        """Freeze what runs and take nothing new, until an instant or (None) until `resume`."""
        ...

    async def resume(self) -> Status: ...

    async def stop_jobs(self) -> Status:
        """End what runs, with the notice the owner set, and pause."""
        ...

    async def recent_jobs(self, limit: int) -> Sequence[JobView]:
        """Newest first, finished ones included."""
        ...

    async def log_tail(self, lease_id: str, limit_bytes: int) -> str: ...

    async def series(self, gpu_id: str, metric: str, start: datetime, end: datetime, points: int) -> Sequence[Point]:
        """At most `points` points of one of `domain.gpu.METRICS`, oldest first; no point where nothing was recorded."""
        ...

    async def earnings(self, days: int) -> Sequence[DayEarnings]:
        """One entry per day of the last `days` days in the owner's zone, today last, days without income included."""
        ...

    async def start_check(self, gpu_id: str, mode: CheckMode) -> None:
        """Begin a health check; it takes the card off the market until it ends.

        Raises:
            CheckRefusedError: not now, and why: a job runs on it, another card is being checked, on battery …
        """
        ...

    async def cancel_check(self, gpu_id: str) -> None:
        """End it at once; the card is free within a second. Nothing happens when none runs."""
        ...

    async def checks(self, gpu_id: str, limit: int) -> Sequence[HealthReport]:
        """The finished checks of a card, newest first."""
        ...

    async def passport(self, gpu_id: str) -> Verification:
        """Everything that was written down about a card, and how far it can be believed.

        Raises:
            PassportError: it has none yet.
        """
        ...

    async def note_repair(self, gpu_id: str, words: str) -> None:
        """Write down what was done to the card, in the owner's words (1 to 500 characters)."""
        ...
