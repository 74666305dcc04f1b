"""A virtual display with a real tray on it, and word of every icon that arrives there."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("Xvfb", "trayer", "xwininfo", "xev")
PATIENCE_S = 20.0


@dataclass
class TrayDisplay:
    """A screen of its own; `arrivals` gets the moment at which each icon is shown in the tray."""

    name: str
    arrivals: queue.SimpleQueue[float]

    @property
    def environment(self) -> dict[str, str]:
        # Without a session bus Qt takes the XEmbed way, whatever this machine's own session offers.
        return {
            **os.environ,
            "DISPLAY": self.name,
            "QT_QPA_PLATFORM": "xcb",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }

    def wait_for_icon(self) -> float:
        """The moment the next icon arrives, by `time.perf_counter`."""
        return self.arrivals.get(timeout=PATIENCE_S)

    def forget_arrivals(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self.arrivals.get_nowait()


def missing_programs() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextlib.contextmanager
def tray_display() -> Iterator[TrayDisplay]:
    """Xvfb and trayer, ended with the block."""
    with contextlib.ExitStack() as running:
        readable, writable = os.pipe()
        command = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1280x860x24", "-nolisten", "tcp"]
        running.enter_context(_program(command, pass_fds=(writable,)))
        os.close(writable)
        with os.fdopen(readable) as pipe:
            display = TrayDisplay(f":{pipe.readline().strip()}", queue.SimpleQueue())
        tray = ["trayer", "--edge", "top", "--align", "right", "--widthtype", "request", "--height", "24"]
        running.enter_context(_program(tray, env=display.environment))
        window = _tray_window(display)
        watch = ["stdbuf", "-oL", "xev", "-id", window, "-event", "substructure"]
        watcher = running.enter_context(_program(watch, env=display.environment, stdout=subprocess.PIPE, text=True))
        threading.Thread(target=_listen, args=(watcher.stdout, display.arrivals), daemon=True).start()
        yield display


def _listen(lines, arrivals: queue.SimpleQueue[float]) -> None:
    """The tray shows an icon by mapping the little window that it has made for it."""
    for line in lines:
        if line.startswith("MapNotify"):
            arrivals.put(time.perf_counter())


def _tray_window(display: TrayDisplay) -> str:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        tree = subprocess.run(
            ["xwininfo", "-root", "-tree"], env=display.environment, capture_output=True, text=True
        ).stdout
        for line in tree.splitlines():
            if '"panel"' in line:
                return line.split()[0]
        time.sleep(0.05)
    raise TimeoutError("trayer shows no window")


@contextlib.contextmanager
def _program(command: list[str], **options) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
