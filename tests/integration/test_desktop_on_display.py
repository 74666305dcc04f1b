"""The whole application on a display: a person clicks the tray icon, and the work obeys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from displays import Display, display, needs_display, pixels_like, start_trayer
from living import LivingAgent, TestBuyer, wait_for
from PySide6.QtGui import QColor, QImage

from argentum_desktop.marketplace.wire import JobPhase
from argentum_desktop.paths import Home
from argentum_desktop.ui.tokens import LIGHT
from argentum_desktop.ui.tray_icon import ANY_PANEL

__all__ = ["display"]

pytestmark = [*needs_display, pytest.mark.engine]

SCREEN = (1280, 860)
ICON = [SCREEN[0] - 24, 0, 24, 24]


def color_in_tray(image: QImage, color: str) -> int:
    return pixels_like(image, ICON, QColor(color))


def test_a_person_pauses_and_resumes_from_the_tray(display: Display, tmp_path: Path) -> None:
    start_trayer(display)
    agent = LivingAgent(Home(tmp_path / "home"), environment=display.environment)
    command = [sys.executable, "-m", "argentum_desktop", "--home", str(agent.home.root), "tray"]
    agent.start(command)
    try:
        picture = tmp_path / "screen.png"
        buyer = TestBuyer(agent, tmp_path / "buyer")
        job = buyer.submit_sample(scale=0.6)
        wait_for(lambda: agent.status()["state"] == "working")
        wait_for(lambda: color_in_tray(display.picture(picture), ANY_PANEL.working) > 40)

        # Right click, first entry that can be chosen (Pause), into its menu, last entry: until I resume.
        display.click(ICON, button=3)
        wait_for(lambda: menu_is_open(display.picture(tmp_path / "menu.png")))
        display.do("xdotool", "key", "Down", "Right", "Up", "Return")
        wait_for(lambda: agent.status()["state"] == "paused")
        wait_for(lambda: color_in_tray(display.picture(tmp_path / "paused.png"), ANY_PANEL.working) == 0)

        assert agent.command("resume").returncode == 0
        assert buyer.until_over(job.job_id).phase is JobPhase.SUCCEEDED
        again = subprocess.run(command, env=display.environment, capture_output=True, text=True, timeout=30)
        assert (again.returncode, again.stderr) == (0, "")  # a second start shows the first one's window, and ends
    finally:
        code = agent.stop()
    assert code == 0, agent.terminal()
    assert "Traceback" not in agent.terminal()


def menu_is_open(image: QImage) -> bool:
    """The menu hangs below the icon, over the window or the empty screen."""
    x, y = SCREEN[0] - 40, 60
    return image.pixelColor(x, y) == image.pixelColor(x, y + 1) == QColor(LIGHT.raised)
