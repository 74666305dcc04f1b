"""How the words after a command are understood."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from argentum_desktop.paths import Home

MOST_PAUSE_HOURS = 24 * 366

Command = Callable[[argparse.Namespace, Home], int]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: Commands, name: str, run: Command, words: str, *, json_too: bool = False
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run, command=name)
    if json_too:
        parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 16):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a whole number from 0 to 16")
    return int(text)


def hours(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= MOST_PAUSE_HOURS:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a number of hours up to {MOST_PAUSE_HOURS}")
    return number


def instant(text: str) -> datetime:
    """A time as people write it; one without a zone is in this computer's."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text[:30]!r} is not a time such as 2026-03-01 or 2026-03-01T12:00"
        ) from error
