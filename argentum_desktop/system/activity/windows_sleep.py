"""Windows' word before it sleeps and after, by a function of ours that Windows calls on a thread of its own."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import threading
from collections.abc import Callable
from typing import Any

from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.sleep import Suspending
from argentum_desktop.system.activity.windows_calls import WindowsCalls

log = logging.getLogger(__name__)

# Windows waits two seconds for all who want to be told.
READY_WITHIN_S = 1.5
_CALL_BACK = 2
_SUSPEND, _RESUMED = 0x4, 0x12
_Called = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)


class _Subscription(ctypes.Structure):
    """`DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS`."""

    _fields_ = (("Callback", _Called), ("Context", ctypes.c_void_p))


class WindowsSleep:
    """Holds sleep up for the moment that is needed to make ready for it.

    Args:
        before: awaited before the computer sleeps, for at most `READY_WITHIN_S`.
        after: called when it is awake again.
    """

    def __init__(self, calls: WindowsCalls, before: Suspending, after: Callable[[], None]) -> None:
        self._calls = calls
        self._before = before
        self._after = after
        self._loop = asyncio.get_running_loop()
        # Windows keeps their addresses for as long as we are subscribed.
        self._callback = _Called(self._called)
        self._subscription = _Subscription(self._callback, None)

    async def run(self) -> None:
        """Stay subscribed until cancelled; where Windows refuses, the jump of the clock is all there is."""
        try:
            handle = self._subscribe()
        except SignalUnknownError as error:
            log.info("sleep is seen only afterwards: %s", error)
            return
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            forget = self._calls.needed(
                "powrprof.dll", "PowerUnregisterSuspendResumeNotification", ctypes.c_uint32, ctypes.c_void_p
            )
            forget(handle)

    def _subscribe(self) -> Any:
        subscribe = self._calls.needed(
            "powrprof.dll",
            "PowerRegisterSuspendResumeNotification",
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        handle = ctypes.c_void_p()
        code = subscribe(_CALL_BACK, ctypes.byref(self._subscription), ctypes.byref(handle))
        if code:
            raise SignalUnknownError(f"Windows does not tell of sleep (code {code}).")
        return handle

    def _called(self, _context: int, kind: int, _setting: int) -> int:
        """On Windows' thread, which sleeps no sooner than this returns."""
        if kind == _SUSPEND:
            is_ready = threading.Event()
            self._loop.call_soon_threadsafe(self._begin, is_ready)
            is_ready.wait(READY_WITHIN_S)
        elif kind == _RESUMED:
            self._loop.call_soon_threadsafe(self._after)
        return 0

    def _begin(self, is_ready: threading.Event) -> None:
        making_ready = asyncio.ensure_future(self._make_ready())
        making_ready.add_done_callback(lambda _: is_ready.set())

    async def _make_ready(self) -> None:
        await self._before()
