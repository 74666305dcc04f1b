"""The signals of a Windows computer, each a question to Windows' own libraries."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from argentum_desktop.domain.activity import NOBODY_S
from argentum_desktop.system.activity.own_thread import OwnThread
from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.sleep import Suspending
from argentum_desktop.system.activity.windows_calls import WindowsCalls
from argentum_desktop.system.activity.windows_network import CostManager
from argentum_desktop.system.activity.windows_sleep import WindowsSleep
from argentum_desktop.system.processes import process_name

COST_WITHIN_S = 5.0
_REMOTE_SESSION = 0x1000
# QUERY_USER_NOTIFICATION_STATE: busy is any program on the whole screen; then Direct3D's own, then a presentation;
# the last is a program of the store.
_BUSY, _DIRECT_3D, _PRESENTATION, _APP = 2, 3, 4, 7
_SERVICES = 0
_NO_SESSION = 0xFFFFFFFF
_USER_NAME = 5


class _LastInput(ctypes.Structure):
    """`LASTINPUTINFO`."""

    _fields_ = (("cbSize", ctypes.c_uint32), ("dwTime", ctypes.c_uint32))


class WindowsSignals:
    """What can be known here; each question raises `SignalUnknownError` where it cannot.

    Windows tells of none of these by itself, but for a program with a window of its own.
    """

    tells: frozenset[str] = frozenset()

    def __init__(self, calls: WindowsCalls | None = None) -> None:
        self._calls = calls or WindowsCalls()
        self._costs = CostManager(self._calls)
        self._thread = OwnThread("network cost", self._costs.begin)

    async def idle_s(self) -> float:
        own, console = self._own_session(), self._console_session()
        if own == _SERVICES:
            if self._has_user(console):
                raise SignalUnknownError("This program runs as a service and cannot see who is at the screen.")
            return NOBODY_S
        if console not in {own, _NO_SESSION} and self._has_user(console):
            raise SignalUnknownError("Somebody else is at the screen, whose session this program cannot look at.")
        return self._own_idle_s()

    async def full_screen(self) -> str:
        if self._own_session() == _SERVICES:
            self._refuse_hidden_screen()
            return ""
        if self._notification_state() in {_BUSY, _DIRECT_3D, _APP}:
            return self._foreground_program() or "a program"
        return ""

    async def is_presenting(self) -> bool:
        if self._own_session() == _SERVICES:
            self._refuse_hidden_screen()
            return False
        return self._notification_state() == _PRESENTATION

    async def is_remote(self) -> bool:
        metrics = self._calls.needed("user32.dll", "GetSystemMetrics", ctypes.c_int, ctypes.c_int)
        return bool(metrics(_REMOTE_SESSION))

    async def is_metered(self) -> bool:
        return await self._thread.call(self._costs.is_metered, COST_WITHIN_S)

    async def watch_sleep(self, before: Suspending, after: Callable[[], None]) -> None:
        """Hold the computer's sleep up until `before` is done; runs until it is cancelled."""
        await WindowsSleep(self._calls, before, after).run()

    async def close(self) -> None:
        self._thread.end()

    # -- parts --------------------------------------------------------------------------------------------------------

    def _own_idle_s(self) -> float:
        ask = self._calls.needed("user32.dll", "GetLastInputInfo", ctypes.c_int, ctypes.c_void_p)
        ticks = self._calls.needed("kernel32.dll", "GetTickCount", ctypes.c_uint32)
        last = _LastInput(ctypes.sizeof(_LastInput), 0)
        if not ask(ctypes.byref(last)):
            raise SignalUnknownError("Windows does not say when it was last used.")
        # Both count milliseconds in 32 bits and begin again at nought every 49 days.
        return ((int(ticks()) - int(last.dwTime)) & 0xFFFFFFFF) / 1000

    def _notification_state(self) -> int:
        ask = self._calls.needed("shell32.dll", "SHQueryUserNotificationState", ctypes.c_long, ctypes.c_void_p)
        state = ctypes.c_int()
        if ask(ctypes.byref(state)):
            raise SignalUnknownError("Windows does not say whether a program fills the screen.")
        return state.value

    def _foreground_program(self) -> str | None:
        window = self._calls.needed("user32.dll", "GetForegroundWindow", ctypes.c_void_p)()
        owner = self._calls.needed(
            "user32.dll", "GetWindowThreadProcessId", ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
        )
        pid = ctypes.c_uint32()
        if not window or not owner(window, ctypes.byref(pid)) or not pid.value:
            return None
        return process_name(pid.value)

    def _own_session(self) -> int:
        pid = self._calls.needed("kernel32.dll", "GetCurrentProcessId", ctypes.c_uint32)()
        ask = self._calls.needed("kernel32.dll", "ProcessIdToSessionId", ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p)
        session = ctypes.c_uint32()
        if not ask(pid, ctypes.byref(session)):
            raise SignalUnknownError("Windows does not say which session this is.")
        return session.value

    def _console_session(self) -> int:
        ask = self._calls.function("kernel32.dll", "WTSGetActiveConsoleSessionId", ctypes.c_uint32)
        return _NO_SESSION if ask is None else int(ask())

    def _has_user(self, session: int) -> bool:
        """Whether somebody is logged in there; at the screen that asks for a name, nobody is."""
        if session == _NO_SESSION:
            return False
        ask = self._calls.function(
            "wtsapi32.dll",
            "WTSQuerySessionInformationW",
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        free = self._calls.function("wtsapi32.dll", "WTSFreeMemory", None, ctypes.c_void_p)
        name, size = ctypes.c_void_p(), ctypes.c_uint32()
        if ask is None or free is None or not ask(None, session, _USER_NAME, ctypes.byref(name), ctypes.byref(size)):
            return True  # it is there and does not tell: rather somebody than nobody
        try:
            return size.value > ctypes.sizeof(ctypes.c_uint16)  # more than the end mark of UTF-16
        finally:
            free(name)

    def _refuse_hidden_screen(self) -> None:
        if self._has_user(self._console_session()):
            raise SignalUnknownError("This program runs as a service and cannot see the screen.")
