"""The metrics, read by Prometheus' own parser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from samples import GPU, NOON, eur

from argentum_desktop.agent.metrics import Tally, exposition
from argentum_desktop.agent.metrics_feed import MetricsFeed
from argentum_desktop.agent.metrics_table import DCGM, NVIDIA_SMI, OWN
from argentum_desktop.agent.status import AgentState, CardStatus, Status
from argentum_desktop.domain.gpu import Gpu, GpuState, Vendor
from argentum_desktop.domain.health import CheckMode, Grade, HealthSummary
from argentum_desktop.domain.reading import METRICS, XID_EVENTS, Absence, EnergySource, Reading, ThrottleReason, lost
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.measured import make_reading
from argentum_desktop.gpus.simulated.scenario import load
from argentum_desktop.gpus.simulated.source import SimulatedSource
from argentum_desktop.gpus.watched_sensor import CardsFound
from argentum_desktop.ledger.earnings import Totals
from argentum_desktop.telemetry.sampler import ReadingsTaken

DATA = Path(__file__).resolve().parents[2] / "data" / "scenarios"
CARD = replace(
    GPU,
    gpu_id="GPU-AB12",
    pci_address="0000:0a:00.0",
    pci_subsystem="1458:403b",
    driver_version="580.1",
    power_limit_default_mw=220_000,
    temperature_slowdown_c=90,
    pcie_generation_max=4,
    pcie_width_max=16,
)
VALUES: dict[str, Any] = {
    "temperature_c": 61,
    "temperature_memory_c": 84,
    "temperature_hotspot_c": 75,
    "power_mw": 123_456,
    "power_limit_mw": 200_000,
    "energy_mj": 1_234_567,
    "utilization_percent": 97,
    "memory_utilization_percent": 30,
    "memory_used_bytes": 3 * 2**30,
    "clock_sm_mhz": 2475,
    "clock_memory_mhz": 10_501,
    "fan_percent": 33,
    "fan_rpm": 1200,
    "throttle_reasons": (ThrottleReason.POWER_LIMIT,),
    "pcie_generation": 3,
    "pcie_width": 8,
    "pcie_replays": 5,
    "ecc_corrected": 10,
    "ecc_uncorrected": 1,
    "ecc_corrected_volatile": 4,
    "ecc_uncorrected_volatile": 2,
    "retired_pages_sbe": 6,
    "retired_pages_dbe": 7,
    "retired_pages_pending": 1,
    "remapped_rows_correctable": 8,
    "remapped_rows_uncorrectable": 9,
    "remapped_rows_pending": 0,
    "remapped_rows_failed": 1,
    "xid_events": (),
    "processes": (),
}

Key = tuple[str, tuple[tuple[str, str], ...]]


def status(*cards: CardStatus) -> Status:
    today = Totals(eur("1.20"), eur("0.06"), eur("0.14"))
    return Status(AgentState.IDLE, "", NOON, "1.2.3", "/home", "", cards, (), (), today, today)


def card(gpu: Gpu = CARD, reading: Reading | None = None, **more: Any) -> CardStatus:
    return CardStatus(gpu, reading, "Ready", **more)


def full(**changes: Any) -> Reading:
    return make_reading(CARD.gpu_id, NOON, VALUES | changes)


def parsed(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Labels and values of every family; a counter's samples lose the ending the parser gives them."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        assert family.type in {"gauge", "counter"}, family.name
        assert family.documentation
        for sample in family.samples:
            name = sample.name if f"# TYPE {sample.name} " in text else sample.name.removesuffix("_total")
            assert f"# TYPE {name} {family.type}\n" in text
            found.setdefault(name, []).append((dict(sample.labels), sample.value))
    return found


def value(text: str, name: str) -> float:
    ((_, only),) = parsed(text)[name]
    return only


def test_every_value_has_its_name_and_its_unit() -> None:
    text = exposition(status(card(reading=full())), Tally(), "rig")
    expected = {
        "DCGM_FI_DEV_SM_CLOCK": 2475,
        "DCGM_FI_DEV_MEM_CLOCK": 10_501,
        "DCGM_FI_DEV_MEMORY_TEMP": 84,
        "DCGM_FI_DEV_GPU_TEMP": 61,
        "DCGM_FI_DEV_SLOWDOWN_TEMP": 90,
        "DCGM_FI_DEV_POWER_USAGE": 123.456,
        "DCGM_FI_DEV_ENFORCED_POWER_LIMIT": 200,
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": 1_234_567,
        "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": 5,
        "DCGM_FI_DEV_PCIE_LINK_GEN": 3,
        "DCGM_FI_DEV_PCIE_LINK_WIDTH": 8,
        "DCGM_FI_DEV_PCIE_MAX_LINK_GEN": 4,
        "DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH": 16,
        "DCGM_FI_DEV_GPU_UTIL": 97,
        "DCGM_FI_DEV_MEM_COPY_UTIL": 30,
        "DCGM_FI_DEV_FAN_SPEED": 33,
        "DCGM_FI_DEV_FB_FREE": 9 * 1024,
        "DCGM_FI_DEV_FB_USED": 3 * 1024,
        "DCGM_FI_DEV_FB_TOTAL": 12 * 1024,
        "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL": 4,
        "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": 2,
        "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL": 10,
        "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL": 1,
        "DCGM_FI_DEV_RETIRED_SBE": 6,
        "DCGM_FI_DEV_RETIRED_DBE": 7,
        "DCGM_FI_DEV_RETIRED_PENDING": 1,
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": 9,
        "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": 8,
        "DCGM_FI_DEV_ROW_REMAP_FAILURE": 1,
        "DCGM_FI_DEV_ROW_REMAP_PENDING": 0,
        "DCGM_FI_DEV_XID_ERRORS": 0,
        "nvidia_smi_temperature_gpu": 61,
        "nvidia_smi_temperature_memory": 84,
        "nvidia_smi_power_draw_watts": 123.456,
        "nvidia_smi_enforced_power_limit_watts": 200,
        "nvidia_smi_power_default_limit_watts": 220,
        "nvidia_smi_energy_joules_total": 1234.567,
        "nvidia_smi_utilization_gpu_ratio": 0.97,
        "nvidia_smi_utilization_memory_ratio": 0.3,
        "nvidia_smi_memory_total_bytes": 12 * 2**30,
        "nvidia_smi_memory_used_bytes": 3 * 2**30,
        "nvidia_smi_memory_free_bytes": 9 * 2**30,
        "nvidia_smi_clocks_current_sm_clock_hz": 2_475_000_000,
        "nvidia_smi_clocks_current_memory_clock_hz": 10_501_000_000,
        "nvidia_smi_fan_speed_ratio": 0.33,
        "nvidia_smi_pcie_link_gen_current": 3,
        "nvidia_smi_pcie_link_width_max": 16,
        "nvidia_smi_clocks_event_reasons_sw_power_cap": 1,
        "nvidia_smi_clocks_event_reasons_hw_thermal_slowdown": 0,
        "nvidia_smi_clocks_event_reasons_hw_power_brake_slowdown": 0,
        "nvidia_smi_ecc_errors_corrected_aggregate_total": 10,
        "nvidia_smi_ecc_errors_uncorrected_volatile_total": 2,
        "nvidia_smi_retired_pages_double_bit_count": 7,
        "nvidia_smi_remapped_rows_failure": 1,
        "nvidia_smi_gpu_info": 1,
        "argentum_card_hotspot_celsius": 75,
        "argentum_card_fan_rpm": 1200,
        "argentum_card_working": 0,
        "argentum_earned_today": 1.0,
        "argentum_jobs_running": 0,
        "argentum_sensor_restarts_total": 0,
        "argentum_info": 1,
    }
    assert {name: value(text, name) for name in expected} == expected


def test_every_metric_of_a_reading_goes_out_by_some_name() -> None:
    everything = exposition(status(card(reading=full())), Tally(), "rig")
    shown_otherwise = {"throttled_by_heat", "throttled_by_power"}
    for metric in METRICS:
        if metric.name not in shown_otherwise:
            without = exposition(
                status(
                    card(reading=make_reading(CARD.gpu_id, NOON, {n: v for n, v in VALUES.items() if n != metric.name}))
                ),
                Tally(),
                "rig",
            )
            assert len(parsed(without)) < len(parsed(everything)), metric.name


def test_labels_are_those_of_the_exporters() -> None:
    found = parsed(exposition(status(card(reading=full())), Tally(), "rig"))
    assert found["DCGM_FI_DEV_GPU_TEMP"][0][0] == {
        "gpu": "0",
        "UUID": "GPU-AB12",
        "pci_bus_id": "00000000:0A:00.0",
        "device": "nvidia0",
        "modelName": "GeForce RTX 4070",
        "Hostname": "rig",
    }
    assert found["nvidia_smi_temperature_gpu"][0][0] == {"uuid": "ab12"}
    assert found["nvidia_smi_gpu_info"][0][0] == {
        "uuid": "ab12",
        "index": "0",
        "name": "GeForce RTX 4070",
        "driver_version": "580.1",
        "pci_bus_id": "00000000:0A:00.0",
        "pci_sub_device_id": "0x403B1458",
    }


def test_what_is_not_there_has_no_line_at_all() -> None:
    nothing = make_reading(CARD.gpu_id, NOON, {})
    failed = make_reading(CARD.gpu_id, NOON, {}, dict.fromkeys(VALUES, Absence.ERROR))
    for reading in (None, nothing, failed, lost(CARD.gpu_id, NOON)):
        bare = replace(CARD, memory_total_bytes=None, power_limit_default_mw=None, temperature_slowdown_c=None)
        bare = replace(bare, pcie_generation_max=None, pcie_width_max=None)
        found = parsed(exposition(status(card(bare, reading)), Tally(), "rig"))
        assert {name for name in found if not name.startswith("argentum_")} == {"nvidia_smi_gpu_info"}
    assert not {family.name for family in (*DCGM, *NVIDIA_SMI, *OWN)} & found.keys()


def test_a_lost_card_says_so_and_nothing_else_and_the_others_go_on() -> None:
    other = replace(CARD, gpu_id="GPU-2")
    both = status(card(reading=lost(CARD.gpu_id, NOON)), card(other, replace(full(), gpu_id="GPU-2")))
    found = parsed(exposition(both, Tally(), "rig"))
    for family in (*DCGM, *NVIDIA_SMI, *OWN):
        for labels, _ in found.get(family.name, []):
            assert labels.get("UUID", labels.get("uuid")) in {"GPU-2", "2"}, family.name
    states = {(labels["UUID"], labels["state"]) for labels, is_so in found["argentum_card_state"] if is_so}
    assert states == {("GPU-AB12", "lost"), ("GPU-2", "ready")}
    assert len(found["argentum_card_state"]) == 2 * len(GpuState)


def test_names_are_escaped() -> None:
    odd = 'a"b\\c\nd{e="f"}'
    found = parsed(exposition(status(card(replace(CARD, name=odd), full())), Tally(), odd))
    assert found["DCGM_FI_DEV_GPU_TEMP"][0][0]["modelName"] == odd
    assert found["DCGM_FI_DEV_GPU_TEMP"][0][0]["Hostname"] == odd


def test_energy_says_how_it_was_obtained_and_work_is_shown() -> None:
    shown = card(reading=full(energy_source=EnergySource.INTEGRATED), lease_id="lse_1")
    found = parsed(exposition(status(shown), Tally(), "rig"))
    assert found["argentum_card_energy_source"][0][0]["source"] == "integrated"
    assert found["argentum_card_working"][0][1] == 1
    assert found["argentum_earned_today"] == [({"currency": "EUR"}, 1.0)]


def test_the_health_of_a_card_that_was_checked() -> None:
    health = HealthSummary("r", Grade.B, 74, CheckMode.FULL, NOON, "")
    found = parsed(exposition(status(card(health=health)), Tally(), "rig"))
    own = {"gpu": "0", "UUID": "GPU-AB12"}
    assert found["argentum_gpu_health_grade"] == [({**own, "grade": "B"}, 1.0)]
    assert found["argentum_gpu_health_confidence_ratio"] == [(own, 0.74)]
    assert found["argentum_gpu_health_checked_timestamp_seconds"] == [(own, NOON.timestamp())]
    assert found["argentum_gpu_health_check_running"] == [(own, 0.0)]
    never = parsed(exposition(status(card()), Tally(), "rig"))
    assert "argentum_gpu_health_grade" not in never


def test_no_value_is_anything_but_a_finite_number() -> None:
    scenario = load(DATA / "everything.toml")
    source = SimulatedSource(4, scenario=scenario)
    gpus = {gpu.gpu_id: gpu for gpu in source.discover().gpus}
    for _ in range(3):
        readings = {reading.gpu_id: reading for reading in source.read(NOON)}
        cards = [card(gpu, readings.get(gpu_id)) for gpu_id, gpu in gpus.items()]
        for samples in parsed(exposition(status(*cards), Tally(), "rig")).values():
            assert all(math.isfinite(number) for _, number in samples)
    assert all("SIM" not in gpu.label and gpu.label.endswith("(simulated)") for gpu in gpus.values())


def test_other_makers_cards_are_no_nvidia_devices() -> None:
    found = parsed(exposition(status(card(replace(CARD, vendor=Vendor.AMD), full())), Tally(), "rig"))
    assert found["DCGM_FI_DEV_GPU_TEMP"][0][0]["device"] == "gpu0"


# -- what only shows over time ----------------------------------------------------------------------------------------


class Feed:
    """A feed with its bus, and a sensor whose process can be changed."""

    def __init__(self, *cards: CardStatus) -> None:
        self.bus, self.pid = EventBus(), 100
        self._feed = MetricsFeed(self.bus, lambda: status(*cards), lambda: self.pid, "rig")

    def taken(self, *xids: int) -> None:
        self.bus.publish(ReadingsTaken((replace(full(), xid_events=xids),)))

    def found(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        return parsed(self._feed.text())


def test_error_numbers_are_counted_between_two_scrapes() -> None:
    feed = Feed(card(reading=full()))
    assert "nvidia_smi_xid_errors_total" not in feed.found()
    for xids in ((31,), (), (79, 31), (13,), (79,)):
        feed.taken(*xids)
    found = feed.found()
    counts = {labels["xid"]: number for labels, number in found["nvidia_smi_xid_errors_total"]}
    assert counts == {"31": 2, "13": 1, "79": 2}
    assert found["DCGM_FI_DEV_XID_ERRORS"][0][1] == 79
    assert found["nvidia_smi_xid_last_timestamp_seconds"][0][1] == NOON.timestamp()


def test_a_card_whose_errors_nobody_tells_has_no_last_error() -> None:
    silent = full()
    unknown = replace(silent, absent={**silent.absent, XID_EVENTS: Absence.NOT_SUPPORTED})
    assert "DCGM_FI_DEV_XID_ERRORS" not in Feed(card(reading=unknown)).found()


@pytest.mark.parametrize(
    ("pids", "restarts"), [((100,), 0), ((100, 100), 0), ((100, 101), 1), ((100, 101, 101, 102), 2)]
)
def test_a_sensor_that_was_started_again_is_counted(pids: Sequence[int], restarts: int) -> None:
    feed = Feed(card())
    for pid in pids:
        feed.pid = pid
        feed.bus.publish(CardsFound(()))
    assert feed.found()["argentum_sensor_restarts_total"] == [({}, restarts)]
