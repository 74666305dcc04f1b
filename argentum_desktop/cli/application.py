"""The application itself: with a window, without, as a demonstration."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from argentum_desktop.cli.arguments import Commands, command, count
from argentum_desktop.cli.beginning import begin, window_parts
from argentum_desktop.paths import Home


def add_commands(commands: Commands) -> None:
    with_window = command(commands, "tray", tray, "the tray icon and the window (also without any command)")
    with_window.add_argument("--hidden", action="store_true", help="start without opening the window")
    command(commands, "agent", agent, "the same without a screen")
    trial = command(commands, "demo", demo, "run one sample job on this computer, from offer to earnings")
    trial.add_argument("--picture", type=Path, default=None, help="where the picture of the window goes")
    trial.add_argument(
        "--scale", type=float, default=2.0, help="how much work the sample job does (default: 2, some 25 seconds)"
    )
    trial.add_argument("--jobs", type=count, default=1, metavar="N", help="how many of them, one after another")
    trial.add_argument("--no-screen", action="store_true", help="do not open a window even where there is a display")


def tray(options: argparse.Namespace, home: Home) -> int:
    with window_parts():
        from argentum_desktop.app.desktop import run_desktop

    return run_desktop(home, begin(options, home, "desktop"), hidden=options.hidden)


def agent(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.headless import run_agent

    return asyncio.run(run_agent(home, begin(options, home, "agent")))


def demo(options: argparse.Namespace, home: Home) -> int:
    with window_parts():
        from argentum_desktop.app.demo import Samples, run_demo

    settings = begin(options, home, "demo")
    samples = Samples(options.jobs, options.scale)
    return run_demo(home, settings, samples, picture=options.picture, no_screen=options.no_screen)
