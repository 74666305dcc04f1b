"""From the start of the process to its icon in the tray, beside a bare Qt program that only shows an icon."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Figure, of_runs
from processes import ended_with_block
from tray_display import PATIENCE_S, ROOT, TrayDisplay

from argentum_desktop.agent.control import call
from argentum_desktop.errors import ArgentumError
from argentum_desktop.paths import Home

TOPIC = "Start"
ROUNDS = 7
BARE = """
import sys
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
application = QApplication(sys.argv)
picture = QPixmap(22, 22)
picture.fill("red")
icon = QSystemTrayIcon(QIcon(picture))
icon.show()
application.exec()
"""


def measure(display: TrayDisplay, folder: Path, rounds: int = ROUNDS) -> list[Figure]:
    """Both in turn; the first start of all, which makes the home folder, is not counted."""
    home = Home(folder / "start")
    _ours(display, home)
    bare, tray, ready = [], [], []
    for _ in range(rounds):
        bare.append(_bare(display))
        to_tray, to_ready = _ours(display, home)
        tray.append(to_tray)
        ready.append(to_ready)
    ratios = [ours / theirs for ours, theirs in zip(tray, bare, strict=True)]
    return [
        of_runs(TOPIC, "start to icon in the tray", tray, "s", 0.3),
        of_runs(TOPIC, "the same of a bare Qt program", bare, "s"),
        of_runs(TOPIC, "ratio of the two", ratios, "×"),
        of_runs(TOPIC, "start to first answer of the service", ready, "s"),
    ]


def desktop_command(home: Home, *, cards: int) -> list[str]:
    """The application as its owner starts it at login: in the tray, the window closed."""
    own = [str(Path(sys.executable).with_name("argentum-desktop")), "--home", str(home.root)]
    return [*own, "--simulated", str(cards), "tray", "--hidden"]


def _ours(display: TrayDisplay, home: Home) -> tuple[float, float]:
    with _started(display, desktop_command(home, cards=1)) as began:
        icon_after_s = display.wait_for_icon() - began
        return icon_after_s, _answers(home) - began


def _bare(display: TrayDisplay) -> float:
    with _started(display, [sys.executable, "-c", BARE]) as began:
        return display.wait_for_icon() - began


@contextmanager
def _started(display: TrayDisplay, command: list[str]) -> Iterator[float]:
    """A program that ends with the block; gives the moment before it was started."""
    display.forget_arrivals()
    began = time.perf_counter()
    with ended_with_block(command, env=display.environment, cwd=ROOT):
        yield began


def _answers(home: Home) -> float:
    """The moment at which the running application first answers a command."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            call(home.control_file, "status")
        except ArgentumError:
            time.sleep(0.01)
            continue
        return time.perf_counter()
    raise TimeoutError("the application does not answer")
