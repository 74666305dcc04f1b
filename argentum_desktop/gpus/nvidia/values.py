"""What NVML can tell of a card: for each value the calls that give it, and what counts as nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from argentum_desktop.domain.reading import Absence, ThrottleReason

# What NVML answers, by number: the same in every version of the library, and needed before pynvml can be imported.
NVML_INVALID_ARGUMENT = 2
NVML_NOT_SUPPORTED = 3
NVML_NO_PERMISSION = 4
NVML_DRIVER_NOT_LOADED = 9
NVML_FUNCTION_NOT_FOUND = 13
NVML_GPU_IS_LOST = 15
NVML_LIB_RM_VERSION_MISMATCH = 18
NVML_ARGUMENT_VERSION_MISMATCH = 25
NVML_DEPRECATED = 26

_UNKNOWN_HERE = frozenset(
    {
        NVML_INVALID_ARGUMENT,
        NVML_NOT_SUPPORTED,
        NVML_FUNCTION_NOT_FOUND,
        NVML_ARGUMENT_VERSION_MISMATCH,
        NVML_DEPRECATED,
    }
)

_THROTTLE_BITS = (
    (0x2, ThrottleReason.APPLICATION),
    (0x4, ThrottleReason.POWER_LIMIT),
    (0x8, ThrottleReason.HARDWARE_SLOWDOWN),
    (0x10, ThrottleReason.SYNC),
    (0x20, ThrottleReason.TEMPERATURE),
    (0x40, ThrottleReason.HARDWARE_TEMPERATURE),
    (0x80, ThrottleReason.POWER_BRAKE),
    (0x100, ThrottleReason.DISPLAY),
    (0x200, ThrottleReason.BOARD_LIMIT),
    (0x400, ThrottleReason.VOLTAGE),
)
_GPU_IDLE = 0x1  # a resting card clocks down: that is no throttling


@dataclass(frozen=True)
class Metric:
    """One value of a reading: the calls that give it, newest first, and the range beyond which it is nonsense."""

    name: str
    low: int
    high: int
    ways: tuple[Callable[[Any, Any], int], ...]


class AbsentError(Exception):
    """A value that is not there."""

    def __init__(self, why: Absence) -> None:
        super().__init__(why.value)
        self.why = why


def _instant_power_mw(nvml: Any, handle: Any) -> int:
    """Power at this instant: `PowerUsage` is the mean of a second on newer cards."""
    answer = nvml.nvmlDeviceGetFieldValues(handle, [nvml.NVML_FI_DEV_POWER_INSTANT])[0]
    if answer.nvmlReturn:
        raise nvml.NVMLError(answer.nvmlReturn)
    members = {
        nvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
        nvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
        nvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
        nvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
        nvml.NVML_VALUE_TYPE_SIGNED_INT: "siVal",
    }
    power_mw = int(getattr(answer.value, members.get(answer.valueType, "uiVal")))
    if power_mw == 0:  # a card that answers draws something: the driver left the field empty
        raise nvml.NVMLError(NVML_NOT_SUPPORTED)
    return power_mw


READING_METRICS = (
    Metric(
        "temperature_c",
        -40,
        150,
        (
            lambda nvml, handle: int(nvml.nvmlDeviceGetTemperatureV(handle, nvml.NVML_TEMPERATURE_GPU)),
            lambda nvml, handle: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
        ),
    ),
    Metric(
        "power_mw", 0, 5_000_000, (_instant_power_mw, lambda nvml, handle: int(nvml.nvmlDeviceGetPowerUsage(handle)))
    ),
    Metric("energy_mj", 0, 2**62, (lambda nvml, handle: int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)),)),
    Metric("utilization_percent", 0, 100, (lambda nvml, handle: int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu),)),
    Metric(
        "memory_used_bytes",
        0,
        2**50,
        (
            lambda nvml, handle: int(nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2).used),
            lambda nvml, handle: int(nvml.nvmlDeviceGetMemoryInfo(handle).used),
        ),
    ),
    Metric(
        "clock_sm_mhz", 0, 20_000, (lambda nvml, handle: int(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),)
    ),
    Metric(
        "clock_memory_mhz",
        0,
        50_000,
        (lambda nvml, handle: int(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),),
    ),
    # NVML says itself that a fan may turn faster than what it calls 100 %.
    Metric("fan_percent", 0, 200, (lambda nvml, handle: int(nvml.nvmlDeviceGetFanSpeed(handle)),)),
)
THROTTLE_METRIC = Metric(
    "throttle_reasons",
    0,
    2**64,
    (
        lambda nvml, handle: int(nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)),
        lambda nvml, handle: int(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)),
    ),
)


def throttle_reasons(mask: int) -> Iterator[ThrottleReason]:
    known = _GPU_IDLE
    for bit, reason in _THROTTLE_BITS:
        known |= bit
        if mask & bit:
            yield reason
    if mask & ~known:
        yield ThrottleReason.OTHER


def ask(nvml: Any, metric: Metric, handle: Any) -> int:
    """The value by the first way this driver knows.

    Raises:
        AbsentError: it has none, with the reason.
    """
    for way in metric.ways:
        try:
            value = way(nvml, handle)
        except nvml.NVMLError as error:
            if error.value in _UNKNOWN_HERE:
                continue
            raise AbsentError(Absence.LOST if error.value == NVML_GPU_IS_LOST else Absence.ERROR) from error
        except (ValueError, OverflowError) as error:  # not a number at all
            raise AbsentError(Absence.ERROR) from error
        if not metric.low <= value <= metric.high:
            raise AbsentError(Absence.ERROR)
        return value
    raise AbsentError(Absence.NOT_SUPPORTED)
