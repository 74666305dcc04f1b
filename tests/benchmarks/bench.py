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
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # what the tests share

import claim
import idle
import psutil
import start
from figures import Figure, table, write_json
from tray_display import TrayDisplay, missing_programs, tray_display

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("start", "idle", "claim")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measure what the application costs.")
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help="which measurements (default: all)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where the figures go")
    options = parser.parse_args()
    parts = options.parts or PARTS
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="argentum-bench-") as folder:
        figures = _measured(parts, Path(folder))
    print(table(figures))
    write_json(options.json, figures, machine())
    print(f"{len(figures)} figures in {time.monotonic() - began:.0f} s, also in {_shown(options.json)}")
    return 0


def _measured(parts: tuple[str, ...], folder: Path) -> list[Figure]:
    figures: list[Figure] = []
    with_display: dict[str, Callable[[TrayDisplay, Path], list[Figure]]] = {"start": start.measure, "idle": idle.measure}
    chosen = [part for part in with_display if part in parts]
    if chosen and missing_programs():
        print(f"Not measured: {', '.join(chosen)}; {', '.join(missing_programs())} not installed.")
    elif chosen:
        with tray_display() as display:
            for part in chosen:
                print(f"Measuring: {part} …", flush=True)
                figures += with_display[part](display, folder)
    if "claim" in parts and shutil.which("podman") is None:
        print("Not measured: claim; podman not installed.")
    elif "claim" in parts:
        print("Measuring: claim …", flush=True)
        figures += claim.measure(folder)
    return figures


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
