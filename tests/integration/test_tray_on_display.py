"""The tray icon on a real tray (trayer, XEmbed) on a virtual display, clicked with a real mouse pointer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from displays import PATIENCE_S, ROOT, Display, display, needs_display, pixels_like, start_trayer
from PySide6.QtGui import QColor

from argentum_desktop.ui.tray_icon import ANY_PANEL

__all__ = ["display"]

pytestmark = needs_display


@dataclass
class App:
    """The program under test, as its log tells."""

    log: Path
    process: subprocess.Popen[bytes]

    def newest(self, name: str) -> Any:
        lines = self.log.read_text("utf-8").splitlines() if self.log.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("}")]
        return next((event[name] for event in reversed(events) if name in event), None)

    def wait_for(self, name: str, is_right: Any = bool) -> Any:
        """The newest value of `name`, once it is there and right."""
        deadline = time.monotonic() + PATIENCE_S
        value = None
        while time.monotonic() < deadline:
            value = self.newest(name)
            if value is not None and is_right(value):
                return value
            assert self.process.poll() in (None, 0)
            time.sleep(0.03)
        raise AssertionError(f"{name} stayed {value!r}")


def start_app(display: Display, folder: Path) -> App:
    log = folder / "tray.log"
    return App(log, display.start(sys.executable, str(ROOT / "tests" / "ui" / "tray_app.py"), str(log)))


def test_the_icon_is_seen_and_its_menu_pauses_opens_and_quits(display: Display, tmp_path: Path) -> None:
    start_trayer(display)
    app = start_app(display, tmp_path)
    icon = app.wait_for("icon", lambda rect: rect[2] > 0)
    app.wait_for("tip", lambda tip: tip.startswith("Argentum: Working until 07:00"))
    deadline = time.monotonic() + PATIENCE_S
    while pixels_like(display.picture(tmp_path / "icon.png"), icon, QColor(ANY_PANEL.working)) < 40:
        assert time.monotonic() < deadline, "no green hexagon in the tray"

    display.click(icon, button=3)
    menu = app.wait_for("menu")
    assert menu.keys() >= {"Today: €1.64 net", "Pause", "Stop jobs now …", "Open Argentum", "Quit Argentum"}
    display.picture(tmp_path / "menu.png")
    display.click(menu["Pause"])
    choices = app.wait_for("pause_menu")
    display.picture(tmp_path / "pause.png")
    display.click(choices["Until I resume"])
    assert app.wait_for("calls") == ["pause"]
    app.wait_for("tip", lambda tip: tip == "Argentum: Paused until you resume")

    display.click(icon, button=3)
    menu = app.wait_for("menu", lambda entries: "Resume" in entries)
    assert "Pause" not in menu
    display.click(menu["Open Argentum"])
    app.wait_for("window")
    display.picture(tmp_path / "window.png")

    app.wait_for("menu", lambda entries: not entries)
    display.click(icon, button=3)
    display.click(app.wait_for("menu")["Quit Argentum"])
    app.wait_for("ended")
    assert app.process.wait(10) == 0


def test_a_tray_that_comes_late_is_found_and_a_left_click_opens(display: Display, tmp_path: Path) -> None:
    app = start_app(display, tmp_path)
    app.wait_for("available", lambda is_available: is_available is False)
    start_trayer(display)
    app.wait_for("available")
    # The icon moves while the tray makes room for it, so a click may miss it at first, as a person's might.
    deadline = time.monotonic() + PATIENCE_S
    while not app.newest("window"):
        assert time.monotonic() < deadline, "no click reached the icon"
        display.click(app.wait_for("icon", lambda rect: rect[0] > 0 and rect[2] > 0))
        time.sleep(0.3)
