"""The cards as text, as one line each and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from samples import GPU, NOON

from argentum_desktop.agent.report_cards import cards_json, cards_table, cards_text, driver_notes
from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, SourceReport, Vendor
from argentum_desktop.domain.reading import Absence, EnergySource, GpuProcess, Reading, ThrottleReason, lost
from argentum_desktop.gpus.measured import make_reading

SIMULATED = replace(GPU, gpu_id="SIM-1", name="Simulated 24 GB", vendor=Vendor.SIMULATED, memory_total_bytes=None)
KNOWING = replace(
    GPU,
    pcie_generation_max=4,
    pcie_width_max=16,
    sources={"temperature_memory_c": "NVML field 82", "fan_percent": "never shown"},
)
FULL: dict[str, Any] = {
    "temperature_c": 61,
    "temperature_memory_c": 84,
    "power_mw": 123_456,
    "power_limit_mw": 200_000,
    "energy_mj": 3_600_000,
    "utilization_percent": 97,
    "memory_utilization_percent": 0,
    "memory_used_bytes": 3 * 1024**3,
    "clock_sm_mhz": 2475,
    "clock_memory_mhz": 10_501,
    "fan_rpm": 0,
    "throttle_reasons": (ThrottleReason.POWER_LIMIT, ThrottleReason.TEMPERATURE),
    "pcie_generation": 4,
    "pcie_width": 8,
    "pcie_replays": 0,
    "ecc_corrected": 12_345,
    "ecc_uncorrected": 0,
    "ecc_corrected_volatile": 0,
    "ecc_uncorrected_volatile": 0,
    "remapped_rows_pending": 1,
    "xid_events": (79, 31),
    "processes": (GpuProcess(42, 512 * 2**20, is_compute=True), GpuProcess(7, None, is_compute=False)),
}


def reading(absent: dict[str, Absence] | None = None, **values: Any) -> Reading:
    return make_reading(GPU.gpu_id, NOON, values, absent)


def text(shown: Reading | None, gpu: Gpu = KNOWING, **more: Any) -> list[str]:
    return cards_text([SourceReport(gpu.vendor, (gpu,))], [shown] if shown else [], **more).splitlines()


def rows(shown: Reading, gpu: Gpu = KNOWING) -> dict[str, str]:
    """Title and words of a text in which nothing is wrapped."""
    return {line[2:24].strip(): line[25:] for line in text(shown, gpu, width=400)[1:]}


def test_each_card_with_what_it_reports() -> None:
    names = {42: "blender"}
    assert text(reading(**FULL), name_of=names.get) == [
        "GeForce RTX 4070  [GPU-1]",
        "  temperature            61 °C",
        "  memory temperature     84 °C (NVML field 82)",
        "  power                  123 W, limit 200 W",
        "  energy                 1.0 Wh",
        "  load                   97 %",
        "  memory load            0 %",
        "  memory used            3.0 of 12.0 GiB",
        "  clock                  2475 MHz",
        "  memory clock           10501 MHz",
        "  fan speed              0 rpm",
        "  slowed by              power limit reached; too warm",
        "  PCIe                   gen 4 x8 (of gen 4 x16)",
        "  driver's errors        XID 79, XID 31",
        "  errors                 corrected memory errors, in its life: 12 345",
        "                         rows to be remapped at the next start: yes",
        "  processes              blender 42 (computes, 512 MiB), process 7 (draws)",
        "  not supported          hotspot temperature, fan, retired pages, rows remapped for corrected",
        "                         errors, rows remapped for uncorrected errors, a remapping has failed",
    ]


def test_energy_that_was_not_counted_by_the_card_says_so() -> None:
    assert rows(reading(energy_mj=3_600_000, energy_source=EnergySource.INTEGRATED))["energy"] == "1.0 Wh (integrated)"
    assert rows(reading(energy_mj=0, energy_source=EnergySource.MIXED))["energy"] == "0.0 Wh (partly integrated)"


def test_small_amounts_are_not_rounded_to_nothing() -> None:
    shown = rows(reading(power_mw=7_940, memory_used_bytes=12 * 2**20))
    assert (shown["power"], shown["memory used"]) == ("7.9 W", "12 MiB of 12.0 GiB")


@pytest.mark.parametrize(("why", "words"), [(Absence.LOST, "lost"), (Absence.ERROR, "error")])
def test_what_is_not_there_says_why_and_is_never_zero(why: Absence, words: str) -> None:
    missing = ("temperature_c", "power_mw", "energy_mj", "memory_used_bytes", "clock_sm_mhz", "fan_percent")
    missing += ("pcie_generation", "pcie_width", "pcie_replays", "ecc_corrected", "processes", "throttle_reasons")
    shown = rows(reading(dict.fromkeys(missing, why), utilization_percent=5))
    assert shown["temperature"] == shown["power"] == shown["memory used"] == shown["fan"] == words
    assert shown["slowed by"] == shown["processes"] == words
    assert shown["PCIe"] == f"gen {words}, lanes {words} (of gen 4 x16)"
    assert f"PCIe replays: {words}" in shown["errors"]
    assert not any("None" in line or " 0" in line for line in shown.values())


def test_what_a_card_does_not_have_is_one_line_with_each_group_once() -> None:
    shown = rows(reading(temperature_c=40))
    assert list(shown) == ["temperature", "not supported"]
    assert shown["not supported"].split(", ") == [
        "hotspot temperature",
        "memory temperature",
        "power",
        "power limit",
        "energy",
        "load",
        "memory load",
        "memory used",
        "clock",
        "memory clock",
        "fan",
        "fan speed",
        "PCIe link",
        "PCIe replays",
        "memory error counters",
        "retired pages",
        "remapped rows",
        "what slows it",
        "driver's error numbers",
        "processes",
    ]


def test_counters_that_stand_at_zero_are_one_word() -> None:
    assert rows(reading(ecc_corrected=0, pcie_replays=0))["errors"] == "none counted"
    assert "errors" not in rows(reading(temperature_c=40))


def test_a_lost_card_is_one_line_and_what_its_driver_said_of_it() -> None:
    gone = lost(GPU.gpu_id, NOON)
    assert text(gone) == ["GeForce RTX 4070  [GPU-1]", "  reading                lost: the card does not answer"]
    told = {name: why for name, why in gone.absent.items() if name != "xid_events"}
    assert text(replace(gone, xid_events=(79,), absent=told))[1:] == [
        "  reading                lost: the card does not answer",
        "  driver's errors        XID 79",
    ]
    assert cards_table([SourceReport(Vendor.NVIDIA, (GPU,))], [gone]) == [
        "GPU-1  GeForce RTX 4070  lost: the card does not answer"
    ]


def test_a_card_that_cannot_work_says_why_and_what_would_help() -> None:
    without = replace(GPU, state=GpuState.NO_DRIVER, problem="No driver has it.", remedy="Install one.")
    assert text(None, without)[1] == "  state                  No driver has it. Install one."
    assert text(None, replace(GPU, state=GpuState.PASSED_THROUGH))[1].endswith(" used by a virtual machine")
    shown = text(reading(temperature_c=40), replace(GPU, kind=GpuKind.INTEGRATED))
    assert shown[1] == "  kind                   integrated graphics"


def test_a_simulated_card_is_labelled_and_a_driver_says_why_it_has_none() -> None:
    reports = [
        SourceReport(Vendor.NVIDIA, (), "The driver is not loaded.", "Install it."),
        SourceReport(Vendor.SIMULATED, (SIMULATED,)),
    ]
    assert cards_text(reports, []).splitlines() == [
        "Simulated 24 GB (simulated)  [SIM-1]",
        "  reading                none",
        "",
        "NVIDIA: The driver is not loaded. Install it.",
    ]
    assert driver_notes(reports) == ["NVIDIA: The driver is not loaded. Install it."]
    assert cards_text([SourceReport(Vendor.NVIDIA, ())], []) == "No card was found."
    assert cards_table([], []) == ["No card was found."]


@pytest.mark.parametrize("width", [1, 40, 60, 100])
def test_lines_are_no_longer_than_the_window_is_wide(width: int) -> None:
    without = replace(GPU, gpu_id="GPU-2", state=GpuState.IGNORED, problem="word " * 40, remedy="word " * 40)
    report = SourceReport(Vendor.NVIDIA, (GPU, without), "word " * 40, "remedy " * 9)
    shown = cards_text([report], [reading(temperature_c=40)], width=width)
    assert max(len(line) for line in shown.splitlines()) <= max(width, 45)


def test_a_line_for_each_card_stands_in_columns() -> None:
    other = replace(GPU, gpu_id="GPU-2", name="Short")
    third = replace(GPU, gpu_id="GPU-3", name="Gone")
    second = replace(reading(temperature_c=7), gpu_id="GPU-2")
    slow = "  slowed: power limit reached; too warm"
    assert cards_table([SourceReport(Vendor.NVIDIA, (GPU, other, third))], [reading(**FULL), second]) == [
        "GPU-1  GeForce RTX 4070  61 °C  123 W  97 %  3.0 of 12.0 GiB  2475 MHz  -" + slow,
        "GPU-2  Short              7 °C      -     -                -         -  -",
        "GPU-3  Gone              no reading",
    ]


def test_a_cards_name_does_not_steer_the_terminal() -> None:
    named = replace(GPU, name="x\x1b[2J\ny", problem="a\x1b]0;b\x07")
    for shown in (text(None, named), cards_table([SourceReport(Vendor.NVIDIA, (named,), "p\x1b[2J")], [])):
        assert len(shown) == (2 if shown[0].endswith("]") else 1)
        assert not any("\x1b" in line for line in shown)
    assert "\x1b" not in driver_notes([SourceReport(Vendor.NVIDIA, (), "p\x1b[2J")])[0]


def test_the_cards_as_json_are_complete() -> None:
    raw = json.loads(json.dumps(cards_json([SourceReport(Vendor.NVIDIA, (KNOWING,), "p", "r")], [reading(**FULL)])))
    assert raw["reports"][0]["gpus"][0]["gpu_id"] == "GPU-1"
    assert raw["reports"][0]["gpus"][0]["sources"]["temperature_memory_c"] == "NVML field 82"
    assert raw["reports"][0]["problem"] == "p"
    shown = raw["readings"][0]
    assert shown["throttle_reasons"] == ["power_limit", "temperature"]
    assert shown["taken_at"] == "2026-03-01T12:00:00Z"
    assert shown["processes"][0] == {"pid": 42, "memory_bytes": 512 * 2**20, "is_compute": True}
    assert (shown["fan_percent"], shown["absent"]["fan_percent"]) == (None, "not_supported")
