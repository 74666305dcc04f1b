"""What a card reports: the metrics, declared once, and one reading of them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Absence(StrEnum):
    """Why a value is not there. There is never a zero for "unknown"."""

    NOT_SUPPORTED = "not_supported"
    LOST = "lost"
    ERROR = "error"


class ThrottleReason(StrEnum):
    """What keeps a card from its full clock. NVML's clock event reasons; other vendors' are given these names."""

    APPLICATION = "application"
    POWER_LIMIT = "power_limit"
    HARDWARE_SLOWDOWN = "hardware_slowdown"
    SYNC = "sync"
    TEMPERATURE = "temperature"
    HARDWARE_TEMPERATURE = "hardware_temperature"
    POWER_BRAKE = "power_brake"
    DISPLAY = "display"
    BOARD_LIMIT = "board_limit"
    VOLTAGE = "voltage"
    OTHER = "other"

    @property
    def words(self) -> str:
        """For the owner."""
        return _THROTTLE_WORDS[self]

    @property
    def is_heat(self) -> bool:
        return self in {ThrottleReason.TEMPERATURE, ThrottleReason.HARDWARE_TEMPERATURE}

    @property
    def is_power(self) -> bool:
        return self in {ThrottleReason.POWER_LIMIT, ThrottleReason.POWER_BRAKE, ThrottleReason.BOARD_LIMIT}


_THROTTLE_WORDS = {
    ThrottleReason.APPLICATION: "clocks set by an application",
    ThrottleReason.POWER_LIMIT: "power limit reached",
    ThrottleReason.HARDWARE_SLOWDOWN: "hardware slowdown",
    ThrottleReason.SYNC: "kept in step with another card",
    ThrottleReason.TEMPERATURE: "too warm",
    ThrottleReason.HARDWARE_TEMPERATURE: "too hot, slowed by the hardware",
    ThrottleReason.POWER_BRAKE: "power supply or cable at its limit",
    ThrottleReason.DISPLAY: "display clock setting",
    ThrottleReason.BOARD_LIMIT: "board limit reached",
    ThrottleReason.VOLTAGE: "voltage at its limit",
    ThrottleReason.OTHER: "another reason",
}


class EnergySource(StrEnum):
    """How an amount of energy was obtained."""

    COUNTER = "counter"
    INTEGRATED = "integrated"
    MIXED = "mixed"


class MetricKind(StrEnum):
    """How a metric behaves over time."""

    GAUGE = "gauge"
    COUNTER = "counter"
    """Only grows, but for a reset."""
    FLAG = "flag"
    """0 or 1."""


@dataclass(frozen=True)
class Metric:
    """One whole number of a reading.

    Attributes:
        name: the attribute of `Reading`, with its unit.
        low: below this, or above `high`, it is nonsense that a driver says when it knows nothing.
    """

    name: str
    title: str
    unit: str
    kind: MetricKind
    low: int
    high: int

    def is_plausible(self, value: int) -> bool:
        return self.low <= value <= self.high


def _gauge(name: str, title: str, unit: str, high: int, low: int = 0) -> Metric:
    return Metric(name, title, unit, MetricKind.GAUGE, low, high)


def _counter(name: str, title: str, unit: str = "", high: int = 2**53) -> Metric:
    return Metric(name, title, unit, MetricKind.COUNTER, 0, high)


def _flag(name: str, title: str) -> Metric:
    return Metric(name, title, "", MetricKind.FLAG, 0, 1)


# The order in which they are shown and exported. All of them are kept as history.
METRICS = (
    _gauge("temperature_c", "Temperature", "°C", 150, -40),
    _gauge("temperature_hotspot_c", "Hotspot temperature", "°C", 150, -40),
    _gauge("temperature_memory_c", "Memory temperature", "°C", 150, -40),
    _gauge("power_mw", "Power", "mW", 5_000_000),
    _gauge("power_limit_mw", "Power limit", "mW", 5_000_000, 1),
    _counter("energy_mj", "Energy", "mJ"),
    _gauge("utilization_percent", "Load", "%", 100),
    _gauge("memory_utilization_percent", "Memory load", "%", 100),
    _gauge("memory_used_bytes", "Memory used", "B", 2**50),
    _gauge("clock_sm_mhz", "Clock", "MHz", 20_000),
    _gauge("clock_memory_mhz", "Memory clock", "MHz", 50_000),
    # NVML says itself that a fan may turn faster than what it calls 100 %.
    _gauge("fan_percent", "Fan", "%", 200),
    _gauge("fan_rpm", "Fan speed", "rpm", 50_000),
    _flag("throttled_by_heat", "Slowed by heat"),
    _flag("throttled_by_power", "Slowed by power"),
    _gauge("pcie_generation", "PCIe generation", "", 10, 1),
    _gauge("pcie_width", "PCIe lanes", "", 32, 1),
    _counter("pcie_replays", "PCIe replays"),
    _counter("ecc_corrected", "Corrected memory errors, in its life"),
    _counter("ecc_uncorrected", "Uncorrected memory errors, in its life"),
    _counter("ecc_corrected_volatile", "Corrected memory errors since the driver started"),
    _counter("ecc_uncorrected_volatile", "Uncorrected memory errors since the driver started"),
    _counter("retired_pages_sbe", "Pages retired for corrected errors", high=100_000),
    _counter("retired_pages_dbe", "Pages retired for uncorrected errors", high=100_000),
    _flag("retired_pages_pending", "Pages to be retired at the next start"),
    _counter("remapped_rows_correctable", "Rows remapped for corrected errors", high=100_000),
    _counter("remapped_rows_uncorrectable", "Rows remapped for uncorrected errors", high=100_000),
    _flag("remapped_rows_pending", "Rows to be remapped at the next start"),
    _flag("remapped_rows_failed", "A remapping has failed"),
)
METRIC_BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class GpuProcess:
    """A process that uses the card.

    Attributes:
        memory_bytes: what it holds of the card's memory; None where the driver does not tell.
        is_compute: it computes; else it draws.
    """

    pid: int
    memory_bytes: int | None
    is_compute: bool


@dataclass(frozen=True)
class Reading:
    """What a card reported at one instant.

    A value that is None, `throttle_reasons`, `xid_events` and `processes` that are not known, have their reason in
    `absent`, by name. What changes slowly (limits, error counts) may be up to half a minute old.

    Attributes:
        temperature_c: of the chip, at its edge where the vendor tells them apart.
        energy_mj: since some start of the vendor's choosing; `energy_source` says whether the card counted it itself.
        xid_events: NVIDIA's error numbers that came since the reading before.
    """

    gpu_id: str
    taken_at: datetime
    temperature_c: int | None = None
    temperature_hotspot_c: int | None = None
    temperature_memory_c: int | None = None
    power_mw: int | None = None
    power_limit_mw: int | None = None
    energy_mj: int | None = None
    energy_source: EnergySource = EnergySource.COUNTER
    utilization_percent: int | None = None
    memory_utilization_percent: int | None = None
    memory_used_bytes: int | None = None
    clock_sm_mhz: int | None = None
    clock_memory_mhz: int | None = None
    fan_percent: int | None = None
    fan_rpm: int | None = None
    throttle_reasons: tuple[ThrottleReason, ...] = ()
    pcie_generation: int | None = None
    pcie_width: int | None = None
    pcie_replays: int | None = None
    ecc_corrected: int | None = None
    ecc_uncorrected: int | None = None
    ecc_corrected_volatile: int | None = None
    ecc_uncorrected_volatile: int | None = None
    retired_pages_sbe: int | None = None
    retired_pages_dbe: int | None = None
    retired_pages_pending: int | None = None
    remapped_rows_correctable: int | None = None
    remapped_rows_uncorrectable: int | None = None
    remapped_rows_pending: int | None = None
    remapped_rows_failed: int | None = None
    xid_events: tuple[int, ...] = ()
    processes: tuple[GpuProcess, ...] = ()
    absent: Mapping[str, Absence] = field(default_factory=dict)

    @property
    def throttled_by_heat(self) -> int | None:
        return self._throttled(any(reason.is_heat for reason in self.throttle_reasons))

    @property
    def throttled_by_power(self) -> int | None:
        return self._throttled(any(reason.is_power for reason in self.throttle_reasons))

    @property
    def is_lost(self) -> bool:
        """The driver says that the card is gone from the bus."""
        return Absence.LOST in self.absent.values()

    def _throttled(self, is_so: bool) -> int | None:
        return None if THROTTLE_REASONS in self.absent else int(is_so)


# The names under which the values that are no numbers stand in `Reading.absent`.
THROTTLE_REASONS, XID_EVENTS, PROCESSES = "throttle_reasons", "xid_events", "processes"
_DERIVED = {"throttled_by_heat", "throttled_by_power"}
# Every name that is either known or has its reason in `Reading.absent`.
METRIC_NAMES = tuple(metric.name for metric in METRICS if metric.name not in _DERIVED)
VALUES = (*(metric.name for metric in METRICS if metric.name not in _DERIVED), THROTTLE_REASONS, XID_EVENTS, PROCESSES)


def lost(gpu_id: str, now: datetime) -> Reading:
    """The reading of a card that does not answer."""
    return Reading(gpu_id, now, absent=dict.fromkeys(VALUES, Absence.LOST))
