"""The display kernel's answers about one adapter: what Task Manager shows for every vendor, without any SDK."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, TypeVar

from argentum_desktop.gpus.windows.libraries import Libraries
from argentum_desktop.gpus.windows.structures import (
    AdapterAddress,
    AdapterLimits,
    AdapterPerformance,
    AdapterType,
    CloseAdapter,
    Luid,
    NodePerformance,
    OpenAdapter,
    QueryAdapter,
)

# KMTQUERYADAPTERINFOTYPE, d3dkmthk.h.
_ADDRESS, _TYPE, _NODE_PERFORMANCE, _PERFORMANCE, _LIMITS = 6, 15, 61, 62, 63

# D3DKMT_ADAPTERTYPE's bits.
HYBRID_DISCRETE, HYBRID_INTEGRATED, PARAVIRTUALIZED = 1 << 4, 1 << 5, 1 << 7

# ntstatus.h: what is asked after an adapter that is no longer there.
_GONE = frozenset(
    {
        0xC000_000E,  # STATUS_NO_SUCH_DEVICE
        0xC000_00C0,  # STATUS_DEVICE_DOES_NOT_EXIST
        0xC000_02B6,  # STATUS_DEVICE_REMOVED
    }
)
_BUS_BITS = 8
_MOST_DEVICES, _MOST_FUNCTIONS, _MOST_DOMAINS = 32, 8, 0x1_0000

Layout = TypeVar("Layout", AdapterAddress, AdapterType, NodePerformance, AdapterPerformance, AdapterLimits)


class AdapterGoneError(Exception):
    """The adapter left the bus, or its driver was taken away."""


class KernelAdapter:
    """One adapter, opened. `close` it."""

    def __init__(self, handle: int, query: Callable[..., Any], close: Callable[..., Any]) -> None:
        self._handle = handle
        self._query = query
        self._close = close

    @classmethod
    def open(cls, libraries: Libraries, luid: int) -> KernelAdapter | None:
        """The adapter of this name, or None where Windows does not open it."""
        opening = libraries.function(
            "gdi32.dll", "D3DKMTOpenAdapterFromLuid", ctypes.c_int32, ctypes.POINTER(OpenAdapter)
        )
        query = libraries.function("gdi32.dll", "D3DKMTQueryAdapterInfo", ctypes.c_int32, ctypes.POINTER(QueryAdapter))
        close = libraries.function("gdi32.dll", "D3DKMTCloseAdapter", ctypes.c_int32, ctypes.POINTER(CloseAdapter))
        if opening is None or query is None or close is None:
            return None
        request = OpenAdapter(Luid.of(luid), 0)
        if opening(ctypes.byref(request)) < 0 or not request.handle:
            return None
        return cls(request.handle, query, close)

    def address(self) -> str | None:
        """Domain:bus:device.function.

        Raises:
            AdapterGoneError: the adapter is no longer there. Likewise all below.
        """
        answer = self._ask(_ADDRESS, AdapterAddress())
        return pci_address(answer.bus, answer.device, answer.function) if answer is not None else None

    def type_bits(self) -> int:
        answer = self._ask(_TYPE, AdapterType())
        return int(answer.value) if answer is not None else 0

    def performance(self) -> AdapterPerformance | None:
        return self._ask(_PERFORMANCE, AdapterPerformance())

    def first_node(self) -> NodePerformance | None:
        """The clock of engine 0, which is the one that draws and computes on the cards of all vendors."""
        return self._ask(_NODE_PERFORMANCE, NodePerformance())

    def limits(self) -> AdapterLimits | None:
        return self._ask(_LIMITS, AdapterLimits())

    def close(self) -> None:
        if self._handle:
            self._close(ctypes.byref(CloseAdapter(self._handle)))
            self._handle = 0

    def _ask(self, kind: int, answer: Layout) -> Layout | None:
        """The answer, or None where this Windows or this driver does not know."""
        request = QueryAdapter(self._handle, kind, ctypes.addressof(answer), ctypes.sizeof(answer))
        status = self._query(ctypes.byref(request)) & 0xFFFF_FFFF
        if status in _GONE:
            raise AdapterGoneError(f"{status:#010x}")
        return answer if status == 0 else None


def pci_address(bus: int, device: int, function: int) -> str | None:
    """The address as Linux and NVML write it, or None for nonsense.

    Windows keeps the domain above the bus's eight bits (wdm.h: PCI_SEGMENT_BUS_NUMBER).
    """
    domain = bus >> _BUS_BITS
    if domain >= _MOST_DOMAINS or device >= _MOST_DEVICES or function >= _MOST_FUNCTIONS:
        return None
    return f"{domain:04x}:{bus & 0xFF:02x}:{device:02x}.{function:x}"
