"""Finds NVIDIA's library, starts it, and says in the owner's words why that fails."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from argentum_desktop.gpus.nvidia.codes import (
    DRIVER_NOT_LOADED,
    FUNCTION_NOT_FOUND,
    LIB_RM_VERSION_MISMATCH,
    NO_PERMISSION,
)

_START_WORDS = {
    DRIVER_NOT_LOADED: (
        "The NVIDIA driver is installed but not loaded.",
        "Restart the computer; if that does not help, install the driver again.",
    ),
    LIB_RM_VERSION_MISMATCH: (
        "The NVIDIA driver was updated and the running one no longer fits its library.",
        "Restart the computer to finish the update.",
    ),
    NO_PERMISSION: (
        "This account may not use the NVIDIA driver.",
        'Add the account to the group that may use /dev/nvidia0 (often "video"), then log in again.',
    ),
}
_NO_DRIVER = (
    "No NVIDIA driver is installed.",
    "If this computer has an NVIDIA card, install NVIDIA's driver and restart the application.",
)


class NvmlUnavailableError(Exception):
    """There is no NVML to ask; `problem` and `remedy` are for the owner."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def open_nvml(chosen: Path | None = None) -> Any:
    """The module `pynvml` over the library, started.

    Args:
        chosen: the library to use instead of the driver's own.

    Raises:
        NvmlUnavailableError: there is none, or it does not start.
    """
    try:
        library = _load(chosen)
    except FileNotFoundError as error:
        raise NvmlUnavailableError(*_NO_DRIVER) from error
    except OSError as error:
        words = f"The NVIDIA driver's library cannot be loaded ({error})."
        raise NvmlUnavailableError(words, "Install the NVIDIA driver again.") from error
    nvml = _pynvml_over(library)
    try:
        _start(nvml, library)
    except nvml.NVMLError as error:
        other = (f"The NVIDIA driver does not start ({error}).", "Restart the computer.")
        raise NvmlUnavailableError(*_START_WORDS.get(error.value, other)) from error
    return nvml


def close_nvml(nvml: Any) -> None:
    """Let the driver go; one that is gone already is no matter."""
    with suppress(nvml.NVMLError):
        nvml.nvmlShutdown()


def _load(chosen: Path | None) -> ctypes.CDLL:
    """Open the library.

    Raises:
        FileNotFoundError: there is none.
        OSError: there is one and it cannot be used.
    """
    last: OSError = FileNotFoundError("NVML")
    for name in [str(chosen)] if chosen else _names():
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            last = error
            # The loader's words are all there is to tell "not there" from "broken".
            if not isinstance(error, FileNotFoundError) and "No such file" in str(error):
                last = FileNotFoundError(str(error))
    raise last


def _names() -> list[str]:
    if os.name != "nt":
        return ["libnvidia-ml.so.1"]
    windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
    programs = Path(os.environ.get("ProgramFiles", r"C:\Program Files"))  # noqa: SIM112 - Windows spells it so
    return [str(windows / "System32" / "nvml.dll"), str(programs / "NVIDIA Corporation" / "NVSMI" / "nvml.dll")]


def _pynvml_over(library: ctypes.CDLL) -> Any:
    """NVIDIA's Python words for the library; imported only here, for a machine without a driver need not hold them."""
    import pynvml

    pynvml.nvmlLib = library
    pynvml._nvmlGetFunctionPointer_cache.clear()  # else it would go on calling into an earlier library
    return pynvml


def _start(nvml: Any, library: ctypes.CDLL) -> None:
    """Raises NVMLError when the library does not start."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        if error.value != FUNCTION_NOT_FOUND:
            raise
    else:
        return
    for name in ("nvmlInit_v2", "nvmlInit"):  # from before nvmlInitWithFlags
        start = getattr(library, name, None)
        if start is not None:
            code = start()
            if code:
                raise nvml.NVMLError(code)
            return
    raise nvml.NVMLError(FUNCTION_NOT_FOUND)
