"""NVML's return codes and what they mean for a value. The numbers are the same in every version of the library."""

from __future__ import annotations

from argentum_desktop.domain.reading import Absence

INVALID_ARGUMENT = 2
NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
TIMEOUT = 10
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
LIB_RM_VERSION_MISMATCH = 18
VGPU_ECC_NOT_SUPPORTED = 22
ARGUMENT_VERSION_MISMATCH = 25
DEPRECATED = 26

# The card, the driver or the library does not know such a thing. Everything else may be better the next time.
_NOT_HERE = frozenset(
    {
        INVALID_ARGUMENT,
        NOT_SUPPORTED,
        FUNCTION_NOT_FOUND,
        VGPU_ECC_NOT_SUPPORTED,
        ARGUMENT_VERSION_MISMATCH,
        DEPRECATED,
    }
)


def absence_for(code: int) -> Absence:
    """Why a value is not there when NVML answers `code`."""
    if code in _NOT_HERE:
        return Absence.NOT_SUPPORTED
    return Absence.LOST if code == GPU_IS_LOST else Absence.ERROR
