"""A virtual display with a real tray, for tests that click."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

ROOT = Path(__file__).parents[1]
PATIENCE_S = 15.0
PROGRAMS = ("Xvfb", "trayer", "xdotool", "import")

needs_display = [
    pytest.mark.display,
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in PROGRAMS),
        reason="needs Xvfb, trayer, xdotool and ImageMagick",
    ),
]


@dataclass
class Display:
    """A screen of its own, with the programs that were started on it."""

    name: str
    programs: list[subprocess.Popen[bytes]]

    @property
    def environment(self) -> dict[str, str]:
        # Without a session bus Qt takes the XEmbed way, whatever this machine's own session offers.
        return os.environ | {
            "DISPLAY": self.name,
            "QT_QPA_PLATFORM": "xcb",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "ui")]),
        }

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        self.programs.append(program)
        return program

    def do(self, *command: str) -> None:
        subprocess.run(command, env=self.environment, check=True, timeout=PATIENCE_S)

    def click(self, rectangle: list[int], button: int = 1) -> None:
        x, y, width, height = rectangle
        self.do("xdotool", "mousemove", str(x + width // 2), str(y + height // 2), "click", str(button))

    def picture(self, path: Path) -> QImage:
        self.do("import", "-window", "root", str(path))
        image = QImage(str(path))
        assert not image.isNull()
        return image


@pytest.fixture
def display() -> Iterator[Display]:
    readable, writable = os.pipe()
    command = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1280x860x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(writable,), stderr=subprocess.DEVNULL)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        number = pipe.readline().strip()
    assert number
    screen = Display(f":{number}", [server])
    yield screen
    for program in reversed(screen.programs):
        program.terminate()
        program.wait(10)


def start_trayer(display: Display) -> None:
    display.start(
        "trayer", "--edge", "top", "--align", "right", "--widthtype", "request", "--height", "24",
        "--transparent", "true", "--alpha", "0", "--tint", "0x1B1E23",
    )  # fmt: skip


def pixels_like(image: QImage, rectangle: list[int], color: QColor) -> int:
    x, y, width, height = rectangle
    near = 0
    for row in range(y, y + height):
        for column in range(x, x + width):
            seen = image.pixelColor(column, row)
            near += (
                abs(seen.red() - color.red()) < 24
                and abs(seen.green() - color.green()) < 24
                and abs(seen.blue() - color.blue()) < 24
            )
    return near
