"""SetupAPI and CfgMgr32: every graphics card that Windows knows of, also those it cannot use."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from argentum_desktop.gpus.windows.d3dkmt import pci_address
from argentum_desktop.gpus.windows.libraries import Libraries, plain_text
from argentum_desktop.gpus.windows.structures import DeviceInfo, Guid, PropertyKey

_DISPLAY_CLASS = "4d36e968-e325-11ce-bfc1-08002be10318"  # GUID_DEVCLASS_DISPLAY
_DRIVER_VERSION = ("a8b865dd-2e3d-4094-ad97-e593a70c75d6", 3)  # DEVPKEY_Device_DriverVersion

# setupapi.h.
_PRESENT, _ALL_CLASSES = 2, 4
_DESCRIPTION, _HARDWARE_IDS, _COMPATIBLE_IDS, _SERVICE, _FRIENDLY_NAME, _BUS, _ADDRESS = 0, 1, 2, 4, 0xC, 0x15, 0x1C
_INVALID_HANDLE = ctypes.c_void_p(-1).value
_BUFFER_BYTES = 4096
_TEXT_TYPE, _NUMBER_TYPE, _TEXTS_TYPE = 1, 4, 7  # REG_SZ, REG_DWORD, REG_MULTI_SZ
_TEXT_PROPERTY = 0x12  # DEVPROP_TYPE_STRING
_MOST_DEVICES, MOST_CARDS = 2048, 64

# cfgmgr32.h.
_HAS_PROBLEM = 0x400
_LIST_OF_ENUMERATOR_PRESENT = 0x1 | 0x100

# A device that Hyper-V took from this Windows for a virtual machine hangs on a bus of its own.
_PCI, _PCI_OF_GUESTS = "PCI", "PCIP"
_IDS = re.compile(
    r"PCIP?\\VEN_(?P<vendor>[0-9A-F]{4})&DEV_(?P<device>[0-9A-F]{4})"
    r"(?:&SUBSYS_(?P<board>[0-9A-F]{4})(?P<maker>[0-9A-F]{4}))?",
    re.IGNORECASE,
)
_NOBODY = frozenset({0, 0xFFFF})  # no vendor's number: what is read where no device answers
_DISPLAY_CODE = re.compile(r"[\\&]CC_03", re.IGNORECASE)  # PCI's class 3: display controllers


@dataclass(frozen=True)
class DisplayDevice:
    """A graphics card in Windows' list of devices.

    Attributes:
        subsystem: the board maker's vendor and device, as in 1458:403b; empty when Windows does not say.
        service: the driver's name, empty without one.
        problem: Windows' problem code, 0 when there is none.
        is_given_away: a virtual machine has it.
    """

    name: str
    vendor_id: int
    device_id: int
    subsystem: str
    pci_address: str | None
    service: str = ""
    driver_version: str = ""
    problem: int = 0
    is_given_away: bool = False


class DeviceList:
    """Windows' list of the devices on the PCI bus."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries

    def devices(self) -> tuple[DisplayDevice, ...]:
        """The graphics cards among them: by their class, or by PCI's code where Windows has no driver to class them."""
        found: list[DisplayDevice] = []
        for bus in (_PCI, _PCI_OF_GUESTS):
            handle = self._open(bus)
            if handle is None:
                continue
            try:
                described = (self._describe(handle, info, bus == _PCI_OF_GUESTS) for info in self._entries(handle))
                found += islice(filter(None, described), MOST_CARDS)
            finally:
                self._close(handle)
        return tuple(found)

    def fingerprint(self) -> bytes:
        """Changes when a device comes or goes; empty where Windows does not say."""
        measure = self._libraries.function(
            "cfgmgr32.dll",
            "CM_Get_Device_ID_List_SizeW",
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_char_p,
            ctypes.c_uint32,
        )
        read = self._libraries.function(
            "cfgmgr32.dll",
            "CM_Get_Device_ID_ListW",
            ctypes.c_uint32,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_uint32,
        )
        letters = ctypes.c_uint32()
        bus = f"{_PCI}\0".encode("utf-16-le")
        if measure is None or read is None:
            return b""
        if measure(ctypes.byref(letters), bus, _LIST_OF_ENUMERATOR_PRESENT) != 0 or letters.value > 2**20:
            return b""
        buffer = ctypes.create_string_buffer(2 * letters.value + 2)
        # A device that comes between the two calls makes the second one fail: the next answer will differ anyway.
        return buffer.raw if read(bus, buffer, letters.value, _LIST_OF_ENUMERATOR_PRESENT) == 0 else b""

    def _open(self, bus: str) -> int | None:
        begin = self._libraries.function(
            "setupapi.dll",
            "SetupDiGetClassDevsW",
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_uint32,
        )
        if begin is None:
            return None
        handle: int | None = begin(None, f"{bus}\0".encode("utf-16-le"), None, _PRESENT | _ALL_CLASSES)
        return None if handle in (None, _INVALID_HANDLE) else handle

    def _close(self, handle: int) -> None:
        finish = self._libraries.function(
            "setupapi.dll", "SetupDiDestroyDeviceInfoList", ctypes.c_int32, ctypes.c_void_p
        )
        if finish is not None:
            finish(handle)

    def _entries(self, handle: int) -> Iterator[DeviceInfo]:
        step = self._libraries.function(
            "setupapi.dll",
            "SetupDiEnumDeviceInfo",
            ctypes.c_int32,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.POINTER(DeviceInfo),
        )
        for index in range(_MOST_DEVICES if step is not None else 0):
            info = DeviceInfo(size=ctypes.sizeof(DeviceInfo))
            if step is None or not step(handle, index, ctypes.byref(info)):
                return
            yield info

    def _describe(self, handle: int, info: DeviceInfo, is_given_away: bool) -> DisplayDevice | None:
        entry = _Entry(self._libraries, handle, info)
        ids = entry.texts(_HARDWARE_IDS)
        match = next(filter(None, map(_IDS.match, ids)), None)
        codes = (*ids, *entry.texts(_COMPATIBLE_IDS))
        is_display = str(info.class_guid) == _DISPLAY_CLASS or any(map(_DISPLAY_CODE.search, codes))
        if match is None or not is_display or int(match["vendor"], 16) in _NOBODY:
            return None
        maker, board = match["maker"], match["board"]
        return DisplayDevice(
            name=entry.text(_FRIENDLY_NAME) or entry.text(_DESCRIPTION),
            vendor_id=int(match["vendor"], 16),
            device_id=int(match["device"], 16),
            subsystem=f"{maker}:{board}".lower() if maker else "",
            pci_address=entry.pci_address(),
            service=entry.text(_SERVICE),
            driver_version=entry.driver_version(),
            problem=entry.problem(),
            is_given_away=is_given_away,
        )


class _Entry:
    """One device of an open list, and its properties."""

    def __init__(self, libraries: Libraries, handle: int, info: DeviceInfo) -> None:
        self._libraries = libraries
        self._handle = handle
        self._info = info

    def text(self, number: int) -> str:
        return plain_text(self._raw(number, _TEXT_TYPE))

    def texts(self, number: int) -> tuple[str, ...]:
        letters = self._raw(number, _TEXTS_TYPE).decode("utf-16-le", "replace")
        return tuple(part for part in letters.split("\0") if part)

    def pci_address(self) -> str | None:
        bus, address = self._number(_BUS), self._number(_ADDRESS)
        if bus is None or address is None:
            return None
        return pci_address(bus, address >> 16, address & 0xFFFF)

    def driver_version(self) -> str:
        read = self._libraries.function(
            "setupapi.dll",
            "SetupDiGetDevicePropertyW",
            ctypes.c_int32,
            ctypes.c_void_p,
            ctypes.POINTER(DeviceInfo),
            ctypes.POINTER(PropertyKey),
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_uint32,
        )
        category, number = _DRIVER_VERSION
        kind, size, buffer = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.create_string_buffer(_BUFFER_BYTES)
        if read is None or not read(
            self._handle,
            ctypes.byref(self._info),
            PropertyKey(Guid.parse(category), number),
            ctypes.byref(kind),
            buffer,
            _BUFFER_BYTES,
            ctypes.byref(size),
            0,
        ):
            return ""
        return plain_text(buffer.raw) if kind.value == _TEXT_PROPERTY else ""

    def problem(self) -> int:
        ask = self._libraries.function(
            "cfgmgr32.dll",
            "CM_Get_DevNode_Status",
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_uint32,
            ctypes.c_uint32,
        )
        status, code = ctypes.c_uint32(), ctypes.c_uint32()
        if ask is None or ask(ctypes.byref(status), ctypes.byref(code), self._info.instance, 0) != 0:
            return 0
        return code.value if status.value & _HAS_PROBLEM else 0

    def _number(self, number: int) -> int | None:
        raw = self._raw(number, _NUMBER_TYPE)
        return int.from_bytes(raw[:4], "little") if len(raw) >= 4 else None

    def _raw(self, number: int, wanted: int) -> bytes:
        """The property's bytes; none when it is not there or not of the type that it should be."""
        read = self._libraries.function(
            "setupapi.dll",
            "SetupDiGetDeviceRegistryPropertyW",
            ctypes.c_int32,
            ctypes.c_void_p,
            ctypes.POINTER(DeviceInfo),
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
        )
        kind, size, buffer = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.create_string_buffer(_BUFFER_BYTES)
        if read is None or not read(
            self._handle,
            ctypes.byref(self._info),
            number,
            ctypes.byref(kind),
            buffer,
            _BUFFER_BYTES,
            ctypes.byref(size),
        ):
            return b""
        return buffer.raw[: min(size.value, _BUFFER_BYTES)] if kind.value == wanted else b""
