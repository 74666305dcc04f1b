"""`make bench`: what it costs to keep the application, measured on this machine.

Prints a table and writes it as JSON. Every figure is a median, with the lowest and highest run beside it; where the
machine decides more than the program does, something that everybody knows runs beside it and the ratio is what counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # what the tests share

import claim
import decisions
import handback
import history
import idle
import psutil
import sensor
import start
import stress
import windows
from figures import Figure, table, write_json
from tray_display import missing_programs, tray_display

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("start", "idle", "claim", "handback", "sensor", "history", "decisions", "stress")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measure what the application costs.")
    parser.add_argument("parts", nargs="*", help=f"which measurements, of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="one round of each: to see that it works, not to compare")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where the figures go")
    options = parser.parse_args()
    unknown = sorted({*options.parts} - {*PARTS})
    if unknown:
        parser.error(f"there is no measurement {', '.join(unknown)}")
    about, began = machine(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="argentum-bench-") as folder:
        figures = _measured(options.parts or PARTS, Path(folder), quick=options.quick)
    print(table(figures))
    write_json(options.json, figures, about)
    print(f"{len(figures)} figures in {time.monotonic() - began:.0f} s, also in {_shown(options.json)}")
    return 0


def _measured(parts: Sequence[str], folder: Path, *, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    on_display = [part for part in ("start", "idle") if part in parts]
    if on_display and missing_programs():
        print(f"Not measured: {', '.join(on_display)}; {', '.join(missing_programs())} not installed.")
    elif on_display:
        with tray_display() as display:
            if "start" in parts:
                _say("start")
                figures += start.measure(display, folder, 1 if quick else start.ROUNDS)
            if "idle" in parts:
                _say("idle")
                spans = (1.0, 2.0) if quick else (idle.SETTLING_S, idle.SPAN_S)
                figures += idle.measure(display, folder, *spans)
    figures += _on_podman(parts, folder, quick=quick)
    if "sensor" in parts and sensor.missing():
        print(f"Not measured: sensor; {', '.join(sensor.missing())} not installed.")
    elif "sensor" in parts:
        _say("sensor")
        figures += sensor.measure(folder, *((1.0, 2.0) if quick else (sensor.SETTLING_S, sensor.SPAN_S)))
    if "history" in parts:
        _say("history")
        figures += history.measure(folder, quick=quick)
    if "decisions" in parts:
        _say("decisions")
        figures += decisions.measure(quick=quick) + windows.measure()
    if "stress" in parts:
        _say("stress")
        figures += stress.measure(folder, quick=quick)
    return figures


def _on_podman(parts: Sequence[str], folder: Path, *, quick: bool) -> list[Figure]:
    wanted = [part for part in ("claim", "handback") if part in parts]
    figures: list[Figure] = []
    if wanted and shutil.which("podman") is None:
        print(f"Not measured: {', '.join(wanted)}; podman not installed.")
        return figures
    if "claim" in wanted:
        _say("claim")
        figures += claim.measure(folder, 1 if quick else claim.ROUNDS)
    if "handback" in wanted:
        _say("handback")
        figures += handback.measure(folder, quick=quick)
    return figures


def _say(part: str) -> None:
    print(f"Measuring {part} …", file=sys.stderr, flush=True)


def machine() -> dict[str, object]:
    """Enough to compare runs by, and nothing that tells whose machine it is."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
