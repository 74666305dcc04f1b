"""What the application can be asked and told from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from argentum_desktop.cli.arguments import Commands, command, hours, instant
from argentum_desktop.cli.beginning import begin
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.terminal import write_line


def add_commands(commands: Commands) -> None:
    command(commands, "status", status, "what the running application does", json_too=True)
    cards = command(commands, "gpus", gpus, "the cards of this computer", json_too=True)
    cards.add_argument("--watch", action="store_true", help="again each second, until Ctrl+C")
    _history_commands(commands)
    command(commands, "ledger", ledger, "what was earned, posting by posting", json_too=True)
    freeze = command(commands, "pause", pause, "freeze what runs and take nothing new")
    freeze.add_argument("--hours", type=hours, help="resume by itself after so many hours (default: never)")
    command(commands, "resume", simple_call, "go on after a pause")
    command(commands, "stop", simple_call, "give running jobs back now, and pause")
    command(commands, "show", simple_call, "open the window of the running application")
    command(commands, "quit", simple_call, "end the running application")


def _history_commands(commands: Commands) -> None:
    history = commands.add_parser("history", help="what the cards did", description="What the cards did.")
    table = command(
        history.add_subparsers(metavar="COMMAND", title="commands", required=True),
        "export",
        export,
        "the readings that were kept, as a table",
    )
    table.add_argument("--gpu", action="append", default=[], metavar="ID", help="which card (again for more; all)")
    table.add_argument("--from", type=instant, dest="start", metavar="TIME", help="2026-03-01 or 2026-03-01T12:00")
    table.add_argument("--to", type=instant, dest="end", metavar="TIME", help="the first moment left out (now)")
    table.add_argument("--resolution", choices=("auto", "second", "minute", "hour"), default="auto")
    table.add_argument("--metric", action="append", default=[], metavar="NAME", help="which metric (again for more)")
    table.add_argument(
        "--csv", type=Path, default=Path("-"), nargs="?", const=Path("-"), metavar="FILE", help="where to (the screen)"
    )


def status(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.control import call
    from argentum_desktop.agent.report import status_text

    status = call(home.control_file, "status")
    write_line(json.dumps(status, indent=2) if options.json else status_text(status))
    return 0


def gpus(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_cards import cards_json, cards_text
    from argentum_desktop.app.questions import look_at_cards
    from argentum_desktop.system.processes import process_name
    from argentum_desktop.system.screen import size

    settings = begin(options, home, "gpus")
    if options.watch:
        return watch(settings, as_json=options.json)
    reports, readings = asyncio.run(look_at_cards(settings))
    if options.json:
        write_line(json.dumps(cards_json(reports, readings), indent=2))
    else:
        write_line(cards_text(reports, readings, width=size()[0], name_of=process_name))
    return 0


def watch(settings: Settings, *, as_json: bool) -> int:
    """Until Ctrl+C, which is how this is meant to end."""
    from argentum_desktop.app.watching import watch_cards, watcher

    with suppress(KeyboardInterrupt), watcher(as_json=as_json) as show:
        asyncio.run(watch_cards(settings, show))
    return 0


def export(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.history_export import Resolution, export_to_file

    span = (options.start, options.end)
    count = asyncio.run(
        export_to_file(home, options.gpu, span, Resolution(options.resolution), options.metric, options.csv)
    )
    sys.stderr.write(f"{count} rows.\n")
    return 0


def ledger(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report import ledger_json, ledger_text
    from argentum_desktop.app.questions import all_transactions, zone_of

    transactions = asyncio.run(all_transactions(home))
    if options.json:
        write_line(json.dumps(ledger_json(transactions, zone_of(home)), indent=2))
    else:
        write_line(ledger_text(transactions))
    return 0


def pause(options: argparse.Namespace, home: Home) -> int:
    from datetime import timedelta

    from argentum_desktop.agent.control import call
    from argentum_desktop.clock import SystemClock

    until = SystemClock().now() + timedelta(hours=options.hours) if options.hours is not None else None
    write_line(call(home.control_file, "pause", until=until.isoformat() if until else None))
    return 0


def simple_call(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.control import call

    answer: Any = call(home.control_file, options.command)
    if answer:
        write_line(answer)
    return 0
