"""What the window, the tray and the commands may ask of the application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argentum_desktop.agent.status import JobView, Status
from argentum_desktop.events import EventBus
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

    `events` carries `StatusChanged`; listeners are called on the service's thread.
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
