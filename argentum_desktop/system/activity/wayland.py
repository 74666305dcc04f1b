"""What a Wayland compositor tells of its owner: whether somebody is there, and whether a window fills the screen.

The messages are those of ext-idle-notify-v1 (KDE, sway and most others), of KDE's older org_kde_kwin_idle, and of
wlr-foreign-toplevel-management-unstable-v1 (sway and its kin; KDE and GNOME tell nobody of their windows).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argentum_desktop.clock import Clock
from argentum_desktop.domain.activity import FULL_SCREEN, IDLE
from argentum_desktop.system.activity.signal import SignalUnknownError, Stirred
from argentum_desktop.system.activity.wayland_wire import WaylandConnection, read_text

AGAIN_AFTER_S = 10.0
# After so long the compositor says that nobody is there, and at the next touch that somebody is.
AWAY_AFTER_MS = 1000
_SEAT, _IDLE, _OLD_IDLE = "wl_seat", "ext_idle_notifier_v1", "org_kde_kwin_idle"
_WINDOWS = "zwlr_foreign_toplevel_manager_v1"
_ACTIVATED, _FULL_SCREEN = 2, 3


@dataclass
class _Window:
    app: str = ""
    states: frozenset[int] = field(default_factory=frozenset)


class WaylandScreen:
    """The owner's session; connected by the first question, and again some seconds after it was lost.

    Args:
        stirred: called the moment somebody comes back, and when a window changes its state.
    """

    def __init__(self, environment: Mapping[str, str], clock: Clock, stirred: Stirred) -> None:
        name = environment.get("WAYLAND_DISPLAY", "")
        self._socket = Path(environment.get("XDG_RUNTIME_DIR", "/")) / name
        self.is_there = bool(name)
        self._clock = clock
        self._stirred = stirred
        self._connection: WaylandConnection | None = None
        self._connecting = asyncio.Lock()
        self._refusal: SignalUnknownError | None = None
        self._again_at_s = 0.0
        self._away_since_s: float | None = None
        self._windows: dict[int, _Window] = {}

    @property
    def tells(self) -> frozenset[str]:
        """The signals whose changes the compositor tells of."""
        if self._connection is None or not self._connection.is_open:
            return frozenset()
        offers = self._connection.offers
        return frozenset({IDLE} if _offers_idle(offers) else ()) | frozenset(
            {FULL_SCREEN} if _WINDOWS in offers else ()
        )

    async def counts_idle(self) -> bool:
        return _offers_idle((await self._connected()).offers)

    async def idle_s(self) -> float:
        await self._connected()
        if self._away_since_s is None:
            return 0.0
        return self._clock.elapsed_s() - self._away_since_s

    async def lists_windows(self) -> bool:
        return _WINDOWS in (await self._connected()).offers

    async def full_screen(self) -> str:
        """The program whose window is used and fills the screen; empty while none does."""
        await self._connected()
        wanted = {_ACTIVATED, _FULL_SCREEN}
        return next((window.app or "a program" for window in self._windows.values() if wanted <= window.states), "")

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> WaylandConnection:
        async with self._connecting:
            if self._connection is not None and self._connection.is_open:
                return self._connection
            if self._refusal is not None and self._clock.elapsed_s() < self._again_at_s:
                raise self._refusal
            await self.close()
            self._away_since_s, self._windows = None, {}
            try:
                connection = await WaylandConnection.open(self._socket)
                self._connection = connection
                self._subscribe(connection)
                await connection.settled()
            except SignalUnknownError as error:
                self._refusal = error
                self._again_at_s = self._clock.elapsed_s() + AGAIN_AFTER_S
                await self.close()
                raise
            self._refusal = None
            return connection

    def _subscribe(self, connection: WaylandConnection) -> None:
        offers = connection.offers
        if _offers_idle(offers):
            seat = connection.bind(_SEAT, 1, lambda *_: None)
            self._watch_idle(connection, seat)
        if _WINDOWS in offers:
            connection.bind(_WINDOWS, 2, lambda event, body: self._on_windows(connection, event, body))

    def _watch_idle(self, connection: WaylandConnection, seat: int) -> None:
        is_old = _IDLE not in connection.offers
        notifier = connection.bind(_OLD_IDLE if is_old else _IDLE, 1 if is_old else 2, lambda *_: None)
        # Ids must reach the compositor in the order in which they are taken.
        watch = connection.new_object(self._on_idle)
        if not is_old:
            # The second version can count keyboard and mouse alone; the first also waits for films to end.
            request = 2 if connection.offers[_IDLE][1] >= 2 else 1
            connection.send(notifier, request, struct.pack("<III", watch, AWAY_AFTER_MS, seat))
        else:
            connection.send(notifier, 0, struct.pack("<III", watch, seat, AWAY_AFTER_MS))

    def _on_idle(self, event: int, _: bytes) -> None:
        is_away = event == 0
        self._away_since_s = self._clock.elapsed_s() - AWAY_AFTER_MS / 1000 if is_away else None
        if not is_away:
            self._stirred(IDLE)

    def _on_windows(self, connection: WaylandConnection, event: int, body: bytes) -> None:
        if event == 0:
            (window_id,) = struct.unpack_from("<I", body)
            self._windows[window_id] = _Window()
            connection.handle(window_id, lambda event, body: self._on_window(connection, window_id, event, body))

    def _on_window(self, connection: WaylandConnection, window_id: int, event: int, body: bytes) -> None:
        app_id, state, done, closed = 1, 4, 5, 6
        window = self._windows[window_id]
        if event == app_id:
            window.app = read_text(body, 0)[0]
        elif event == state:
            (size,) = struct.unpack_from("<I", body)
            window.states = frozenset(struct.unpack_from(f"<{size // 4}I", body, 4))
        elif event == closed:
            del self._windows[window_id]
            connection.forget(window_id)
            connection.send(window_id, 7)
        if event in {done, closed}:
            self._stirred(FULL_SCREEN)


def _offers_idle(offers: Mapping[str, tuple[int, int]]) -> bool:
    return _SEAT in offers and (_IDLE in offers or _OLD_IDLE in offers)
