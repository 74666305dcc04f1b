"""What the cards and the application report, in Prometheus' text format. Pure.

The names, units and labels are those of NVIDIA's DCGM-exporter (etc/default-counters.csv and DCGM's field names) and of
nvidia_gpu_exporter (docs/METRICS.md), so that boards and alarms made for them work; for cards of other makers too. What
neither has a name for begins with argentum_. A value that is not there has no line.

The text is put together here: Prometheus' own library for Python writes a counter only under a name that ends in
_total, which DCGM's counters do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from argentum_desktop.agent.status import CardStatus, Status
from argentum_desktop.domain.gpu import Gpu, GpuState, Vendor
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.reading import THROTTLE_REASONS, XID_EVENTS, Reading, ThrottleReason

MIB = 2**20

Number = int | float
Labels = Mapping[str, str]
Ask = Callable[[Gpu, Reading], Number | None]


@dataclass(frozen=True)
class Tally:
    """What only shows over time, since the application started.

    Attributes:
        xids: for each card how often each of the driver's error numbers came; the last one last.
        xid_seen_at_s: when each came last, in Unix time.
    """

    xids: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    xid_seen_at_s: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    sensor_restarts: int = 0


@dataclass(frozen=True)
class Family:
    """One metric: a name, how it behaves, what it means, and where its value comes from."""

    name: str
    kind: str
    help: str
    ask: Ask


@dataclass(frozen=True)
class Sample:
    """One line."""

    labels: Labels
    value: Number


def _of(metric: str, times: int = 1, by: int = 1) -> Ask:
    """A value of the reading in another unit."""

    def ask(_: Gpu, reading: Reading) -> Number | None:
        value = getattr(reading, metric)
        return None if value is None else _scaled(value, times, by)

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
        return None if value is None or reading.is_lost else _scaled(value, 1, by)

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


def _scaled(value: int, times: int, by: int) -> Number:
    whole, rest = divmod(value * times, by)
    return whole if rest == 0 else value * times / by


_TOTAL = _card(lambda gpu: gpu.memory_total_bytes)
_G, _C = "gauge", "counter"

DCGM = (
    Family("DCGM_FI_DEV_SM_CLOCK", _G, "SM clock frequency (in MHz).", _of("clock_sm_mhz")),
    Family("DCGM_FI_DEV_MEM_CLOCK", _G, "Memory clock frequency (in MHz).", _of("clock_memory_mhz")),
    Family("DCGM_FI_DEV_MEMORY_TEMP", _G, "Memory temperature (in C).", _of("temperature_memory_c")),
    Family("DCGM_FI_DEV_GPU_TEMP", _G, "GPU temperature (in C).", _of("temperature_c")),
    Family("DCGM_FI_DEV_SLOWDOWN_TEMP", _G, "Slowdown temperature (in C).", _card(lambda g: g.temperature_slowdown_c)),
    Family("DCGM_FI_DEV_SHUTDOWN_TEMP", _G, "Shutdown temperature (in C).", _card(lambda g: g.temperature_shutdown_c)),
    Family("DCGM_FI_DEV_POWER_USAGE", _G, "Power draw (in W).", _of("power_mw", by=1000)),
    Family("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", _G, "Power limit in force (in W).", _of("power_limit_mw", by=1000)),
    Family("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", _C, "Total energy consumption (in mJ).", _of("energy_mj")),
    Family("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", _C, "Total number of PCIe retries.", _of("pcie_replays")),
    Family("DCGM_FI_DEV_PCIE_LINK_GEN", _G, "PCIe generation in use.", _of("pcie_generation")),
    Family("DCGM_FI_DEV_PCIE_LINK_WIDTH", _G, "PCIe lanes in use.", _of("pcie_width")),
    Family("DCGM_FI_DEV_PCIE_MAX_LINK_GEN", _G, "PCIe generation possible.", _card(lambda g: g.pcie_generation_max)),
    Family("DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", _G, "PCIe lanes possible.", _card(lambda g: g.pcie_width_max)),
    Family("DCGM_FI_DEV_GPU_UTIL", _G, "GPU utilization (in %).", _of("utilization_percent")),
    Family("DCGM_FI_DEV_MEM_COPY_UTIL", _G, "Memory utilization (in %).", _of("memory_utilization_percent")),
    Family("DCGM_FI_DEV_FAN_SPEED", _G, "Fan speed (in %).", _of("fan_percent")),
    Family("DCGM_FI_DEV_FB_FREE", _G, "Framebuffer memory free (in MiB).", _whole_mib(_free)),
    Family("DCGM_FI_DEV_FB_USED", _G, "Framebuffer memory used (in MiB).", _whole_mib(_of("memory_used_bytes"))),
    Family("DCGM_FI_DEV_FB_TOTAL", _G, "Framebuffer memory (in MiB).", _whole_mib(_TOTAL)),
    Family("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", _C, "Corrected ECC errors since start.", _of("ecc_corrected_volatile")),
    Family("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", _C, "Uncorrected ECC errors since start.", _of("ecc_uncorrected_volatile")),
    Family("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", _C, "Corrected ECC errors in its life.", _of("ecc_corrected")),
    Family("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", _C, "Uncorrected ECC errors in its life.", _of("ecc_uncorrected")),
    Family("DCGM_FI_DEV_RETIRED_SBE", _C, "Pages retired for corrected errors.", _of("retired_pages_sbe")),
    Family("DCGM_FI_DEV_RETIRED_DBE", _C, "Pages retired for uncorrected errors.", _of("retired_pages_dbe")),
    Family("DCGM_FI_DEV_RETIRED_PENDING", _C, "Pages pending retirement.", _of("retired_pages_pending")),
    Family(
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        _C,
        "Number of remapped rows for uncorrectable errors",
        _of("remapped_rows_uncorrectable"),
    ),
    Family(
        "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
        _C,
        "Number of remapped rows for correctable errors",
        _of("remapped_rows_correctable"),
    ),
    Family("DCGM_FI_DEV_ROW_REMAP_FAILURE", _G, "Whether remapping of rows has failed", _of("remapped_rows_failed")),
    Family("DCGM_FI_DEV_ROW_REMAP_PENDING", _G, "Whether remapping of rows is pending", _of("remapped_rows_pending")),
)


def _smi(name: str, field_name: str, ask: Ask) -> Family:
    """Everything that nvidia-smi tells is a gauge there, explained by the name of its query field."""
    return Family(f"nvidia_smi_{name}", _G, field_name, ask)


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
    Family("nvidia_smi_energy_joules_total", _C, "Energy consumed by the GPU (in J).", _of("energy_mj", by=1000)),
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
    Family("argentum_card_hotspot_celsius", _G, "The hottest spot of the chip.", _of("temperature_hotspot_c")),
    Family("argentum_card_fan_rpm", _G, "How fast the fan turns.", _of("fan_rpm")),
)


def exposition(status: Status, tally: Tally, hostname: str) -> str:
    """The whole answer to one scrape."""
    cards = list(enumerate(status.cards))
    lines: list[str] = []
    for families, labels_of in ((DCGM, _dcgm_labels), (NVIDIA_SMI, _smi_labels), (OWN, _own_labels)):
        labelled = [(card, labels_of(index, card.gpu, hostname)) for index, card in cards]
        for family in families:
            lines += _family(family.name, family.kind, family.help, _asked(family, labelled))
    for name, kind, words, samples in _others(status, tally, hostname):
        lines += _family(name, kind, words, samples)
    return "\n".join([*lines, ""])


def _asked(family: Family, cards: Iterable[tuple[CardStatus, Labels]]) -> Iterator[Sample]:
    for card, labels in cards:
        if card.reading is not None:
            value = family.ask(card.gpu, card.reading)
            if value is not None:
                yield Sample(labels, value)


def _others(status: Status, tally: Tally, hostname: str) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    """What is not one value of one reading."""
    cards = list(enumerate(status.cards))
    yield "nvidia_smi_gpu_info", _G, "What the card is; always 1.", [Sample(_info(i, c.gpu), 1) for i, c in cards]
    yield (
        "DCGM_FI_DEV_XID_ERRORS",
        _G,
        "Value of the last XID error encountered.",
        [
            Sample(_dcgm_labels(index, card.gpu, hostname), next(reversed(tally.xids.get(card.gpu.gpu_id, {0: 0}))))
            for index, card in cards
            if card.reading is not None and XID_EVENTS not in card.reading.absent
        ],
    )
    yield from _xids(status, tally)
    yield "argentum_card_state", _G, "1 for the state that the card is in.", _states(cards)
    yield (
        "argentum_card_working",
        _G,
        "Whether the card runs a job.",
        [Sample(_own_labels(index, card.gpu, ""), int(card.lease_id is not None)) for index, card in cards],
    )
    yield (
        "argentum_card_energy_source",
        _G,
        "1 for how the energy was obtained: counted by the card, or integrated from its power.",
        [
            Sample({**_own_labels(index, card.gpu, ""), "source": card.reading.energy_source.value}, 1)
            for index, card in cards
            if card.reading is not None and card.reading.energy_mj is not None
        ],
    )
    running = sum(job.state is JobState.RUNNING for job in status.jobs)
    yield "argentum_jobs_running", _G, "Jobs that run now.", [Sample({}, running)]
    today = status.today.net
    earned = Sample({"currency": today.currency}, _scaled(today.micros, 1, 1_000_000))
    yield "argentum_earned_today", _G, "Earned today, after the market's fee and the electricity.", [earned]
    yield (
        "argentum_sensor_restarts_total",
        _C,
        "How often the part that reads the cards was started again.",
        [Sample({}, tally.sensor_restarts)],
    )
    yield "argentum_info", _G, "The application; always 1.", [Sample({"version": status.version}, 1)]


def _xids(status: Status, tally: Tally) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    def samples(of: Mapping[str, Mapping[int, Number]]) -> list[Sample]:
        return [
            Sample({"uuid": _smi_uuid(card.gpu), "xid": str(xid)}, value)
            for card in status.cards
            for xid, value in of.get(card.gpu.gpu_id, {}).items()
        ]

    yield "nvidia_smi_xid_errors_total", _C, "XID errors since the application started.", samples(tally.xids)
    yield "nvidia_smi_xid_last_timestamp_seconds", _G, "When the XID error came last.", samples(tally.xid_seen_at_s)


def _states(cards: Sequence[tuple[int, CardStatus]]) -> Iterator[Sample]:
    for index, card in cards:
        now = GpuState.LOST if card.reading is not None and card.reading.is_lost else card.gpu.state
        for state in GpuState:
            yield Sample({**_own_labels(index, card.gpu, ""), "state": state.value}, int(state is now))


def _dcgm_labels(index: int, gpu: Gpu, hostname: str) -> Labels:
    device = f"nvidia{index}" if gpu.vendor is Vendor.NVIDIA else f"gpu{index}"
    return {
        "gpu": str(index),
        "UUID": gpu.gpu_id,
        "pci_bus_id": _bus_id(gpu),
        "device": device,
        "modelName": gpu.label,
        "Hostname": hostname,
    }


def _smi_labels(_: int, gpu: Gpu, __: str) -> Labels:
    return {"uuid": _smi_uuid(gpu)}


def _own_labels(index: int, gpu: Gpu, _: str) -> Labels:
    return {"gpu": str(index), "UUID": gpu.gpu_id}


def _info(index: int, gpu: Gpu) -> Labels:
    vendor, _, device = (gpu.pci_subsystem or "").upper().partition(":")
    return {
        "uuid": _smi_uuid(gpu),
        "index": str(index),
        "name": gpu.label,
        "driver_version": gpu.driver_version or "",
        "vbios_version": gpu.vbios_version or "",
        "pci_bus_id": _bus_id(gpu),
        "pci_sub_device_id": f"0x{device}{vendor}" if device else "",
        "serial": gpu.serial or "",
        "compute_cap": gpu.compute_capability or "",
    }


def _smi_uuid(gpu: Gpu) -> str:
    """Without NVIDIA's prefix and in small letters, as nvidia_gpu_exporter has it."""
    return gpu.gpu_id.lower().removeprefix("gpu-")


def _bus_id(gpu: Gpu) -> str:
    """NVIDIA's tools write the domain with eight digits, and capitals."""
    domain, _, rest = (gpu.pci_address or "").partition(":")
    return f"{domain:0>8}:{rest}".upper() if rest else ""


def _family(name: str, kind: str, words: str, samples: Iterable[Sample]) -> list[str]:
    """Text format 0.0.4; nothing at all where there is no value. A label without a value is no label."""
    lines = []
    for sample in samples:
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items() if value)
        lines.append(f"{name}{{{labels}}} {sample.value}" if labels else f"{name} {sample.value}")
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}", *lines] if lines else []


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
