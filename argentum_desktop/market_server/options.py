"""The options of the operator's commands; light, so that a buyer's command need not load a web server."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the database and the files")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port; 0, the default, takes the last one, or a free one")
    parser.add_argument("--local", action="store_true", help="serve this machine only, with local credit")
    parser.add_argument("--name", help="what the market is called")
    parser.add_argument("--currency", default="EUR", help="ISO 4217 code (default: %(default)s)")
    parser.add_argument(
        "--authority", action="append", default=[], help="host name by which it is reached from outside"
    )
    parser.add_argument("--address-file", type=Path, help="file that gets the address once the market answers")
    parser.add_argument("--port-file", type=Path, help="file that gets the port once the market answers")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `audit`."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the database and the files")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a port (0 to 65535)")
    return int(text)
