"""Who is logged in, as logind tells it: each session with how long it was left alone and whether it comes from afar."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argentum_desktop.clock import Clock
from argentum_desktop.system.activity.bus import Bus, BusAbsentError, Object
from argentum_desktop.system.activity.signal import SignalUnknownError

LOGIND = Object("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
ASK_EVERY_S = 4.5
_SESSION = "org.freedesktop.login1.Session"
_GRAPHICAL = {"x11", "wayland", "mir"}


@dataclass(frozen=True)
class Session:
    """One login.

    Attributes:
        is_local: somebody sits at this computer; a session switched away from, or over a network, is not that.
        idle_s: since its user last did anything; None where its desktop never tells logind.
    """

    session_id: str
    user_id: int
    is_graphical: bool
    is_local: bool
    is_from_afar: bool
    idle_s: float | None


async def sessions(system_bus: Bus, now: datetime) -> tuple[Session, ...]:
    """The sessions of people.

    Raises:
        BusAbsentError: nobody keeps a list of them.
        SignalUnknownError: logind is there and does not tell.
    """
    (listed,) = await system_bus.ask(LOGIND, "ListSessions")
    found = []
    for session_id, user_id, _, _, path in listed:
        try:
            facts = await system_bus.read_all(Object(LOGIND.service, path, _SESSION))
        except BusAbsentError:  # it has just ended
            continue
        if facts.get("Class") in {None, "user"}:
            found.append(_session(str(session_id), int(user_id), facts, now))
    return tuple(found)


def _session(session_id: str, user_id: int, facts: Mapping[str, Any], now: datetime) -> Session:
    is_graphical = facts.get("Type") in _GRAPHICAL
    is_remote = bool(facts.get("Remote"))
    # xrdp's sessions look local to logind but for the name of the service that opened them.
    is_rdp = str(facts.get("Service", "")).startswith("xrdp")
    is_active = bool(facts.get("Active"))
    return Session(
        session_id=session_id,
        user_id=user_id,
        is_graphical=is_graphical,
        is_local=is_active and not is_remote and not is_rdp,
        is_from_afar=is_active and (is_rdp or (is_remote and is_graphical)),
        idle_s=_idle_s(facts, now, is_graphical=is_graphical),
    )


def _idle_s(facts: Mapping[str, Any], now: datetime, *, is_graphical: bool) -> float | None:
    """logind knows a text console's own time of rest; of a screen it knows what the desktop says, if it says it."""
    since_us = int(facts.get("IdleSinceHint") or 0)
    if not since_us:
        return None if is_graphical else 0.0
    if is_graphical and not facts.get("IdleHint"):
        return 0.0
    return max(0.0, now.timestamp() - since_us / 1e6)


class SessionList:
    """The sessions, asked for at most once in a few seconds by all who want to know."""

    def __init__(self, system_bus: Bus, clock: Clock) -> None:
        self._bus = system_bus
        self._clock = clock
        self._asking = asyncio.Lock()
        self._found: tuple[Session, ...] | None = None
        self._refusal: SignalUnknownError | None = None
        self._again_at_s = -math.inf

    async def now(self) -> tuple[Session, ...] | None:
        """None where nobody keeps such a list.

        Raises:
            SignalUnknownError: logind is there and does not tell.
        """
        async with self._asking:
            if self._clock.elapsed_s() >= self._again_at_s:
                self._found = self._refusal = None
                try:
                    self._found = await sessions(self._bus, self._clock.now())
                except BusAbsentError:
                    pass
                except SignalUnknownError as error:
                    self._refusal = error
                self._again_at_s = self._clock.elapsed_s() + ASK_EVERY_S
        if self._refusal is not None:
            raise self._refusal
        return self._found
