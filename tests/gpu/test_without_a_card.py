"""What the test on a real card is made of, tried where there is none: its measure, its recorder, its judgement."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gpu.expectations import disappointments, file_name, report_in, without_owner
from gpu.plain_copy import Order
from gpu.recorder import recorded
from samples import GPU, NOON

from argentum_desktop.domain.health import Appraisal, CardIdentity, CheckMode, Grade, HealthReport
from argentum_desktop.domain.stress import (
    AdapterType,
    ComputeTest,
    CopyRates,
    MemoryTest,
    StressEnd,
    StressEngine,
    StressResult,
)
from argentum_desktop.health.stress.wire import Wanted

ENGINE = StressEngine("wgpu", "0.32", "Vulkan", "GeForce RTX 4070", AdapterType.DISCRETE, "0" * 64)
SOUND = StressResult(
    StressEnd.COMPLETED,
    "",
    ENGINE,
    MemoryTest(1000, 900, 880, 0, 300, 10**9, 0),
    ComputeTest(100, 0, "fused", 29_000_000),
    CopyRates(460_000, 25_000, 25_000),
)
DATASHEET_MB_S, PLAIN_MB_S = 504_000, 470_000


def report(stress: StressResult | None = SOUND) -> HealthReport:
    card = replace(CardIdentity.of(GPU), serial="0322718123456", gpu_id="GPU-8f2a-11ee")
    return HealthReport(
        "r1", "0.1", CheckMode.FULL, NOON, NOON, card, (), Appraisal(Grade.A, 90, "Sound."), stress=stress
    )


def test_a_sound_card_disappoints_nobody() -> None:
    assert disappointments(report(), DATASHEET_MB_S, PLAIN_MB_S) == []
    assert disappointments(report(), None, None) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"end": StressEnd.HUNG, "words": "Silent."}, "did not complete: hung Silent."),
        ({"engine": None}, "no card computed"),
        ({"engine": replace(ENGINE, adapter_type=AdapterType.CPU)}, "no card computed"),
        ({"memory": None}, "memory None"),
        ({"compute": None}, "arithmetic None"),
        ({"memory": MemoryTest(1000, 900, 880, 0, 3, 9, 4, bad_bits=16)}, "4 memory errors, bits 0x10"),
        ({"memory": MemoryTest(1000, 900, 749, 0, 3, 9, 0)}, "74 % of the memory tested"),
        ({"compute": ComputeTest(1, 2, "fused")}, "2 wrong results"),
        ({"copy": CopyRates(300_000)}, "300000 MB/s of the datasheet's 504000"),
        ({"copy": CopyRates(530_000)}, "530000 MB/s of the datasheet's 504000"),
        ({"copy": CopyRates(320_000)}, "320000 MB/s of 470000, the card's own copy"),
        ({"copy": None}, "0 MB/s of 470000"),
    ],
)
def test_every_disappointment_is_seen(changes: dict[str, Any], words: str) -> None:
    found = disappointments(report(replace(SOUND, **changes)), DATASHEET_MB_S, PLAIN_MB_S)
    assert any(words in one for one in found), found


def test_a_check_without_a_load_disappoints() -> None:
    assert disappointments(report(None), None, None) == ["there was no load"]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"checks": [{"report": one}]}])
def test_the_report_is_found_in_what_was_printed(wrap: Any) -> None:
    assert report_in(msgspec.json.encode(wrap(report()))) == report()
    with pytest.raises(AssertionError, match="no report in"):
        report_in(msgspec.json.encode(wrap({"schema": "another/1"})))


def test_a_kept_report_names_the_model_and_not_the_card() -> None:
    kept = without_owner(msgspec.json.encode(report()).decode(), report())
    assert "8f2a" not in kept
    assert "0322718123456" not in kept
    assert report_in(kept.encode()).card.gpu_id == "000-0000-0000"
    assert file_name(report()) == "geforce-rtx-4070-2026-03-01"


async def test_the_recorder_takes_a_reading_a_second_of_one_card() -> None:
    async with recorded("SIM-1", simulated=2) as readings, asyncio.timeout(10):
        while len(readings) < 2:
            await asyncio.sleep(0.02)
    assert {reading.gpu_id for reading in readings} == {"SIM-1"}
    assert (readings[1].taken_at - readings[0].taken_at).total_seconds() > 0.9


def test_the_plain_copy_measures_on_software() -> None:
    order = msgspec.json.encode(Order(Wanted(name="llvmpipe", allow_software=True), 2**22)) + b"\n"
    script = Path(__file__).with_name("plain_copy.py")
    done = subprocess.run([sys.executable, str(script)], input=order, capture_output=True, timeout=60)
    if b"There is no Vulkan" in done.stderr:
        pytest.skip("there is no Vulkan on this computer: install mesa-vulkan-drivers")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
