"""The whole check, as the owner starts it, on a real card; it takes ten minutes and leaves its report.

`ARGENTUM_KEEP_GPU_REPORT=1` keeps the report under `tests/data/gpu/`, without what names this one card.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from gpu.expectations import disappointments, file_name, report_in, without_owner
from gpu.plain_copy import Order
from gpu.recorder import recorded

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import HealthReport
from argentum_desktop.domain.reading import Reading
from argentum_desktop.health.reference import load_reference
from argentum_desktop.health.stress.watched import wanted

ROOT = Path(__file__).resolve().parents[2]
CHECK_WITHIN_S = 900


async def check(gpu: Gpu, home: Path) -> tuple[bytes, list[Reading]]:
    """Let the program check the card, and look on."""
    command = [sys.executable, "-m", "argentum_desktop", "--home", str(home), "check"]
    async with recorded(gpu.gpu_id) as readings:
        process = await asyncio.create_subprocess_exec(
            *command, "--gpu", gpu.gpu_id, "--full", "--yes", "--json", stdout=subprocess.PIPE
        )
        try:
            async with asyncio.timeout(CHECK_WITHIN_S):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return said, readings


def keep(said: bytes, report: HealthReport, readings: list[Reading]) -> None:
    """The report and, beside it, the readings that were taken independently."""
    is_kept = os.environ.get("ARGENTUM_KEEP_GPU_REPORT") == "1"
    folder = ROOT / ("tests/data/gpu" if is_kept else "build/gpu")
    folder.mkdir(parents=True, exist_ok=True)
    lines = b"\n".join(msgspec.json.encode(reading) for reading in readings).decode()
    for name, text in (("json", said.decode()), ("readings.jsonl", f"{lines}\n")):
        words = without_owner(text, report) if is_kept else text
        (folder / f"{file_name(report)}.{name}").write_text(words, encoding="utf-8")


@pytest.mark.gpu
@pytest.mark.timeout(CHECK_WITHIN_S + 120)
async def test_the_whole_check_on_a_real_card(real_card: Gpu, tmp_path: Path) -> None:
    order = msgspec.json.encode(Order(wanted(real_card))) + b"\n"
    plain = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(Path(__file__).with_name("plain_copy.py"))],
        input=order,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    said, readings = await check(real_card, tmp_path / "home")
    report = report_in(said)
    await asyncio.to_thread(keep, said, report, readings)
    row, _ = load_reference().find(real_card)
    assert disappointments(report, row.bandwidth_mb_s if row else None, int(plain.stdout.split()[-1])) == []
    # Whoever looked on from outside saw the card at work, for most of the eight minutes that it was.
    busy = [reading for reading in readings if (reading.utilization_percent or 0) >= 80]
    assert len(busy) >= 240
