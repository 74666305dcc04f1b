"""What the commands may ask about the health of the cards.

| call | arguments → answer |
| --- | --- |
| `check` | `gpu_id`, `mode`, `against` (a passport's file to compare with, or null) → null; the check has begun |
| `check_progress` | `gpu_id` → `{"view": CheckupView or null, "ended": CheckupEnded or null}` |
| `check_cancel` | `gpu_id` → null; the card is free |
| `checks` | `gpu_id`, `limit` → the finished checks, newest first |
| `passport` | `gpu_id` → `Passport` |
| `repair` | `gpu_id`, `words` → null |
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.control import Handler
from argentum_desktop.agent.health_desk import HealthDesk
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.domain.passport import Passport
from argentum_desktop.errors import BadInputError, PassportError
from argentum_desktop.health.passport.verify import verify_file

MOST_CHECKS = 100


def health_handlers(bench: Bench, health: HealthDesk) -> Mapping[str, Handler]:
    """The calls by name."""
    calls = _HealthCalls(bench, health)
    return {
        "check": calls.check,
        "check_progress": calls.progress,
        "check_cancel": calls.cancel,
        "checks": calls.checks,
        "passport": calls.passport,
        "repair": calls.repair,
    }


class _HealthCalls:
    def __init__(self, bench: Bench, health: HealthDesk) -> None:
        self._bench = bench
        self._health = health

    async def check(self, arguments: Mapping[str, Any]) -> Any:
        mode = _text(arguments, "mode")
        if mode not in {known.value for known in CheckMode}:
            raise BadInputError(f"{mode!r} is no kind of check.", "Choose quick, full or passive.")
        file = arguments.get("against")
        against = await asyncio.to_thread(_verified, file) if file is not None else None
        await self._health.checkups.begin(_text(arguments, "gpu_id"), CheckMode(mode), against)

    async def progress(self, arguments: Mapping[str, Any]) -> Any:
        gpu_id = _text(arguments, "gpu_id")
        view, ended = self._bench.checkups.get(gpu_id), self._health.checkups.ended(gpu_id)
        return {"view": msgspec.to_builtins(view), "ended": msgspec.to_builtins(ended)}

    async def cancel(self, arguments: Mapping[str, Any]) -> Any:
        await self._health.checkups.cancel(_text(arguments, "gpu_id"))

    async def checks(self, arguments: Mapping[str, Any]) -> Any:
        limit = arguments.get("limit", MOST_CHECKS)
        if not isinstance(limit, int) or not 1 <= limit <= MOST_CHECKS:
            raise BadInputError(f"limit must be a whole number from 1 to {MOST_CHECKS}.")
        return msgspec.to_builtins(await self._health.passports.reports(_text(arguments, "gpu_id"), limit))

    async def passport(self, arguments: Mapping[str, Any]) -> Any:
        return msgspec.to_builtins(await self._health.passports.passport(_text(arguments, "gpu_id")))

    async def repair(self, arguments: Mapping[str, Any]) -> Any:
        await self._health.note_repair(_text(arguments, "gpu_id"), _text(arguments, "words"))


def _verified(file: Any) -> Passport:
    if not isinstance(file, str):
        raise BadInputError("The call does not name the passport's file.")
    found = verify_file(Path(file))
    if not found.is_sound:
        raise PassportError(f"This passport is not sound: {found.problems[0]}", "Do not rely on it.")
    return found.passport


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise BadInputError(f"The call does not say its {name}.")
    return value
