"""The way to the market's server for whoever may lack its packages: they come with the extra `market` only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

from argentum_desktop.errors import PartMissingError


def load_server() -> ModuleType:
    """The module `market_server.server`.

    Raises:
        PartMissingError: it cannot be loaded, and what to install.
    """
    try:
        from argentum_desktop.market_server import server
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".", maxsplit=1)[0]
        if package in {"", "argentum_desktop"}:
            raise
        raise PartMissingError(
            f"Running a market needs the package {package}, which is not installed.",
            "Install it with: pip install 'argentum-desktop[market]'",
        ) from error
    return server


def serve(argv: Sequence[str] | None = None) -> int:
    """Run a market until it is told to stop; returns the exit code."""
    try:
        code: int = load_server().serve(argv)
    except PartMissingError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return code
