"""Under which name each value goes out, and in which unit. One line for each.

The names, units and labels are those of NVIDIA's DCGM-exporter (etc/default-counters.csv and DCGM's field names) and of
nvidia_gpu_exporter (docs/METRICS.md), so that boards and alarms made for them work; for cards of other makers too. What
neither has a name for begins with argentum_.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.reading import THROTTLE_REASONS, Reading, ThrottleReason

MIB = 2**20

Number = int | float
Ask = Callable[[Gpu, Reading], Number | None]


@dataclass(frozen=True)
class Family:
    """One metric: a name, how it behaves, what it means, and where its value comes from."""

    name: str
    kind: str
    help: str
    ask: Ask


def _of(metric: str, times: int = 1, by: int = 1) -> Ask:
    """A value of the reading in another unit."""

    def ask(_: Gpu, reading: Reading) -> Number | None:
        value = getattr(reading, metric)
        return None if value is None else scaled(value, times, by)

    return ask


def _whole_mib(bytes_of: Ask) -> Ask:
    def ask(gpu: Gpu, reading: Reading) -> Number | None:
        amount = bytes_of(gpu, reading)
        return None if amount is None else round(amount / MIB)

    return ask


def _card(fact: Callable[[Gpu], int | None], by: int = 1) -> Ask:
    """What the card is, as long as it answers."""

    def ask(gpu: Gpu, reading: Reading) -> Number | None:
        value = fact(gpu)
        return None if value is None or reading.is_lost else scaled(value, 1, by)

    return ask


def _free(gpu: Gpu, reading: Reading) -> int | None:
    if gpu.memory_total_bytes is None or reading.memory_used_bytes is None:
        return None
    return gpu.memory_total_bytes - reading.memory_used_bytes


def _slowed(*reasons: ThrottleReason) -> Ask:
    def ask(_: Gpu, reading: Reading) -> Number | None:
        if THROTTLE_REASONS in reading.absent:
            return None
        return int(any(reason in reading.throttle_reasons for reason in reasons))

    return ask


def scaled(value: int, times: int, by: int) -> Number:
    """In another unit; a whole number where it is one."""
    whole, rest = divmod(value * times, by)
    return whole if rest == 0 else value * times / by


_TOTAL = _card(lambda gpu: gpu.memory_total_bytes)
GAUGE, COUNTER = "gauge", "counter"

DCGM = (
    Family("DCGM_FI_DEV_SM_CLOCK", GAUGE, "SM clock frequency (in MHz).", _of("clock_sm_mhz")),
    Family("DCGM_FI_DEV_MEM_CLOCK", GAUGE, "Memory clock frequency (in MHz).", _of("clock_memory_mhz")),
    Family("DCGM_FI_DEV_MEMORY_TEMP", GAUGE, "Memory temperature (in C).", _of("temperature_memory_c")),
    Family("DCGM_FI_DEV_GPU_TEMP", GAUGE, "GPU temperature (in C).", _of("temperature_c")),
    Family(
        "DCGM_FI_DEV_SLOWDOWN_TEMP", GAUGE, "Slowdown temperature (in C).", _card(lambda g: g.temperature_slowdown_c)
    ),
    Family(
        "DCGM_FI_DEV_SHUTDOWN_TEMP", GAUGE, "Shutdown temperature (in C).", _card(lambda g: g.temperature_shutdown_c)
    ),
    Family("DCGM_FI_DEV_POWER_USAGE", GAUGE, "Power draw (in W).", _of("power_mw", by=1000)),
    Family("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", GAUGE, "Power limit in force (in W).", _of("power_limit_mw", by=1000)),
    Family("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", COUNTER, "Total energy consumption (in mJ).", _of("energy_mj")),
    Family("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", COUNTER, "Total number of PCIe retries.", _of("pcie_replays")),
    Family("DCGM_FI_DEV_PCIE_LINK_GEN", GAUGE, "PCIe generation in use.", _of("pcie_generation")),
    Family("DCGM_FI_DEV_PCIE_LINK_WIDTH", GAUGE, "PCIe lanes in use.", _of("pcie_width")),
    Family("DCGM_FI_DEV_PCIE_MAX_LINK_GEN", GAUGE, "PCIe generation possible.", _card(lambda g: g.pcie_generation_max)),
    Family("DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", GAUGE, "PCIe lanes possible.", _card(lambda g: g.pcie_width_max)),
    Family("DCGM_FI_DEV_GPU_UTIL", GAUGE, "GPU utilization (in %).", _of("utilization_percent")),
    Family("DCGM_FI_DEV_MEM_COPY_UTIL", GAUGE, "Memory utilization (in %).", _of("memory_utilization_percent")),
    Family("DCGM_FI_DEV_FAN_SPEED", GAUGE, "Fan speed (in %).", _of("fan_percent")),
    Family("DCGM_FI_DEV_FB_FREE", GAUGE, "Framebuffer memory free (in MiB).", _whole_mib(_free)),
    Family("DCGM_FI_DEV_FB_USED", GAUGE, "Framebuffer memory used (in MiB).", _whole_mib(_of("memory_used_bytes"))),
    Family("DCGM_FI_DEV_FB_TOTAL", GAUGE, "Framebuffer memory (in MiB).", _whole_mib(_TOTAL)),
    Family(
        "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", COUNTER, "Corrected ECC errors since start.", _of("ecc_corrected_volatile")
    ),
    Family(
        "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", COUNTER, "Uncorrected ECC errors since start.", _of("ecc_uncorrected_volatile")
    ),
    Family("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", COUNTER, "Corrected ECC errors in its life.", _of("ecc_corrected")),
    Family("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", COUNTER, "Uncorrected ECC errors in its life.", _of("ecc_uncorrected")),
    Family("DCGM_FI_DEV_RETIRED_SBE", COUNTER, "Pages retired for corrected errors.", _of("retired_pages_sbe")),
    Family("DCGM_FI_DEV_RETIRED_DBE", COUNTER, "Pages retired for uncorrected errors.", _of("retired_pages_dbe")),
    Family("DCGM_FI_DEV_RETIRED_PENDING", COUNTER, "Pages pending retirement.", _of("retired_pages_pending")),
    Family(
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        COUNTER,
        "Number of remapped rows for uncorrectable errors",
        _of("remapped_rows_uncorrectable"),
    ),
    Family(
        "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
        COUNTER,
        "Number of remapped rows for correctable errors",
        _of("remapped_rows_correctable"),
    ),
    Family("DCGM_FI_DEV_ROW_REMAP_FAILURE", GAUGE, "Whether remapping of rows has failed", _of("remapped_rows_failed")),
    Family(
        "DCGM_FI_DEV_ROW_REMAP_PENDING", GAUGE, "Whether remapping of rows is pending", _of("remapped_rows_pending")
    ),
)


def _smi(name: str, field_name: str, ask: Ask) -> Family:
    """Everything that nvidia-smi tells is a gauge there, explained by the name of its query field."""
    return Family(f"nvidia_smi_{name}", GAUGE, field_name, ask)


def _reason(name: str, *reasons: ThrottleReason) -> Family:
    return _smi(f"clocks_event_reasons_{name}", f"clocks_event_reasons.{name}", _slowed(*reasons))


def _ecc(name: str, metric: str) -> Family:
    return _smi(f"ecc_errors_{name}_total", f"ecc.errors.{name.replace('_', '.')}.total", _of(metric))


NVIDIA_SMI = (
    _smi("temperature_gpu", "temperature.gpu", _of("temperature_c")),
    _smi("temperature_memory", "temperature.memory", _of("temperature_memory_c")),
    _smi("power_draw_watts", "power.draw [W]", _of("power_mw", by=1000)),
    _smi("enforced_power_limit_watts", "enforced.power.limit [W]", _of("power_limit_mw", by=1000)),
    _smi("power_default_limit_watts", "power.default_limit [W]", _card(lambda g: g.power_limit_default_mw, by=1000)),
    Family("nvidia_smi_energy_joules_total", COUNTER, "Energy consumed by the GPU (in J).", _of("energy_mj", by=1000)),
    _smi("utilization_gpu_ratio", "utilization.gpu [%]", _of("utilization_percent", by=100)),
    _smi("utilization_memory_ratio", "utilization.memory [%]", _of("memory_utilization_percent", by=100)),
    _smi("memory_total_bytes", "memory.total [MiB]", _TOTAL),
    _smi("memory_used_bytes", "memory.used [MiB]", _of("memory_used_bytes")),
    _smi("memory_free_bytes", "memory.free [MiB]", _free),
    _smi("clocks_current_sm_clock_hz", "clocks.current.sm [MHz]", _of("clock_sm_mhz", times=1_000_000)),
    _smi("clocks_current_memory_clock_hz", "clocks.current.memory [MHz]", _of("clock_memory_mhz", times=1_000_000)),
    _smi("fan_speed_ratio", "fan.speed [%]", _of("fan_percent", by=100)),
    _smi("pcie_link_gen_current", "pcie.link.gen.current", _of("pcie_generation")),
    _smi("pcie_link_gen_max", "pcie.link.gen.max", _card(lambda g: g.pcie_generation_max)),
    _smi("pcie_link_width_current", "pcie.link.width.current", _of("pcie_width")),
    _smi("pcie_link_width_max", "pcie.link.width.max", _card(lambda g: g.pcie_width_max)),
    _reason("applications_clocks_setting", ThrottleReason.APPLICATION),
    _reason("sw_power_cap", ThrottleReason.POWER_LIMIT),
    _reason("hw_slowdown", ThrottleReason.HARDWARE_SLOWDOWN),
    _reason("sync_boost", ThrottleReason.SYNC),
    _reason("sw_thermal_slowdown", ThrottleReason.TEMPERATURE),
    _reason("hw_thermal_slowdown", ThrottleReason.HARDWARE_TEMPERATURE),
    _reason("hw_power_brake_slowdown", ThrottleReason.POWER_BRAKE),
    _ecc("corrected_aggregate", "ecc_corrected"),
    _ecc("uncorrected_aggregate", "ecc_uncorrected"),
    _ecc("corrected_volatile", "ecc_corrected_volatile"),
    _ecc("uncorrected_volatile", "ecc_uncorrected_volatile"),
    _smi("retired_pages_single_bit_ecc_count", "retired_pages.single_bit_ecc.count", _of("retired_pages_sbe")),
    _smi("retired_pages_double_bit_count", "retired_pages.double_bit.count", _of("retired_pages_dbe")),
    _smi("retired_pages_pending", "retired_pages.pending", _of("retired_pages_pending")),
    _smi("remapped_rows_correctable", "remapped_rows.correctable", _of("remapped_rows_correctable")),
    _smi("remapped_rows_uncorrectable", "remapped_rows.uncorrectable", _of("remapped_rows_uncorrectable")),
    _smi("remapped_rows_pending", "remapped_rows.pending", _of("remapped_rows_pending")),
    _smi("remapped_rows_failure", "remapped_rows.failure", _of("remapped_rows_failed")),
)

# For what the exporters have no name.
OWN = (
    Family("argentum_card_hotspot_celsius", GAUGE, "The hottest spot of the chip.", _of("temperature_hotspot_c")),
    Family("argentum_card_fan_rpm", GAUGE, "How fast the fan turns.", _of("fan_rpm")),
)
