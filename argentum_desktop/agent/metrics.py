"""What the cards and the application report, in Prometheus' text format. Pure. A value that is not there has no line.

The text is put together here: Prometheus' own library for Python writes a counter only under a name that ends in
_total, which DCGM's counters do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from argentum_desktop.agent.metrics_table import COUNTER, DCGM, GAUGE, NVIDIA_SMI, OWN, Family, Number, scaled
from argentum_desktop.agent.status import CardStatus, Status
from argentum_desktop.domain.gpu import Gpu, GpuState, Vendor
from argentum_desktop.domain.job import JobState
from argentum_desktop.domain.reading import XID_EVENTS

Labels = Mapping[str, str]


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
class Sample:
    """One line."""

    labels: Labels
    value: Number


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
    yield "nvidia_smi_gpu_info", GAUGE, "What the card is; always 1.", [Sample(_info(i, c.gpu), 1) for i, c in cards]
    yield (
        "DCGM_FI_DEV_XID_ERRORS",
        GAUGE,
        "Value of the last XID error encountered.",
        [
            Sample(_dcgm_labels(index, card.gpu, hostname), next(reversed(tally.xids.get(card.gpu.gpu_id, {0: 0}))))
            for index, card in cards
            if card.reading is not None and XID_EVENTS not in card.reading.absent
        ],
    )
    yield from _xids(status, tally)
    yield "argentum_card_state", GAUGE, "1 for the state that the card is in.", _states(cards)
    yield (
        "argentum_card_working",
        GAUGE,
        "Whether the card runs a job.",
        [Sample(_own_labels(index, card.gpu, ""), int(card.lease_id is not None)) for index, card in cards],
    )
    yield from _health(cards)
    yield (
        "argentum_card_energy_source",
        GAUGE,
        "1 for how the energy was obtained: counted by the card, or integrated from its power.",
        [
            Sample({**_own_labels(index, card.gpu, ""), "source": card.reading.energy_source.value}, 1)
            for index, card in cards
            if card.reading is not None and card.reading.energy_mj is not None
        ],
    )
    running = sum(job.state is JobState.RUNNING for job in status.jobs)
    yield "argentum_jobs_running", GAUGE, "Jobs that run now.", [Sample({}, running)]
    today = status.today.net
    earned = Sample({"currency": today.currency}, scaled(today.micros, 1, 1_000_000))
    yield "argentum_earned_today", GAUGE, "Earned today, after the market's fee and the electricity.", [earned]
    yield (
        "argentum_sensor_restarts_total",
        COUNTER,
        "How often the part that reads the cards was started again.",
        [Sample({}, tally.sensor_restarts)],
    )
    yield "argentum_info", GAUGE, "The application; always 1.", [Sample({"version": status.version}, 1)]


def _xids(status: Status, tally: Tally) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    def samples(of: Mapping[str, Mapping[int, Number]]) -> list[Sample]:
        return [
            Sample({"uuid": _smi_uuid(card.gpu), "xid": str(xid)}, value)
            for card in status.cards
            for xid, value in of.get(card.gpu.gpu_id, {}).items()
        ]

    yield "nvidia_smi_xid_errors_total", COUNTER, "XID errors since the application started.", samples(tally.xids)
    yield "nvidia_smi_xid_last_timestamp_seconds", GAUGE, "When the XID error came last.", samples(tally.xid_seen_at_s)


def _health(cards: Sequence[tuple[int, CardStatus]]) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    """What the check that counts said of each card that was ever checked."""
    checked = [(_own_labels(i, card.gpu, ""), card.health) for i, card in cards if card.health is not None]
    grades = [Sample({**labels, "grade": health.grade.value}, 1) for labels, health in checked]
    sureness = [Sample(labels, scaled(health.confidence_percent, 1, 100)) for labels, health in checked]
    instants = [Sample(labels, health.checked_at.timestamp()) for labels, health in checked]
    yield "argentum_gpu_health_grade", GAUGE, "1 for the grade of the card's health check.", grades
    yield "argentum_gpu_health_confidence_ratio", GAUGE, "How much of what can be known was looked at.", sureness
    yield "argentum_gpu_health_checked_timestamp_seconds", GAUGE, "When the card was checked.", instants
    yield (
        "argentum_gpu_health_check_running",
        GAUGE,
        "Whether the card's health is being checked.",
        [Sample(_own_labels(index, card.gpu, ""), int(card.checkup is not None)) for index, card in cards],
    )


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
