"""The command argentum-desktop: which words it knows, and who answers them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from argentum_desktop import __version__
from argentum_desktop.cli import application, health, policy, questions
from argentum_desktop.cli.arguments import Command, count
from argentum_desktop.errors import ArgentumError
from argentum_desktop.paths import Home, default_home
from argentum_desktop.system.terminal import accept_every_letter


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. A known fault is one sentence on standard error, never a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in _PARTS:
        return _PARTS[words[0]](words[1:])
    accept_every_letter()
    options = _parser().parse_args(words)
    try:
        home = Home(options.home.absolute()) if options.home else default_home()
        command: Command = options.run
        return command(options, home)
    except ArgentumError as error:
        sys.stderr.write(f"argentum-desktop: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0  # whoever read our output has gone, as `head` does; there is nobody left to tell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="argentum-desktop", description="Rent out your idle GPUs on your own terms.")
    parser.add_argument("--version", action="version", version=f"argentum-desktop {__version__}")
    parser.add_argument("--home", type=Path, metavar="DIR", help="folder of all state; two can run side by side")
    parser.add_argument("--verbose", action="store_true", help="say more on standard error")
    parser.add_argument("--simulated", type=count, metavar="N", help="show N simulated cards, for a look around")
    parser.add_argument(
        "--scenario", metavar="NAME|FILE", help="show the simulated cards of a scenario, such as overheating"
    )
    parser.set_defaults(run=application.tray, hidden=False)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    application.add_commands(commands)
    questions.add_commands(commands)
    health.add_commands(commands)
    policy.add_commands(commands)
    return parser


# -- parts of the application that run as processes of their own ------------------------------------------------------


def _sensor(words: Sequence[str]) -> int:
    from argentum_desktop.gpus.sensor import main as sensor

    return sensor(list(words))


def _stress(words: Sequence[str]) -> int:
    from argentum_desktop.health.stress.worker import main as stress

    return stress(list(words))


def _market(words: Sequence[str]) -> int:
    from argentum_desktop.market_server.launch import serve

    return serve(list(words))


_PARTS: dict[str, Callable[[Sequence[str]], int]] = {"sensor": _sensor, "stress": _stress, "market-serve": _market}
