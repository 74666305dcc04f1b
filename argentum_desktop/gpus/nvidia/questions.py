"""What an NVIDIA card is asked: for each value how often, and the ways to it, the best first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argentum_desktop.domain.reading import PROCESSES, THROTTLE_REASONS
from argentum_desktop.gpus.nvidia.processes import processes
from argentum_desktop.gpus.nvidia.throttling import throttle_reasons

# A call costs 20 to 200 µs in the driver, and many a value hardly ever changes. A reading is asked for once a second,
# under the load of a health check four times.
EACH_TIME_S, OFTEN_S, SELDOM_S = 0.0, 5.0, 30.0

# A way that the card turned down is tried again after this long: drivers change their mind, and so do cards that wake.
FORGET_AFTER_S = 300.0

FIELD_MEMORY_TEMPERATURE = 82


@dataclass(frozen=True)
class Fields:
    """A way through NVML's numbered fields, which are all asked for in one call.

    Attributes:
        zero_is_empty: a card that answers zero has said nothing: it is warmer than that, or draws more.
    """

    ids: tuple[int, ...]
    zero_is_empty: bool = False


# A way through a function: given the module and the card's handle, one value for each name of the question.
Call = Callable[[Any, Any], tuple[Any, ...]]


@dataclass(frozen=True)
class Question:
    """One thing to ask.

    Attributes:
        names: the values of the reading that the answer gives.
        every_s: how often; in between the last answer stands.
        ways: tried in turn until the card supports one.
        is_empty_on_geforce: GeForce cards answer, and it means nothing (some say "success, 0" for what they lack).
    """

    names: tuple[str, ...]
    every_s: float
    ways: tuple[Fields | Call, ...]
    is_empty_on_geforce: bool = False


def _memory_used(used: int, total: int) -> tuple[int]:
    if used > total:
        raise ValueError("more memory in use than there is")
    return (used,)


def _memory_v2(nvml: Any, card: Any) -> tuple[int]:
    memory = nvml.nvmlDeviceGetMemoryInfo(card, version=nvml.nvmlMemory_v2)
    return _memory_used(memory.used, memory.total)


def _memory(nvml: Any, card: Any) -> tuple[int]:
    memory = nvml.nvmlDeviceGetMemoryInfo(card)
    return _memory_used(memory.used, memory.total)


def _utilization(nvml: Any, card: Any) -> tuple[int, int]:
    rates = nvml.nvmlDeviceGetUtilizationRates(card)
    return rates.gpu, rates.memory


def _function(name: str, *arguments: int) -> Call:
    """The way through one function that answers one number."""
    return lambda nvml, card: (getattr(nvml, name)(card, *arguments),)


def _reasons(name: str) -> Call:
    return lambda nvml, card: (throttle_reasons(getattr(nvml, name)(card)),)


def _retired(cause: int) -> Call:
    return lambda nvml, card: (len(nvml.nvmlDeviceGetRetiredPages(card, cause)),)


# NVML's own numbers, which never change: enums are not looked up in pynvml, so that the table can stand here.
_GPU_SENSOR = 0
_CLOCK_SM, _CLOCK_MEMORY = 1, 2
_CORRECTED, _UNCORRECTED, _VOLATILE, _AGGREGATE = 0, 1, 0, 1
_MANY_SINGLE_BIT, _DOUBLE_BIT = 0, 1
_ECC = "nvmlDeviceGetTotalEccErrors"

QUESTIONS = (
    Question(
        ("temperature_c",),
        EACH_TIME_S,
        (_function("nvmlDeviceGetTemperatureV", _GPU_SENSOR), _function("nvmlDeviceGetTemperature", _GPU_SENSOR)),
    ),
    Question(("temperature_memory_c",), EACH_TIME_S, (Fields((FIELD_MEMORY_TEMPERATURE,), zero_is_empty=True),)),
    # Field 186 is this instant; PowerUsage is the mean of a second on newer cards.
    Question(("power_mw",), EACH_TIME_S, (Fields((186,), zero_is_empty=True), _function("nvmlDeviceGetPowerUsage"))),
    Question(("energy_mj",), EACH_TIME_S, (Fields((83,)), _function("nvmlDeviceGetTotalEnergyConsumption"))),
    Question(("utilization_percent", "memory_utilization_percent"), EACH_TIME_S, (_utilization,)),
    Question(("memory_used_bytes",), EACH_TIME_S, (_memory_v2, _memory)),
    Question(("clock_sm_mhz",), EACH_TIME_S, (_function("nvmlDeviceGetClockInfo", _CLOCK_SM),)),
    Question(("clock_memory_mhz",), EACH_TIME_S, (_function("nvmlDeviceGetClockInfo", _CLOCK_MEMORY),)),
    Question(
        (THROTTLE_REASONS,),
        EACH_TIME_S,
        (_reasons("nvmlDeviceGetCurrentClocksEventReasons"), _reasons("nvmlDeviceGetCurrentClocksThrottleReasons")),
    ),
    Question(("power_limit_mw",), OFTEN_S, (_function("nvmlDeviceGetEnforcedPowerLimit"),)),
    Question(("fan_percent",), OFTEN_S, (_function("nvmlDeviceGetFanSpeed"),)),
    Question(("fan_rpm",), OFTEN_S, (_function("nvmlDeviceGetFanSpeedRPM"),)),
    Question(("pcie_generation",), OFTEN_S, (_function("nvmlDeviceGetCurrPcieLinkGeneration"),)),
    Question(("pcie_width",), OFTEN_S, (_function("nvmlDeviceGetCurrPcieLinkWidth"),)),
    Question((PROCESSES,), OFTEN_S, (processes,)),
    Question(("pcie_replays",), SELDOM_S, (Fields((94,)), _function("nvmlDeviceGetPcieReplayCounter"))),
    Question(("ecc_corrected",), SELDOM_S, (Fields((5,)), _function(_ECC, _CORRECTED, _AGGREGATE))),
    Question(("ecc_uncorrected",), SELDOM_S, (Fields((6,)), _function(_ECC, _UNCORRECTED, _AGGREGATE))),
    Question(("ecc_corrected_volatile",), SELDOM_S, (Fields((3,)), _function(_ECC, _CORRECTED, _VOLATILE))),
    Question(("ecc_uncorrected_volatile",), SELDOM_S, (Fields((4,)), _function(_ECC, _UNCORRECTED, _VOLATILE))),
    Question(("retired_pages_sbe",), SELDOM_S, (Fields((29,)), _retired(_MANY_SINGLE_BIT))),
    Question(("retired_pages_dbe",), SELDOM_S, (Fields((30,)), _retired(_DOUBLE_BIT))),
    Question(
        ("retired_pages_pending",), SELDOM_S, (Fields((31,)), _function("nvmlDeviceGetRetiredPagesPendingStatus"))
    ),
    Question(
        (
            "remapped_rows_correctable",
            "remapped_rows_uncorrectable",
            "remapped_rows_pending",
            "remapped_rows_failed",
        ),
        SELDOM_S,
        (Fields((142, 143, 144, 145)), lambda nvml, card: nvml.nvmlDeviceGetRemappedRows(card)),
        is_empty_on_geforce=True,
    ),
)
