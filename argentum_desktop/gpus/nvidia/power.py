"""An NVIDIA card's power limit: what is set, and setting another, which only an administrator may do."""

from __future__ import annotations

from typing import Any

from argentum_desktop.gpus import power_limits
from argentum_desktop.gpus.nvidia.codes import FUNCTION_NOT_FOUND, NO_PERMISSION, NOT_SUPPORTED


def power_limit_mw(nvml: Any, card: Any) -> int | None:
    """The limit that was set: not the one in force, which other things may lower for a while."""
    try:
        limit = int(nvml.nvmlDeviceGetPowerManagementLimit(card))
    except (nvml.NVMLError, ValueError):
        return None
    return limit if limit > 0 else None


def set_power_limit(nvml: Any, card: Any, power_mw: int) -> str:
    """Returns why it was not done; nothing once it is in force."""
    low_mw, high_mw = _bounds(nvml, card)
    refusal = power_limits.out_of_range(power_mw, low_mw, high_mw)
    if refusal:
        return refusal
    try:
        nvml.nvmlDeviceSetPowerManagementLimit(card, power_mw)
    except nvml.NVMLError as error:
        if error.value == NO_PERMISSION:
            return power_limits.NO_PERMISSION
        if error.value in {NOT_SUPPORTED, FUNCTION_NOT_FOUND}:
            return power_limits.NOT_HERE
        return power_limits.driver_refuses(str(error))
    return ""


def _bounds(nvml: Any, card: Any) -> tuple[int | None, int | None]:
    try:
        low, high = nvml.nvmlDeviceGetPowerManagementLimitConstraints(card)
    except (nvml.NVMLError, ValueError):
        return None, None
    return int(low), int(high)
