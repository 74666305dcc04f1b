"""Five minutes of the application in the tray: eight cards read each second, the window closed, no job.

BOINC's client and manager idle beside it, where they are installed.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import boinc
from figures import Figure
from processes import APPLICATION, Cost, costs
from start import desktop_command
from tray_display import PATIENCE_S, TrayDisplay

from argentum_desktop.agent.control import call
from argentum_desktop.errors import ArgentumError
from argentum_desktop.paths import Home

CARDS = 8
# Until the engine has gone to sleep (agent/engine_watch.py).
SETTLING_S = 130.0
SPAN_S = 300.0
MOST_CPU_MS = 300.0
MOST_WINDOW_MS = 30.0
MOST_PSS_MIB = 150.0
MARKET = "embedded market"


def measure(display: TrayDisplay, folder: Path, settling_s: float = SETTLING_S, span_s: float = SPAN_S) -> list[Figure]:
    """Start it, let it settle, and compare its books before and after."""
    home = Home(folder / "idle")
    process = subprocess.Popen(desktop_command(home, cards=CARDS), env=display.environment, stdout=subprocess.DEVNULL)
    with contextlib.ExitStack() as stack:
        stack.callback(_end, process)
        _wait_until_ready(home)
        peer = _beside(stack, display, folder)
        time.sleep(settling_s)
        before, peers_before, began = costs(process.pid), peer.cpu_ms() if peer else 0.0, time.perf_counter()
        time.sleep(span_s)
        after, peers_after, took_s = costs(process.pid), peer.cpu_ms() if peer else 0.0, time.perf_counter() - began
    per_minute = 60.0 / took_s
    beside = (peers_after - peers_before) * per_minute if peer else None
    return [*_processor(before, after, per_minute, beside), *_memory(after)]


def _beside(stack: contextlib.ExitStack, display: TrayDisplay, folder: Path) -> boinc.Boinc | None:
    missing = boinc.missing_programs()
    why = f"{', '.join(missing)} not installed" if missing else ""
    if not why:
        try:
            return stack.enter_context(boinc.running(display.environment, folder))
        except TimeoutError as error:
            why = str(error)
    print(f"Not compared with BOINC: {why}.", file=sys.stderr)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE_S)


def _wait_until_ready(home: Home) -> None:
    end = time.monotonic() + PATIENCE_S * 2
    while time.monotonic() < end:
        try:
            status = call(home.control_file, "status")
            if len(status["cards"]) == CARDS and all(market["is_connected"] for market in status["markets"]):
                return
        except ArgentumError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the application is not ready")


def _processor(
    before: dict[str, Cost], after: dict[str, Cost], per_minute: float, boinc_ms: float | None
) -> list[Figure]:
    topic = f"Processor time a minute, {CARDS} cards at 1 Hz, window closed"
    used = {part: (cost.cpu_ms - before[part].cpu_ms) * per_minute for part, cost in after.items() if part in before}
    window = (after[APPLICATION].window_ms - before[APPLICATION].window_ms) * per_minute
    # By the sums: a child that has ended stands in its parent's books from then on.
    own = (_sum(after) - _sum(before)) * per_minute
    rows = [Figure(topic, part, ms, "ms") for part, ms in sorted(used.items()) if part != MARKET]
    figures = [
        *rows,
        Figure(topic, "of the application, the window's thread", window, "ms", MOST_WINDOW_MS),
        Figure(topic, "all of these together", own, "ms", MOST_CPU_MS),
        Figure(topic, f"{MARKET} (counted apart)", used.get(MARKET, 0.0), "ms"),
    ]
    if boinc_ms is not None:
        figures.append(Figure(topic, "BOINC's client and manager, idle", boinc_ms, "ms"))
        figures.append(Figure(topic, "all of ours against BOINC", own / max(boinc_ms, 1.0), "×", 1.0))
    return figures


def _sum(costs_: dict[str, Cost]) -> float:
    return sum(cost.cpu_ms for part, cost in costs_.items() if part != MARKET)


def _memory(after: dict[str, Cost]) -> list[Figure]:
    topic = "Memory after that minute, proportional"
    own = sum(cost.pss_mib for part, cost in after.items() if part != MARKET)
    rows = [Figure(topic, part, cost.pss_mib, "MiB") for part, cost in sorted(after.items()) if part != MARKET]
    market = after.get(MARKET, Cost(0.0, 0.0)).pss_mib
    return [
        *rows,
        Figure(topic, "all of these together", own, "MiB", MOST_PSS_MIB),
        Figure(topic, f"{MARKET} (counted apart)", market, "MiB"),
    ]
