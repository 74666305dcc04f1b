"""`make bench` still measures: one quick round of each, and figures that can be true. No speed is tested."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLAIM = {"accept", "fetch the image", "load the image", "create", "start, to the first instruction", "all of it"}


def figures_of(part: str, folder: Path) -> dict[str, float]:
    """By name; the first of a name counts."""
    file = folder / "bench.json"
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "bench.py"), "--quick", part, "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(file.read_text())
    assert told["machine"]["processors"] > 0
    found: dict[str, float] = {}
    for figure in told["figures"]:
        assert figure["name"] in done.stdout
        found.setdefault(figure["name"], figure["value"])
    return found


@pytest.mark.display
@pytest.mark.skipif(any(shutil.which(name) is None for name in ("Xvfb", "trayer", "xev")), reason="needs Xvfb, trayer")
def test_start_and_idle(tmp_path: Path) -> None:
    started = figures_of("start", tmp_path)
    assert 0 < started["start to icon in the tray"] < started["start to first answer of the service"] < 60
    assert started["the same of a bare Qt program"] > 0
    idle = figures_of("idle", tmp_path)
    assert {"application", "sensor"} <= idle.keys()
    assert all(0 <= value < 60_000 for value in idle.values())


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed")
def test_claim(tmp_path: Path) -> None:
    found = figures_of("claim", tmp_path)
    assert found.keys() >= CLAIM
    assert all(0 < value < 60_000 for value in found.values())
    parts = sum(found[name] for name in CLAIM - {"all of it"})
    assert parts == pytest.approx(found["all of it"], rel=0.01)


def test_a_measurement_that_is_not_there(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "bench.py"), "speed"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "no measurement speed" in done.stderr
