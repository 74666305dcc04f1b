"""The cards and the ledger as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from samples import GPU, NOON, eur, lease, reading, receipt

from argentum_desktop.agent.report import cards_json, cards_text, ledger_json, ledger_text
from argentum_desktop.domain.gpu import SourceReport, Vendor
from argentum_desktop.domain.lease import Usage
from argentum_desktop.domain.reading import Absence, ThrottleReason
from argentum_desktop.ledger.settlement import settle

SIMULATED = replace(GPU, gpu_id="SIM-1", name="Simulated 24 GB", vendor=Vendor.SIMULATED, memory_total_bytes=None)
FULL = reading(
    temperature_c=61,
    power_mw=123_456,
    utilization_percent=97,
    memory_used_bytes=3 * 1024**3,
    clock_sm_mhz=2475,
    fan_percent=0,
    throttle_reasons=(ThrottleReason.POWER_LIMIT, ThrottleReason.TEMPERATURE),
)


def test_each_card_with_what_it_reports() -> None:
    text = cards_text([SourceReport(Vendor.NVIDIA, (GPU,))], [FULL])
    assert text.splitlines() == [
        "GeForce RTX 4070  [GPU-1]",
        "  temperature  61 °C",
        "  power        123 W",
        "  load         97 %",
        "  memory       3.0/12 GiB",
        "  clock        2475 MHz",
        "  fan          0 %",
        "  throttled by power limit reached, too warm",
    ]


@pytest.mark.parametrize(
    ("why", "words"), [(Absence.NOT_SUPPORTED, "not supported"), (Absence.LOST, "lost"), (Absence.ERROR, "error")]
)
def test_what_is_not_there_says_why_and_is_never_zero(why: Absence, words: str) -> None:
    metrics = ("temperature_c", "power_mw", "utilization_percent", "memory_used_bytes", "clock_sm_mhz", "fan_percent")
    text = cards_text([SourceReport(Vendor.NVIDIA, (GPU,))], [reading(absent=dict.fromkeys(metrics, why))])
    assert text.count(words) == len(metrics)
    assert "None" not in text
    assert " 0" not in text


def test_a_simulated_card_is_labelled_and_a_driver_says_why_it_has_none() -> None:
    text = cards_text(
        [
            SourceReport(Vendor.NVIDIA, (), "The driver is not loaded.", "Install it."),
            SourceReport(Vendor.SIMULATED, (SIMULATED,)),
        ],
        [],
    )
    assert text.splitlines() == [
        "NVIDIA: The driver is not loaded. Install it.",
        "Simulated 24 GB (simulated)  [SIM-1]",
        "  reading      none",
    ]
    assert cards_text([SourceReport(Vendor.NVIDIA, ())], []) == "No card was found."


def test_a_cards_name_does_not_steer_the_terminal() -> None:
    text = cards_text([SourceReport(Vendor.NVIDIA, (replace(GPU, name="x\x1b[2J\ny"),))], [])
    assert len(text.splitlines()) == 2
    assert "\x1b" not in text


def test_the_cards_as_json_are_complete() -> None:
    raw = json.loads(json.dumps(cards_json([SourceReport(Vendor.NVIDIA, (GPU,), "p", "r")], [FULL])))
    assert raw["reports"][0]["gpus"][0]["gpu_id"] == "GPU-1"
    assert raw["reports"][0]["problem"] == "p"
    assert raw["readings"][0]["throttle_reasons"] == ["power_limit", "temperature"]
    assert raw["readings"][0]["taken_at"] == "2026-03-01T12:00:00Z"


def test_the_ledger_posting_by_posting() -> None:
    done = replace(lease(), usage=Usage(3600, 720_000_000))
    entry = settle(done, receipt(done), eur("0.30"), NOON)
    lines = ledger_text([entry]).splitlines()
    assert lines[0] == "2026-03-01 12:00:00 UTC  Mandelbrot  [lse_1]"
    assert [line.split() for line in lines[1:]] == [
        ["receivable:local", "0.38", "EUR"],
        ["expense:market-fee", "0.02", "EUR"],
        ["income:jobs", "-0.40", "EUR"],
        ["expense:electricity", "0.06", "EUR"],
        ["payable:electricity", "-0.06", "EUR"],
    ]
    assert ledger_text([]) == "Nothing has been earned yet."
    raw = json.loads(json.dumps(ledger_json([entry])))["transactions"][0]
    assert raw["transaction_id"] == "settle:lse_1"
    assert raw["energy_mj"] == 720_000_000
    assert raw["postings"][0] == {"account": "receivable:local", "amount": {"micros": 380_000, "currency": "EUR"}}
