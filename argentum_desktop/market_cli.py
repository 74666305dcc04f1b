"""The command `argentum-market`: run a market, and use one as a buyer."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from argentum_desktop import __version__
from argentum_desktop.buyer import commands
from argentum_desktop.clock import Clock, SystemClock
from argentum_desktop.errors import ArgentumError

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 well, 1 the job failed, 2 bad input, 69 the market is not there."""
    options = _parser().parse_args(argv)
    try:
        if options.command in {"serve", "audit"}:
            return _operate(options)
        act: Callable[[argparse.Namespace, Clock], Coroutine[None, None, int]] = options.act
        return asyncio.run(act(options, SystemClock()))
    except ArgentumError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has heard enough; Python must not complain about it while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _operate(options: argparse.Namespace) -> int:
    # Only who runs a market needs the web server's packages.
    from argentum_desktop.market_server.launch import load_server

    server = load_server()
    code: int = server.serve_with(options) if options.command == "serve" else server.audit_with(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="argentum-market", description="Run a market of GPU time, or buy on one.")
    parser.add_argument("--version", action="version", version=f"argentum-market {__version__}")
    found = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_operator_commands(found)
    _add_buyer_commands(found)
    return parser


def _add_operator_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from argentum_desktop.market_server.options import add_audit_arguments, add_serve_arguments

    add_serve_arguments(found.add_parser("serve", help="run a market"))
    add_audit_arguments(found.add_parser("audit", help="check a market's books"))


def _add_buyer_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    one_job, of_market = _job_options(), _market_options()
    submit = found.add_parser("submit", help="submit a job", parents=[of_market])
    submit.add_argument("job_file", type=Path, help="the job, a TOML file")
    submit.add_argument("--watch", action="store_true", help="wait until it ends, and fetch its outputs")
    submit.add_argument("--output", type=Path, help="folder for the outputs (default: the job file's)")
    submit.add_argument("--force", action="store_true", help="replace files that are there with other content")
    submit.set_defaults(act=commands.submit)
    found.add_parser("list", help="list your jobs", parents=[of_market]).set_defaults(act=commands.list_jobs)
    found.add_parser("cards", help="list the cards on offer, with their health", parents=[of_market]).set_defaults(
        act=commands.list_cards
    )
    watch = found.add_parser("watch", help="follow a job until it ends", parents=[of_market, one_job])
    watch.set_defaults(act=commands.watch)
    log = found.add_parser("log", help="print a job's log", parents=[of_market, one_job])
    log.add_argument("-f", "--follow", action="store_true", help="go on until the job ends")
    log.set_defaults(act=commands.log)
    cancel = found.add_parser("cancel", help="end a job", parents=[of_market, one_job])
    cancel.set_defaults(act=commands.cancel)
    fetch = found.add_parser("fetch", help="fetch a job's outputs", parents=[of_market, one_job])
    fetch.add_argument("--output", type=Path, required=True, help="folder for the outputs")
    fetch.add_argument("--force", action="store_true", help="replace files that are there with other content")
    fetch.set_defaults(act=commands.fetch)
    found.add_parser("balance", help="show your money", parents=[of_market]).set_defaults(act=commands.balance)
    pack = found.add_parser("pack", help="build an image from files of this machine")
    pack.add_argument("--out", type=Path, required=True, metavar="FILE", help="the archive to write")
    pack.add_argument("--file", action="append", required=True, metavar="/IN/IMAGE=FILE", help="a file to put in")
    pack.add_argument("--json", action="store_true", help="print JSON")
    pack.add_argument("words", nargs="*", metavar="COMMAND", help="what the image runs by itself, after --")
    pack.set_defaults(act=commands.pack_image)
    sample = found.add_parser("sample", help="write a sample job")
    sample.add_argument("folder", type=Path, help="where to")
    sample.add_argument("--scale", type=float, default=1.0, help="how much work (default: %(default)s)")
    sample.set_defaults(act=commands.sample)


def _market_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--market", metavar="URL", help=f"its address (default: ${commands.MARKET_VARIABLE})")
    options.add_argument("--home", type=Path, help="home folder of the application whose market is used")
    options.add_argument("--identity", type=Path, metavar="FILE", help="your key; made where there is none")
    options.add_argument("--json", action="store_true", help="print JSON")
    return options


def _job_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("job", help="the job's id")
    return options


if __name__ == "__main__":
    sys.exit(main())
