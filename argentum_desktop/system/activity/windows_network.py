"""What the network costs, as Windows' network list manager knows it (`INetworkCostManager`, netlistmgr.h)."""

from __future__ import annotations

import ctypes
import uuid
from typing import Any

from argentum_desktop.system.activity.signal import SignalUnknownError
from argentum_desktop.system.activity.windows_calls import WindowsCalls

_NETWORK_LIST_MANAGER = uuid.UUID("dcb00c01-570f-4a9b-8d69-199fdba5723b").bytes_le
_COST_MANAGER = uuid.UUID("dcb00008-570f-4a9b-8d69-199fdba5723b").bytes_le
_IN_ANY_PROCESS = 0x17
_MULTITHREADED = 0
_RELEASE, _GET_COST = 2, 3
# NLM_CONNECTION_COST: by volume, by time, over the plan's limit, roaming; unrestricted is none of these.
_PAID_FOR = 0x2 | 0x4 | 0x10000 | 0x40000
_UNKNOWN = 0


class CostManager:
    """Used on one thread alone: the component model is opened for each thread."""

    def __init__(self, calls: WindowsCalls) -> None:
        self._calls = calls

    def begin(self) -> None:
        """On the thread, before the first question."""
        begin = self._calls.function("ole32.dll", "CoInitializeEx", ctypes.c_long, ctypes.c_void_p, ctypes.c_uint32)
        if begin is not None:
            begin(None, _MULTITHREADED)

    def is_metered(self) -> bool:
        """Raises `SignalUnknownError` where Windows does not know."""
        create = self._calls.needed(
            "ole32.dll",
            "CoCreateInstance",
            ctypes.c_long,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_char_p,
            ctypes.c_void_p,
        )
        manager = ctypes.c_void_p()
        if create(_NETWORK_LIST_MANAGER, None, _IN_ANY_PROCESS, _COST_MANAGER, ctypes.byref(manager)) or not manager:
            raise SignalUnknownError("Windows' list of networks cannot be asked.")
        try:
            cost = ctypes.c_uint32()
            failed = _method(manager, _GET_COST, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)(
                manager, ctypes.byref(cost), None
            )
        finally:
            _method(manager, _RELEASE, ctypes.c_uint32)(manager)
        if failed or cost.value == _UNKNOWN:
            raise SignalUnknownError("Windows does not know what this network costs.")
        return bool(cost.value & _PAID_FOR)


def _method(instance: ctypes.c_void_p, slot: int, result: Any, *arguments: Any) -> Any:
    """The function in this place of the object's table."""
    table = ctypes.cast(instance, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
    return ctypes.CFUNCTYPE(result, ctypes.c_void_p, *arguments)(table[slot] or 0)
