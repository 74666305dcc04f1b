"""DXGI and DXCore: which adapters Windows offers to programs."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from argentum_desktop.gpus.windows.libraries import ComObject, Libraries, plain_text
from argentum_desktop.gpus.windows.structures import AdapterDescription, Guid, Luid

# Interface ids and the places in the tables: dxgi.h and dxcore_interface.h.
_FACTORY_1 = "770aae78-f26f-4dba-a829-253c83d1b387"
_ENUM_ADAPTERS_1, _IS_CURRENT = 12, 13  # of IDXGIFactory1
_GET_DESC_1 = 10  # of IDXGIAdapter1
_CORE_FACTORY = "78ee5945-c36e-4b13-a669-005dd11c0f06"
_CORE_ADAPTER = "f0db4c7f-fe5a-42a2-bd62-f2a6cf6fc83e"
_GET_ADAPTER_BY_LUID = 4  # of IDXCoreAdapterFactory
_IS_PROPERTY_SUPPORTED, _GET_PROPERTY = 5, 6  # of IDXCoreAdapter
_IS_INTEGRATED = 12

_SOFTWARE = 2
_BASIC_RENDER = (0x1414, 0x8C)  # Microsoft Basic Render Driver, which older Windows does not mark as software
_NOBODY = frozenset({0, 0xFFFF, 0xFFFF_FFFF})  # Wider numbers are not PCI's: Qualcomm's spells its name
MOST_ADAPTERS = 64


@dataclass(frozen=True)
class Adapter:
    """One adapter as DXGI describes it.

    Attributes:
        luid: Windows' name for it until the next start.
        subsystem_id: the board's device in the upper half, its maker in the lower one.
    """

    luid: int
    name: str
    vendor_id: int
    device_id: int
    subsystem_id: int
    dedicated_bytes: int


class AdapterList:
    """DXGI's list. `close` it."""

    def __init__(self, factory: ComObject) -> None:
        self._factory = factory

    @classmethod
    def open(cls, libraries: Libraries) -> AdapterList | None:
        """The list, or None where this Windows has no DXGI."""
        factory = _create(libraries, "dxgi.dll", "CreateDXGIFactory1", _FACTORY_1)
        return cls(factory) if factory is not None else None

    def adapters(self) -> tuple[Adapter, ...]:
        """Every adapter of hardware, each once: Windows lists some that drive a screen of another one twice."""
        enum_adapters = self._factory.method(
            _ENUM_ADAPTERS_1, ctypes.c_int32, ctypes.c_uint32, ctypes.POINTER(ctypes.c_void_p)
        )
        found: dict[int, Adapter] = {}
        for index in range(MOST_ADAPTERS):
            address = ctypes.c_void_p()
            if enum_adapters(index, ctypes.byref(address)) < 0 or not address.value:
                break
            with ComObject(address.value) as entry:
                adapter = _describe(entry)
            if adapter is not None:
                found.setdefault(adapter.luid, adapter)
        return tuple(found.values())

    def is_current(self) -> bool:
        """Whether no adapter came or went since the list was opened."""
        return bool(self._factory.method(_IS_CURRENT, ctypes.c_int32)())

    def close(self) -> None:
        self._factory.release()


class CoreAdapters:
    """DXCore, since Windows 10 version 2004: it knows which adapters are integrated. `close` it."""

    def __init__(self, factory: ComObject) -> None:
        self._factory = factory

    @classmethod
    def open(cls, libraries: Libraries) -> CoreAdapters | None:
        factory = _create(libraries, "dxcore.dll", "DXCoreCreateAdapterFactory", _CORE_FACTORY)
        return cls(factory) if factory is not None else None

    def is_integrated(self, luid: int) -> bool | None:
        """Whether this adapter has no memory of its own, None where Windows does not say."""
        find = self._factory.method(
            _GET_ADAPTER_BY_LUID,
            ctypes.c_int32,
            ctypes.POINTER(Luid),
            ctypes.POINTER(Guid),
            ctypes.POINTER(ctypes.c_void_p),
        )
        address = ctypes.c_void_p()
        if find(Luid.of(luid), Guid.parse(_CORE_ADAPTER), ctypes.byref(address)) < 0 or not address.value:
            return None
        with ComObject(address.value) as adapter:
            if not adapter.method(_IS_PROPERTY_SUPPORTED, ctypes.c_bool, ctypes.c_uint32)(_IS_INTEGRATED):
                return None
            answer = ctypes.c_uint8()
            get = adapter.method(
                _GET_PROPERTY, ctypes.c_int32, ctypes.c_uint32, ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint8)
            )
            return bool(answer.value) if get(_IS_INTEGRATED, 1, ctypes.byref(answer)) >= 0 else None

    def close(self) -> None:
        self._factory.release()


def _create(libraries: Libraries, library: str, name: str, interface: str) -> ComObject | None:
    create = libraries.function(library, name, ctypes.c_int32, ctypes.POINTER(Guid), ctypes.POINTER(ctypes.c_void_p))
    address = ctypes.c_void_p()
    if create is None or create(Guid.parse(interface), ctypes.byref(address)) < 0 or not address.value:
        return None
    return ComObject(address.value)


def _describe(entry: ComObject) -> Adapter | None:
    """The adapter, or None for one that computes on the processor or does not answer."""
    words = AdapterDescription()
    if entry.method(_GET_DESC_1, ctypes.c_int32, ctypes.POINTER(AdapterDescription))(ctypes.byref(words)) < 0:
        return None
    is_software = words.flags & _SOFTWARE or (words.vendor_id, words.device_id) == _BASIC_RENDER
    if is_software or words.vendor_id in _NOBODY:
        return None
    return Adapter(
        luid=words.luid.number,
        name=plain_text(bytes(words.description)),
        vendor_id=words.vendor_id,
        device_id=words.device_id,
        subsystem_id=words.subsystem_id,
        dedicated_bytes=words.dedicated_video_memory,
    )
