"""The command argentum-desktop: the application itself, and what it can be asked from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop import __version__, logs
from argentum_desktop.errors import ArgentumError, PartMissingError
from argentum_desktop.paths import Home, default_home
from argentum_desktop.settings import file as settings_file
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.terminal import accept_every_letter, write_line

log = logging.getLogger(__name__)

MOST_PAUSE_HOURS = 24 * 366

Command = Callable[[argparse.Namespace, Home], int]


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
    parser.add_argument("--simulated", type=_count, metavar="N", help="show N simulated cards, for a look around")
    parser.add_argument(
        "--scenario", metavar="NAME|FILE", help="show the simulated cards of a scenario, such as overheating"
    )
    parser.set_defaults(run=_tray, hidden=False)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    tray = _command(commands, "tray", _tray, "the tray icon and the window (also without any command)")
    tray.add_argument("--hidden", action="store_true", help="start without opening the window")
    _command(commands, "agent", _agent, "the same without a screen")
    _command(commands, "status", _status, "what the running application does", json_too=True)
    gpus = _command(commands, "gpus", _gpus, "the cards of this computer", json_too=True)
    gpus.add_argument("--watch", action="store_true", help="again each second, until Ctrl+C")
    _history_commands(commands)
    _command(commands, "ledger", _ledger, "what was earned, posting by posting", json_too=True)
    pause = _command(commands, "pause", _pause, "freeze what runs and take nothing new")
    pause.add_argument("--hours", type=_hours, help="resume by itself after so many hours (default: never)")
    _command(commands, "resume", _simple_call, "go on after a pause")
    _command(commands, "stop", _simple_call, "give running jobs back now, and pause")
    _command(commands, "show", _simple_call, "open the window of the running application")
    _command(commands, "quit", _simple_call, "end the running application")
    demo = _command(commands, "demo", _demo, "run one sample job on this computer, from offer to earnings")
    demo.add_argument("--picture", type=Path, default=None, help="where the picture of the window goes")
    demo.add_argument(
        "--scale", type=float, default=2.0, help="how much work the sample job does (default: 2, some 25 seconds)"
    )
    demo.add_argument("--jobs", type=_count, default=1, metavar="N", help="how many of them, one after another")
    demo.add_argument("--no-screen", action="store_true", help="do not open a window even where there is a display")
    return parser


def _history_commands(commands: Any) -> None:
    history = commands.add_parser("history", help="what the cards did", description="What the cards did.")
    export = _command(
        history.add_subparsers(metavar="COMMAND", title="commands", required=True),
        "export",
        _export,
        "the readings that were kept, as a table",
    )
    export.add_argument("--gpu", action="append", default=[], metavar="ID", help="which card (again for more; all)")
    export.add_argument("--from", type=_instant, dest="start", metavar="TIME", help="2026-03-01 or 2026-03-01T12:00")
    export.add_argument("--to", type=_instant, dest="end", metavar="TIME", help="the first moment left out (now)")
    export.add_argument("--resolution", choices=("auto", "second", "minute", "hour"), default="auto")
    export.add_argument("--metric", action="append", default=[], metavar="NAME", help="which metric (again for more)")
    export.add_argument(
        "--csv", type=Path, default=Path("-"), nargs="?", const=Path("-"), metavar="FILE", help="where to (the screen)"
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Command,
    words: str,
    *,
    json_too: bool = False,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run, command=name)
    if json_too:
        parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 16):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a whole number from 0 to 16")
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= MOST_PAUSE_HOURS:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a number of hours up to {MOST_PAUSE_HOURS}")
    return hours


def _instant(text: str) -> datetime:
    """A time as people write it; one without a zone is in this computer's."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text[:30]!r} is not a time such as 2026-03-01 or 2026-03-01T12:00"
        ) from error


def _begin(options: argparse.Namespace, home: Home, name: str) -> Settings:
    """The home folder made, the log opened, the settings read."""
    home.create()
    logs.configure(home.logs, name, verbose=options.verbose)
    settings = settings_file.load(home.settings_file)
    if options.simulated is not None:
        settings = replace(settings, cards=replace(settings.cards, simulated=options.simulated))
    if options.scenario is not None:
        settings = replace(settings, cards=replace(settings.cards, scenario=options.scenario))
    return settings


@contextmanager
def _window_parts() -> Iterator[None]:
    """Qt needs libraries of the system, which a machine without a screen may not have."""
    try:
        yield
    except ImportError as error:
        raise PartMissingError(
            f"The window's parts cannot be loaded ({error}).",
            "Install them as the README says; `argentum-desktop agent` works without.",
        ) from error


# -- the application --------------------------------------------------------------------------------------------------


def _tray(options: argparse.Namespace, home: Home) -> int:
    with _window_parts():
        from argentum_desktop.app.desktop import run_desktop

    return run_desktop(home, _begin(options, home, "desktop"), hidden=options.hidden)


def _agent(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.headless import run_agent

    return asyncio.run(run_agent(home, _begin(options, home, "agent")))


def _demo(options: argparse.Namespace, home: Home) -> int:
    with _window_parts():
        from argentum_desktop.app.demo import Samples, run_demo

    settings = _begin(options, home, "demo")
    samples = Samples(options.jobs, options.scale)
    return run_demo(home, settings, samples, picture=options.picture, no_screen=options.no_screen)


# -- questions --------------------------------------------------------------------------------------------------------


def _status(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.control import call
    from argentum_desktop.agent.report import status_text

    status = call(home.control_file, "status")
    write_line(json.dumps(status, indent=2) if options.json else status_text(status))
    return 0


def _gpus(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_cards import cards_json, cards_text
    from argentum_desktop.app.questions import look_at_cards
    from argentum_desktop.system.processes import process_name
    from argentum_desktop.system.screen import size

    settings = _begin(options, home, "gpus")
    if options.watch:
        return _watch(settings, as_json=options.json)
    reports, readings = asyncio.run(look_at_cards(settings))
    if options.json:
        write_line(json.dumps(cards_json(reports, readings), indent=2))
    else:
        write_line(cards_text(reports, readings, width=size()[0], name_of=process_name))
    return 0


def _watch(settings: Settings, *, as_json: bool) -> int:
    """Until Ctrl+C, which is how this is meant to end."""
    from argentum_desktop.app.watching import watch_cards, watcher

    with suppress(KeyboardInterrupt), watcher(as_json=as_json) as show:
        asyncio.run(watch_cards(settings, show))
    return 0


def _export(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.history_export import Resolution, export_to_file

    span = (options.start, options.end)
    count = asyncio.run(
        export_to_file(home, options.gpu, span, Resolution(options.resolution), options.metric, options.csv)
    )
    sys.stderr.write(f"{count} rows.\n")
    return 0


def _ledger(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report import ledger_json, ledger_text
    from argentum_desktop.app.questions import all_transactions

    transactions = asyncio.run(all_transactions(home))
    write_line(json.dumps(ledger_json(transactions), indent=2) if options.json else ledger_text(transactions))
    return 0


def _pause(options: argparse.Namespace, home: Home) -> int:
    from datetime import timedelta

    from argentum_desktop.agent.control import call
    from argentum_desktop.clock import SystemClock

    until = SystemClock().now() + timedelta(hours=options.hours) if options.hours is not None else None
    write_line(call(home.control_file, "pause", until=until.isoformat() if until else None))
    return 0


def _simple_call(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.control import call

    answer: Any = call(home.control_file, options.command)
    if answer:
        write_line(answer)
    return 0


# -- parts of the application that run as processes of their own ------------------------------------------------------


def _sensor(words: Sequence[str]) -> int:
    from argentum_desktop.gpus.sensor import main as sensor

    return sensor(list(words))


def _market(words: Sequence[str]) -> int:
    from argentum_desktop.market_server.launch import serve

    return serve(list(words))


_PARTS: dict[str, Callable[[Sequence[str]], int]] = {"sensor": _sensor, "market-serve": _market}
