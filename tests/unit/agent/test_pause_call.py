"""The pause as a command asks for it: an instant that everybody understands the same way, or none."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from samples import NOON

from argentum_desktop.agent.local_service import LocalService
from argentum_desktop.errors import BadInputError


class Recorder:
    """Stands where the agent stands and remembers what it was asked."""

    def __init__(self) -> None:
        self.bench = SimpleNamespace(events=None)
        self.health = None
        self.market_terms = None
        self.asked: list[datetime | None] = []

    async def pause(self, until: datetime | None) -> None:
        self.asked.append(until)

    def status(self) -> Any:
        return SimpleNamespace(sentence="Paused.")

    def market_terms(self) -> tuple[bool, int]:
        return True, 0


@pytest.mark.parametrize("until", [None, "", NOON.isoformat(), (NOON + timedelta(hours=1)).isoformat()])
async def test_an_instant_or_none(until: str | None) -> None:
    agent = Recorder()
    service = LocalService(agent, None)  # type: ignore[arg-type]
    assert await service.control_handlers()["pause"]({"until": until}) == "Paused."
    assert agent.asked == [datetime.fromisoformat(until) if until else None]


@pytest.mark.parametrize("until", ["soon", "2026-03-01", "2026-03-01T12:00:00", 5, ["x"], {"a": 1}])
async def test_anything_else_is_refused_and_never_remembered(until: Any) -> None:
    """An instant without a zone would be written down and could be compared with nothing, at every start anew."""
    agent = Recorder()
    service = LocalService(agent, None)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=r"no point in time|time zone"):
        await service.control_handlers()["pause"]({"until": until})
    assert agent.asked == []
