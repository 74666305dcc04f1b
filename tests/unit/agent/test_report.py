"""The ledger as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from samples import NOON, bill, eur, lease, receipt
from surroundings import PARIS

from argentum_desktop.agent.report import ledger_json, ledger_text
from argentum_desktop.domain.lease import Usage
from argentum_desktop.ledger.settlement import settle


def test_the_ledger_posting_by_posting() -> None:
    done = replace(lease(), usage=Usage(3600, 720_000_000))
    entry = settle(done, receipt(done), bill(done, eur("0.30"), 68_412, "At 0.30 EUR/kWh."), NOON)
    lines = ledger_text([entry]).splitlines()
    assert lines[0] == "2026-03-01 12:00:00 UTC  Mandelbrot  [lse_1]"
    assert lines[-1] == "    0.20 kWh, 68.4 g CO₂e. At 0.30 EUR/kWh."
    assert [line.split() for line in lines[1:-1]] == [
        ["receivable:local", "0.38", "EUR"],
        ["expense:market-fee", "0.02", "EUR"],
        ["income:jobs", "-0.40", "EUR"],
        ["expense:electricity", "0.06", "EUR"],
        ["payable:electricity", "-0.06", "EUR"],
    ]
    assert ledger_text([]) == "Nothing has been earned yet."
    whole = json.loads(json.dumps(ledger_json([entry], PARIS)))
    raw = whole["transactions"][0]
    assert raw["transaction_id"] == "settle:lse_1"
    assert (raw["energy_mj"], raw["carbon_mg"]) == (720_000_000, 68_412)
    day = {"day": "2026-03-01", "energy_mj": 720_000_000, "carbon_mg": 68_412, "carbon_mj": 720_000_000}
    assert whole["days"] == [day]
    assert raw["postings"][0] == {"account": "receivable:local", "amount": {"micros": 380_000, "currency": "EUR"}}
