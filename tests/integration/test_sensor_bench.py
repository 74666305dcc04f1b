"""The sensor's part of `make bench` still measures; no speed is tested, and nothing is downloaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_sensor_and_nvitop_where_it_is_installed(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    command = [
        sys.executable,
        str(ROOT / "tests" / "benchmarks" / "bench.py"),
        "--quick",
        "sensor",
        "--json",
        str(file),
    ]
    offline = {**os.environ, "PIP_NO_INDEX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=offline, timeout=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())["figures"]
    cpu_ms, resident_mb = ([one["value"] for one in figures if one["unit"] == unit] for unit in ("ms", "MB"))
    assert len(cpu_ms) == len(resident_mb) == (1 if "Not compared" in done.stdout else 2)
    assert all(0 < ms < 60_000 for ms in cpu_ms)
    assert all(5 < mb < 500 for mb in resident_mb)
