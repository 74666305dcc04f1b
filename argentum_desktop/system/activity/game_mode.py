"""Games that announced themselves to Feral's GameMode, which most launchers on Linux ask for."""

from __future__ import annotations

from collections.abc import Callable

from argentum_desktop.system.activity.bus import Bus, BusAbsentError, Object
from argentum_desktop.system.processes import process_name

_GAME_MODE = Object("com.feralinteractive.GameMode", "/com/feralinteractive/GameMode", "com.feralinteractive.GameMode")


class GameMode:
    """Asked when it runs; it is never started by asking.

    Args:
        stirred: called the moment a game announces itself or ends.
    """

    def __init__(self, session_bus: Bus, stirred: Callable[[], None]) -> None:
        self._bus = session_bus
        self._stirred = stirred
        self._is_listening = False

    async def game(self) -> str:
        """The game that runs; empty while none does, or where GameMode is not there."""
        try:
            if not self._is_listening:
                for signal in ("GameRegistered", "GameUnregistered"):
                    await self._bus.listen(_GAME_MODE, signal, lambda *_: self._stirred())
                self._is_listening = True
            if not await self._bus.read(_GAME_MODE, "ClientCount"):
                return ""
            return await self._name()
        except BusAbsentError:
            return ""

    async def _name(self) -> str:
        try:
            (games,) = await self._bus.ask(_GAME_MODE, "ListGames")
        except BusAbsentError:  # before its version 1.4
            return "a game"
        names = (process_name(int(game[0])) for game in games)
        return next((name for name in names if name), "a game")
