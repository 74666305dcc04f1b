"""Is a card sound, and what stands in its passport."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from argentum_desktop.cli.arguments import Commands, command
from argentum_desktop.cli.beginning import begin, window_parts
from argentum_desktop.domain.health import CheckMode, Grade
from argentum_desktop.errors import CheckRefusedError
from argentum_desktop.paths import Home
from argentum_desktop.system.screen import size
from argentum_desktop.system.terminal import write, write_line
from argentum_desktop.system.zone import owners_zone

if TYPE_CHECKING:
    from argentum_desktop.agent.status import CheckupEnded
    from argentum_desktop.app.checking import Desk
    from argentum_desktop.domain.gpu import Gpu

FAILED, NOT_GRADED = 10, 11
_SECONDS = {CheckMode.QUICK: "a minute", CheckMode.FULL: "ten minutes"}
_CARD = "which card: its id, the beginning of it, or a part of its name"


def add_commands(commands: Commands) -> None:
    test = command(
        commands,
        "check",
        check,
        f"the health of the cards (exit code 0: sound, {FAILED}: not, {NOT_GRADED}: it could not be graded)",
        json_too=True,
    )
    _add_check_options(test)
    passports = commands.add_parser("passport", help="what is known of a card", description="What is known of a card.")
    _passport_commands(passports.add_subparsers(metavar="COMMAND", title="commands", required=True))


def _add_check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gpu", metavar="ID", help=f"{_CARD} (all, one after another)")
    modes = parser.add_mutually_exclusive_group()
    for mode, words in (
        (CheckMode.QUICK, "a minute under load (the default)"),
        (CheckMode.FULL, "ten minutes under load"),
        (CheckMode.PASSIVE, "only the counters, no load"),
    ):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=words)
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    parser.set_defaults(mode=CheckMode.QUICK)


def _passport_commands(commands: Commands) -> None:
    shown = command(commands, "show", show, "what stands in a card's passport", json_too=True)
    shown.add_argument("--gpu", metavar="ID", help=_CARD)
    exported = command(commands, "export", export, "write a passport to a file: .json to verify, .html or .pdf to read")
    exported.add_argument("file", type=Path, metavar="FILE")
    exported.add_argument("--gpu", metavar="ID", help=_CARD)
    verified = command(commands, "verify", verify, "whether a passport's file is what it says", json_too=True)
    verified.add_argument("file", type=Path, metavar="FILE")
    verified.add_argument(
        "--market", action="append", default=[], metavar="KEY", help="the public key of a market whose word counts"
    )
    matched = command(
        commands, "match", match, "check the card here and compare it with a passport's file", json_too=True
    )
    matched.add_argument("file", type=Path, metavar="FILE")
    _add_check_options(matched)
    noted = command(commands, "repair", repair, "write down what was done to a card, as in: new thermal paste")
    noted.add_argument("words", metavar="WORDS")
    noted.add_argument("--gpu", metavar="ID", help=_CARD)


# -- checks -----------------------------------------------------------------------------------------------------------


def check(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.checking import at_desk, chosen

    def work(desk: Desk) -> list[CheckupEnded]:
        gpus = [gpu for gpu in chosen(desk.cards(), options.gpu) if _is_wanted(gpu, options)]
        return [_check_one(desk, gpus[0], options)] if len(gpus) == 1 else [_one_of(desk, gpu, options) for gpu in gpus]

    ended = at_desk(home, begin(options, home, "check"), work)
    if options.json:
        from argentum_desktop.agent.report_health import checks_json

        write_line(json.dumps(checks_json(ended), indent=2))
    return max((_exit_code(one) for one in ended), default=0)


def _one_of(desk: Desk, gpu: Gpu, options: argparse.Namespace) -> CheckupEnded:
    """That one card cannot be checked now is no reason to leave the others alone."""
    from argentum_desktop.agent.status import CheckupEnded

    try:
        return _check_one(desk, gpu, options)
    except CheckRefusedError as error:
        sys.stderr.write(f"argentum-desktop: {error}\n")
        return CheckupEnded(gpu.gpu_id, None, str(error))


def _check_one(desk: Desk, gpu: Gpu, options: argparse.Namespace, against: Path | None = None) -> CheckupEnded:
    from argentum_desktop.agent.report_health import report_text
    from argentum_desktop.cli.check_progress import progress_line

    with progress_line(gpu) as tell:
        ended = desk.check(gpu, options.mode, tell, against)
    if options.json:
        return ended
    if ended.report is not None:
        write_line(report_text(ended.report, owners_zone(""), size()[0]) + "\n")
    else:
        sys.stderr.write(f"argentum-desktop: {gpu.label}: {ended.problem}\n")
    return ended


def _is_wanted(gpu: Gpu, options: argparse.Namespace) -> bool:
    """A load is loud and warm, and can bring down a weak power supply: somebody at a terminal is asked first."""
    if options.mode is CheckMode.PASSIVE or options.yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    write(
        f"{gpu.label} will work at full load for {_SECONDS[options.mode]}: it gets loud and warm, and takes no jobs"
        " meanwhile.\nWith a weak power supply the computer may switch itself off; save your work. Begin? [y/N] "
    )
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _exit_code(ended: CheckupEnded) -> int:
    if ended.report is None:
        return 1
    grade = ended.report.appraisal.grade
    if grade in {Grade.F, Grade.X}:
        return FAILED
    is_meant_to_grade = ended.report.mode is not CheckMode.PASSIVE
    return NOT_GRADED if grade is Grade.UNGRADED and is_meant_to_grade else 0


# -- passports --------------------------------------------------------------------------------------------------------


def show(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_passport import passport_json, passport_text
    from argentum_desktop.app.passport_files import kept_passport

    passport = kept_passport(home, options.gpu).passport
    write_line(json.dumps(passport_json(passport), indent=2) if options.json else passport_text(passport, size()[0]))
    return 0


def export(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.passport_files import export_passport, kept_passport, writable_form

    writable_form(options.file)
    passport = kept_passport(home, options.gpu)
    with window_parts():
        export_passport(passport, options.file)
    sys.stderr.write(f"Wrote {options.file}.\n")
    return 0


def verify(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_passport import verification_json, verification_text
    from argentum_desktop.app.passport_files import verified

    found = verified(home, options.file, options.market)
    write_line(json.dumps(verification_json(found), indent=2) if options.json else verification_text(found, size()[0]))
    return found.exit_code


def match(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.agent.report_passport import match_json, match_text, verification_text
    from argentum_desktop.app.checking import at_desk, chosen, the_one
    from argentum_desktop.app.passport_files import verified
    from argentum_desktop.health.passport.match import match as compare

    found = verified(home, options.file)
    if not found.is_sound:
        write_line(verification_text(found, size()[0]))
        return found.exit_code

    def work(desk: Desk) -> CheckupEnded | None:
        cards = desk.cards()
        named = [gpu for gpu in cards if options.gpu is None and gpu.gpu_id == found.passport.gpu_id]
        gpu = the_one(named or chosen(cards, options.gpu))
        return _check_one(desk, gpu, options, against=options.file) if _is_wanted(gpu, options) else None

    ended = at_desk(home, begin(options, home, "match"), work)
    if ended is None or ended.report is None:
        return 1
    result = compare(found.passport, ended.report)
    write_line(json.dumps(match_json(result), indent=2) if options.json else match_text(result, size()[0]))
    return result.exit_code


def repair(options: argparse.Namespace, home: Home) -> int:
    from argentum_desktop.app.checking import at_desk, chosen, the_one

    def work(desk: Desk) -> None:
        desk.note_repair(the_one(chosen(desk.cards(), options.gpu)), options.words)

    at_desk(home, begin(options, home, "repair"), work)
    return 0
