"""What would be decided and why, the hours, and the weeks replayed under other choices."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from argentum_desktop.cli.arguments import Commands, command, hours, instant
from argentum_desktop.cli.beginning import begin
from argentum_desktop.errors import BadInputError, NotRunningError
from argentum_desktop.paths import Home
from argentum_desktop.settings.presets import PRESETS
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.terminal import write_line
from argentum_desktop.system.zone import owners_zone

if TYPE_CHECKING:
    from argentum_desktop.agent.explain import Explanation


def add_commands(commands: Commands) -> None:
    asked = command(commands, "explain", explain, "whether a card may work, every rule's word on it", json_too=True)
    asked.add_argument("--gpu", metavar="ID", help="which card (all)")
    asked.add_argument("--price", metavar="P", help="of an offer per hour, in your currency; without it, of none")
    asked.add_argument("--hours", type=hours, metavar="H", help="how long that job may take (1)")
    asked.add_argument("--job", metavar="LEASE", help="what was decided about this one, and why")
    asked.add_argument("--at", type=instant, metavar="TIME", help="2026-03-01T22:00 (now)")
    replayed = command(commands, "whatif", what_if, "the recorded weeks under other choices", json_too=True)
    replayed.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as in prices.floor_per_gpu_hour=0.20 (again)"
    )
    windows = commands.add_parser("windows", help="the hours of your cards", description="The hours of your cards.")
    _window_commands(windows.add_subparsers(metavar="COMMAND", title="commands", required=True))


def _window_commands(commands: Commands) -> None:
    command(commands, "show", show, "the coming week, card by card", json_too=True)
    command(commands, "next", next_change, "when that changes next, and why", json_too=True)
    chosen = command(commands, "preset", preset, "take a week that many want, in place of your windows")
    chosen.add_argument("name", choices=sorted(PRESETS), metavar="NAME", help=", ".join(sorted(PRESETS)))
    exported = command(commands, "export", export, "write them as a calendar (iCalendar)")
    exported.add_argument("file", type=Path, metavar="FILE")
    exported.add_argument("--force", action="store_true", help="also in place of a file that is there")
    imported = command(commands, "import", take_over, "take a calendar's events over into your settings")
    imported.add_argument("file", type=Path, metavar="FILE")
    imported.add_argument("--closed", action="store_true", help="its events are times without jobs")


def explain(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_explain import explain_json, explain_text

    settings = begin(options, home, "explain")
    if options.job is not None:
        return _explain_job(options, home, settings)
    asked = {
        "gpu_id": options.gpu,
        "price": options.price,
        "hours": options.hours,
        "at": options.at.isoformat() if options.at else None,
    }
    found, is_alone = _explained(home, settings, asked)
    if options.json:
        write_line(json.dumps(explain_json(found, is_alone=is_alone), indent=2))
    else:
        write_line(explain_text(found, owners_zone(settings.availability.timezone), is_alone=is_alone))
    return 0


def _explain_job(options: argparse.Namespace, home: Home, settings: Settings) -> int:
    from argentum_desktop.agent.report_explain import record_json, record_text
    from argentum_desktop.app.explaining import recorded_decision

    if any(asked is not None for asked in (options.gpu, options.price, options.hours, options.at)):
        raise BadInputError("What was decided about a job depends on nothing else.", "Say --job alone.")
    record = asyncio.run(recorded_decision(home, options.job))
    if options.json:
        write_line(json.dumps(record_json(record), indent=2))
    else:
        write_line(record_text(record, owners_zone(settings.availability.timezone)))
    return 0


def _explained(home: Home, settings: Settings, asked: Mapping[str, Any]) -> tuple[tuple[Explanation, ...], bool]:
    """By the running application, which knows most; else from what can be read at once."""
    from argentum_desktop.agent.control import call
    from argentum_desktop.agent.explain import question_of
    from argentum_desktop.agent.report_explain import explanations

    try:
        return explanations(call(home.control_file, "explain", **asked)), False
    except NotRunningError:
        from argentum_desktop.app.explaining import explain_alone

        question = question_of(asked, settings.prices.currency)
        return asyncio.run(explain_alone(home, settings, question)), True


def what_if(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_what_if import what_if_json, what_if_text
    from argentum_desktop.app.explaining import what_if_alone

    settings = begin(options, home, "whatif")
    found = asyncio.run(what_if_alone(home, settings, options.set))
    zone = owners_zone(settings.availability.timezone)
    write_line(json.dumps(what_if_json(found), indent=2) if options.json else what_if_text(found, zone))
    return 0


def show(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_windows import week_json, week_text

    settings, cards, zone, now = _hours(options, home)
    if options.json:
        write_line(json.dumps(week_json(settings, cards, zone, now), indent=2))
    else:
        write_line(week_text(settings, cards, zone, now))
    return 0


def next_change(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_windows import next_json, next_text

    settings, cards, zone, now = _hours(options, home)
    if options.json:
        write_line(json.dumps(next_json(settings, cards, zone, now), indent=2))
    else:
        write_line(next_text(settings, cards, zone, now))
    return 0


def preset(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.settings.change import backup_of, change

    begin(options, home, "windows")
    windows = PRESETS[options.name]()
    change(home.settings_file, "availability", {"windows": windows})
    write_line("\n".join(str(one) for one in windows))
    sys.stderr.write(f"They hold from the next start on. The settings as they were: {backup_of(home.settings_file)}\n")
    return 0


def export(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.calendar_files import export_calendar

    export_calendar(begin(options, home, "windows"), options.file, _now(), is_forced=options.force)
    sys.stderr.write(f"Wrote {options.file}.\n")
    return 0


def take_over(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_windows import import_text
    from argentum_desktop.app.calendar_files import import_calendar

    begin(options, home, "windows")
    found = import_calendar(home.settings_file, options.file, _now(), is_closed=options.closed)
    write_line(import_text(found.read.windows, found.read.exceptions, found.read.notes))
    sys.stderr.write(f"They hold from the next start on. The settings as they were: {found.backup}\n")
    return 0


def _hours(options: argparse.Namespace, home: Home) -> tuple[Settings, dict[str, str], ZoneInfo, datetime]:
    """The settings, the cards' names by their ids, the owner's zone and the time."""
    from argentum_desktop.app.questions import look_at_cards

    settings = begin(options, home, "windows")
    reports, _ = asyncio.run(look_at_cards(settings))
    cards = {gpu.gpu_id: gpu.label for report in reports for gpu in report.gpus}
    named = {gpu_id: gpu_id for own in settings.availability.windows for gpu_id in own.cards}
    found = {**named, **cards}
    if not found:
        raise BadInputError("No card was found, so there are no hours to show.", "argentum-desktop gpus tells why.")
    return settings, found, owners_zone(settings.availability.timezone), _now()


def _now() -> datetime:
    from argentum_desktop.clock import SystemClock

    return SystemClock().now()
