"""What every command that works with a home folder does first."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from argentum_desktop import logs
from argentum_desktop.errors import PartMissingError
from argentum_desktop.paths import Home
from argentum_desktop.settings import file as settings_file
from argentum_desktop.settings.schema import Settings


def begin(options: argparse.Namespace, home: Home, name: str) -> Settings:
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
def window_parts() -> Iterator[None]:
    """Qt needs libraries of the system, which a machine without a screen may not have."""
    try:
        yield
    except ImportError as error:
        raise PartMissingError(
            f"The window's parts cannot be loaded ({error}).",
            "Install them as the README says; `argentum-desktop agent` works without.",
        ) from error
