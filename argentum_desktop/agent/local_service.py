"""The owner's service, answered by the agent of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from argentum_desktop.agent.agent import Agent
from argentum_desktop.agent.control import Handler
from argentum_desktop.agent.explain import explain_handlers
from argentum_desktop.agent.health_calls import health_handlers
from argentum_desktop.agent.service import QuitRequested, ShowRequested
from argentum_desktop.agent.status import JobView, Status
from argentum_desktop.agent.status_board import view
from argentum_desktop.domain.health import CheckMode, HealthReport
from argentum_desktop.errors import BadInputError
from argentum_desktop.health.passport.verify import Verification
from argentum_desktop.ledger.earnings import DayEarnings
from argentum_desktop.telemetry.history import History, Point


class LocalService:
    """See `OwnerService`; what it has beyond that serves the commands."""

    def __init__(self, agent: Agent, history: History) -> None:
        self.events = agent.bench.events
        self._agent = agent
        self._history = history

    async def status(self) -> Status:
        return self._agent.status()

    async def pause(self, until: datetime | None) -> Status:
        await self._agent.pause(until)
        return self._agent.status()

    async def resume(self) -> Status:
        await self._agent.resume()
        return self._agent.status()

    async def stop_jobs(self) -> Status:
        await self._agent.stop_jobs()
        return self._agent.status()

    async def recent_jobs(self, limit: int) -> Sequence[JobView]:
        runs = {run.lease.lease_id: run for run in self._agent.jobs.runs()}
        leases = await self._agent.bench.book.recent(limit)
        return [view(lease, self._agent.bench, runs.get(lease.lease_id)) for lease in leases]

    async def log_tail(self, lease_id: str, limit_bytes: int) -> str:
        """The end of a running job's log; a finished one's belongs to its buyer and is gone from here."""
        run = next((run for run in self._agent.jobs.runs() if run.lease.lease_id == lease_id), None)
        return run.log_tail[-limit_bytes:] if run is not None else ""

    async def series(self, gpu_id: str, metric: str, start: datetime, end: datetime, points: int) -> Sequence[Point]:
        return await self._history.series(gpu_id, metric, start, end, points)

    async def earnings(self, days: int) -> Sequence[DayEarnings]:
        return await self._agent.income.days(days)

    async def start_check(self, gpu_id: str, mode: CheckMode) -> None:
        await self._agent.health.checkups.begin(gpu_id, mode)

    async def cancel_check(self, gpu_id: str) -> None:
        await self._agent.health.checkups.cancel(gpu_id)

    async def checks(self, gpu_id: str, limit: int) -> Sequence[HealthReport]:
        return await self._agent.health.passports.reports(gpu_id, limit)

    async def passport(self, gpu_id: str) -> Verification:
        return await self._agent.health.passports.verified(gpu_id)

    async def note_repair(self, gpu_id: str, words: str) -> None:
        await self._agent.health.note_repair(gpu_id, words)

    def control_handlers(self) -> Mapping[str, Handler]:
        """What the commands may call, by name."""
        return {
            "status": self._on_status,
            "pause": self._on_pause,
            "resume": self._on_resume,
            "stop": self._on_stop,
            "show": self._on_show,
            "quit": self._on_quit,
            **health_handlers(self._agent.bench, self._agent.health),
            **explain_handlers(self._agent.bench, self._agent.market_terms),
        }

    async def _on_status(self, _: Mapping[str, Any]) -> Any:
        return msgspec.to_builtins(self._agent.status())

    async def _on_pause(self, arguments: Mapping[str, Any]) -> Any:
        until = arguments.get("until")
        try:
            instant = datetime.fromisoformat(until) if until else None
        except (TypeError, ValueError) as error:
            raise BadInputError(f"{until!r} is no point in time.") from error
        if instant is not None and instant.tzinfo is None:
            raise BadInputError(f"{until!r} does not say in which time zone it is.")
        return (await self.pause(instant)).sentence

    async def _on_resume(self, _: Mapping[str, Any]) -> Any:
        return (await self.resume()).sentence

    async def _on_stop(self, _: Mapping[str, Any]) -> Any:
        return (await self.stop_jobs()).sentence

    async def _on_show(self, _: Mapping[str, Any]) -> Any:
        self.events.publish(ShowRequested())

    async def _on_quit(self, _: Mapping[str, Any]) -> Any:
        self.events.publish(QuitRequested())
