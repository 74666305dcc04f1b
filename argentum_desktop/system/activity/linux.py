"""The signals of a Linux computer, each from the best of its sources, whatever desktop there is, if any."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from argentum_desktop.clock import Clock
from argentum_desktop.domain.activity import FULL_SCREEN, IDLE, METERED, NOBODY_S
from argentum_desktop.system.activity.bus import Bus, BusAbsentError
from argentum_desktop.system.activity.desktops import IdleMonitor, screen_kept_awake, screen_saver_idle_s
from argentum_desktop.system.activity.game_mode import GameMode
from argentum_desktop.system.activity.network import NETWORK_MANAGER, is_metered
from argentum_desktop.system.activity.sessions import LOGIND, Session, SessionList
from argentum_desktop.system.activity.signal import SignalUnknownError, Stirred, Surroundings
from argentum_desktop.system.activity.sleep import LogindSleep, Suspending
from argentum_desktop.system.activity.wayland import WaylandScreen
from argentum_desktop.system.activity.x11 import XScreen
from argentum_desktop.system.activity.x11_wire import ScreenAbsentError

# Somebody who touched anything so lately is there, whatever is not known of others.
JUST_NOW_S = 60.0
_X_SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 - where X servers listen


class LinuxSignals:
    """What can be known here; each question raises `SignalUnknownError` where it cannot.

    Args:
        stirred: called with the names of signals that are worth another look at once.
        root: where the kernel's own files are; a test brings others.
    """

    def __init__(self, where: Surroundings, clock: Clock, stirred: Stirred, root: Path = Path("/")) -> None:
        self._where = where
        self._root = root
        self._stirred = stirred
        self._session_bus = Bus("session", where.session_bus, clock)
        self._system_bus = Bus("system", where.system_bus, clock)
        self._sessions = SessionList(self._system_bus, clock)
        self._x11 = XScreen(where.environment, clock, lambda: stirred(IDLE, FULL_SCREEN))
        self._wayland = WaylandScreen(where.environment, clock, stirred)
        self._monitor = IdleMonitor(self._session_bus, lambda: stirred(IDLE))
        self._game_mode = GameMode(self._session_bus, lambda: stirred(FULL_SCREEN))
        self._hears_of_network = False

    @property
    def tells(self) -> frozenset[str]:
        """The signals whose changes are told by whoever answers now."""
        if self._is_without_screen:
            return frozenset({IDLE, FULL_SCREEN})  # nothing can change in a moment
        by_x11 = self._x11.tells
        if not self._wayland.is_there:
            return by_x11
        by_monitor = frozenset({IDLE}) if self._monitor.tells else frozenset()
        return self._wayland.tells | by_monitor | (by_x11 & {FULL_SCREEN})

    async def idle_s(self) -> float:
        found = await self._sessions.now()
        own_s, trouble = await self._own_idle_s()
        idle = [] if own_s is None else [own_s]
        troubles = []
        for session in found or ():
            if not session.is_local or (own_s is not None and self._is_own(session)):
                continue
            if session.idle_s is None:
                text = f"The desktop of session {session.session_id} does not say when it was last used."
                troubles.append(trouble or SignalUnknownError(text))
            else:
                idle.append(session.idle_s)
                trouble = None if self._is_own(session) else trouble
        troubles += [trouble] if trouble is not None else []
        if idle and min(idle) < JUST_NOW_S:
            return min(idle)
        if troubles:
            raise troubles[0]
        if found is None and not idle and self._has_other_screens():
            raise SignalUnknownError("There is a screen in use that this program cannot look at.")
        return min(idle, default=NOBODY_S)

    async def full_screen(self) -> str:
        game = await self._game_mode.game()
        if game:
            return game
        try:
            found = await self._x11.full_screen()
        except ScreenAbsentError:
            await self._refuse_hidden_screen()
            if not self._wayland.is_there:
                return ""
            found = None
        if found or not self._wayland.is_there:
            return found or ""
        return await self._full_screen_on_wayland(has_x11=found is not None)

    async def is_presenting(self) -> bool:
        if self._is_without_screen:
            await self._refuse_hidden_screen()
            return False
        kept_awake = await screen_kept_awake(self._session_bus)
        if kept_awake:
            return True
        try:
            blocked = str(await self._system_bus.read(LOGIND, "BlockInhibited"))
        except BusAbsentError:
            return False  # where nobody can be asked to keep the screen awake, no program has asked
        return "idle" in blocked.split(":")

    async def is_remote(self) -> bool:
        if self._where.environment.get("XRDP_SESSION") or self._x11.is_vnc:
            return True
        found = await self._sessions.now()
        return any(session.is_from_afar for session in found or ())

    async def is_metered(self) -> bool:
        if not self._hears_of_network:
            with contextlib.suppress(SignalUnknownError):  # it is asked for every few seconds anyway
                self._hears_of_network = True
                await self._system_bus.listen_to_changes(NETWORK_MANAGER, lambda: self._stirred(METERED))
        return await is_metered(self._system_bus, self._root)

    async def watch_sleep(self, before: Suspending, after: Callable[[], None]) -> None:
        """Hold the computer's sleep up until `before` is done; runs until it is cancelled."""
        await LogindSleep(self._system_bus, before, after).run()

    async def close(self) -> None:
        for part in (self._x11, self._wayland, self._session_bus, self._system_bus):
            await part.close()

    # -- parts --------------------------------------------------------------------------------------------------------

    @property
    def _is_without_screen(self) -> bool:
        return self._x11.number is None and not self._wayland.is_there

    def _is_own(self, session: Session) -> bool:
        return session.is_graphical and session.user_id == self._where.user_id and not self._is_without_screen

    async def _own_idle_s(self) -> tuple[float | None, SignalUnknownError | None]:
        """Of the screen that this program was started on: known, or not and why; neither where there is no screen."""
        try:
            if self._wayland.is_there:
                return await self._wayland_idle_s(), None
            if self._x11.number is not None:
                return await self._x11.idle_s(), None
        except ScreenAbsentError:
            return None, None
        except SignalUnknownError as error:
            return None, error
        return None, None

    async def _wayland_idle_s(self) -> float:
        """Not Xwayland's count, which sees only what its own windows are sent."""
        with contextlib.suppress(BusAbsentError):
            return await self._monitor.idle_s()
        if await self._wayland.counts_idle():
            return await self._wayland.idle_s()
        try:
            return await screen_saver_idle_s(self._session_bus, is_wayland=True)
        except BusAbsentError:
            raise SignalUnknownError("This desktop does not say when it was last used.") from None

    async def _full_screen_on_wayland(self, *, has_x11: bool) -> str:
        """What the compositor tells; one that hides its windows still shows those of Xwayland, which most games are.

        Almost all others that fill the screen keep it awake as well, and then it is `is_presenting` that counts.
        """
        if await self._wayland.lists_windows():
            return await self._wayland.full_screen()
        if has_x11 and await screen_kept_awake(self._session_bus) is not None:
            return ""
        raise SignalUnknownError("This desktop does not say which window fills the screen.")

    async def _refuse_hidden_screen(self) -> None:
        """Raises `SignalUnknownError` where somebody sits at a screen that this program was not started on."""
        if self._wayland.is_there:
            return
        for session in await self._sessions.now() or ():
            if session.is_graphical and session.is_local:
                raise SignalUnknownError(
                    f"Session {session.session_id} has a screen that this program cannot look at; start it there."
                )

    def _has_other_screens(self) -> bool:
        return self._is_without_screen and any(_X_SOCKETS.glob("X*"))
