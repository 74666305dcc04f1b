"""Opens the Vulkan loader and an instance; every function is looked up, and one that is missing is said to be."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int32, c_uint32, c_void_p
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from argentum_desktop.errors import StressError
from argentum_desktop.health.stress.vulkan.structures import ApplicationInfo, ExtensionProperties, InstanceCreateInfo

API_1_0, API_1_1, API_1_2, API_1_3 = (1 << 22 | minor << 12 for minor in range(4))

# Without it, Vulkan 1.0 tells names and ids only.
PROPERTIES_2 = "VK_KHR_get_physical_device_properties2"

_SUCCESS, _INCOMPLETE = 0, 5
_MOST_ENTRIES = 10_000
_ENUMERATION_TRIES = 4
_REMEDY = "Install the card's current driver from its maker."
# VkResult, as far as opening an instance and listing devices can say it.
_RESULT_WORDS = {
    -1: "it is out of memory",
    -2: "a card is out of memory",
    -3: "a driver does not start",
    -4: "a card was lost",
    -7: "a driver lacks what is needed",
    -9: "no driver fits",
}


class VulkanInstance:
    """An open instance. Use it in a `with`.

    Raises:
        StressError: there is no Vulkan here, or it does not start; one sentence says which.
    """

    def __init__(self, library: Path | None = None) -> None:
        self._library = _load(library)
        self._look_up = self._exported("vkGetInstanceProcAddr", c_void_p, c_void_p, c_char_p)
        self._handle = c_void_p()
        self.api_version = self._loader_version()
        self.has_properties_2 = PROPERTIES_2 in self._instance_extensions()
        self._handle = self._create()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        destroy = self.function("vkDestroyInstance", None, c_void_p, c_void_p)
        if self._handle and destroy is not None:
            destroy(self._handle, None)
        self._handle = c_void_p()

    def function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
        """A function of this instance, or None where the loader and its drivers lack it."""
        address = self._look_up(self._handle, name.encode())
        return ctypes.CFUNCTYPE(result, *arguments)(address) if address else None

    def needed(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        """A function without which nothing can be said."""
        found = self.function(name, result, *arguments)
        if found is None:
            raise StressError(f"Vulkan on this computer lacks {name}.", _REMEDY)
        return found

    def devices(self) -> list[int]:
        """The handles of the devices, in Vulkan's own order."""
        call = self.needed("vkEnumeratePhysicalDevices", c_int32, c_void_p, POINTER(c_uint32), c_void_p)
        handles = enumerated(lambda count, into: call(self._handle, count, into), c_void_p)
        return [handle for handle in handles if handle]

    def device_extensions(self, device: int) -> frozenset[str]:
        """What this device can tell beyond the core."""
        call = self.needed(
            "vkEnumerateDeviceExtensionProperties", c_int32, c_void_p, c_char_p, POINTER(c_uint32), c_void_p
        )
        return _names(enumerated(lambda count, into: call(device, None, count, into), ExtensionProperties))

    def _loader_version(self) -> int:
        """Of the loader; the function came with 1.1."""
        ask = self.function("vkEnumerateInstanceVersion", c_int32, POINTER(c_uint32))
        version = c_uint32(API_1_0)
        if ask is not None and ask(byref(version)) != _SUCCESS:
            return API_1_0
        return version.value

    def _instance_extensions(self) -> frozenset[str]:
        call = self.needed("vkEnumerateInstanceExtensionProperties", c_int32, c_char_p, POINTER(c_uint32), c_void_p)
        return _names(enumerated(lambda count, into: call(None, count, into), ExtensionProperties))

    def _create(self) -> c_void_p:
        # The version that the library which computes asks for too: layers that sort the devices go by it.
        version = API_1_3 if self.api_version >= API_1_1 else API_1_0
        application = ApplicationInfo(type=ApplicationInfo.TYPE, api_version=version)
        names = (c_char_p * 1)(PROPERTIES_2.encode())
        wanted = InstanceCreateInfo(
            type=InstanceCreateInfo.TYPE,
            application=ctypes.addressof(application),
            extension_count=int(self.has_properties_2),
            extension_names=ctypes.addressof(names) if self.has_properties_2 else None,
        )
        create = self.needed("vkCreateInstance", c_int32, c_void_p, c_void_p, POINTER(c_void_p))
        handle = c_void_p()
        checked(create(byref(wanted), None, byref(handle)))
        if not handle:
            raise StressError("Vulkan on this computer does not start.", _REMEDY)
        return handle

    def _exported(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        found: Callable[..., Any] | None = getattr(self._library, name, None)
        if found is None:
            raise StressError("The Vulkan library on this computer is not Vulkan's.", _REMEDY)
        found.restype, found.argtypes = result, arguments  # type: ignore[attr-defined]  # a ctypes function
        return found


def enumerated(call: Callable[[Any, Any], int], kind: Any) -> Any:
    """The entries of one of Vulkan's lists: asked for their number, then for themselves.

    The list may grow in between, so it is asked for again; what is still incomplete then is taken as it is.
    """
    count = c_uint32(0)
    entries: Any = ()
    for _ in range(_ENUMERATION_TRIES):
        checked(call(byref(count), None))
        if not count.value:
            return ()
        if count.value > _MOST_ENTRIES:
            raise StressError("Vulkan on this computer gives answers without sense.", _REMEDY)
        asked_for = count.value
        entries = (kind * asked_for)()
        result = call(byref(count), entries)
        if checked(result) == _SUCCESS:
            break
    return entries[: min(count.value, len(entries))]


def checked(result: int) -> int:
    """The result, where it says that the call was made.

    Raises:
        StressError: it was not.
    """
    if result not in {_SUCCESS, _INCOMPLETE}:
        why = _RESULT_WORDS.get(result, f"result {result}")
        raise StressError(f"Vulkan on this computer does not work: {why}.", _REMEDY)
    return result


def _names(entries: Any) -> frozenset[str]:
    return frozenset(entry.name.decode("ascii", "replace") for entry in entries)


def _load(chosen: Path | None) -> ctypes.CDLL:
    """The loader. On Windows only from the folder that only Windows and its drivers write to."""
    if chosen is not None:
        name = str(chosen)
    elif os.name == "nt":
        name = str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "vulkan-1.dll")
    else:
        name = "libvulkan.so.1"
    try:
        return ctypes.CDLL(name)  # 64-bit Windows has one calling convention only
    except OSError as error:
        raise StressError("There is no Vulkan on this computer.", _REMEDY) from error
