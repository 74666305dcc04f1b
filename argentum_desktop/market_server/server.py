"""The market as a process: `argentum-market serve` and `audit`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType

import msgspec
import uvicorn
from starlette.applications import Starlette

from argentum_desktop import logs
from argentum_desktop.clock import SystemClock
from argentum_desktop.errors import ArgentumError, BadInputError, StoreError
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.market_server.api import create_app
from argentum_desktop.market_server.artifacts import ArtifactFolder
from argentum_desktop.market_server.audit import AuditReport, audit
from argentum_desktop.market_server.config import MarketConfig, local_config
from argentum_desktop.market_server.data_lock import DataLock
from argentum_desktop.market_server.options import add_serve_arguments
from argentum_desktop.market_server.sqlite_storage import SqliteStorage

ADDRESS_FILE = "address"
DATABASE_FILE = "market.db"
_KEY_FILE = "market.key"
_LAST_PORT_FILE = "last-port"
_FAULTS_FOUND = 1
_KEEP_ALIVE_S = 75
_STOP_WITHIN_S = 1
_BACKLOG = 2048
# How often the server's clock, which stands in its answers, is set.
_TICK_S = 1.0


def serve(argv: Sequence[str] | None = None) -> int:
    """Run a market until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="argentum-market serve", description="Run a market.")
    add_serve_arguments(parser)
    return reporting(lambda: serve_with(parser.parse_args(argv)))


def reporting(command: Callable[[], int]) -> int:
    """Run a command; a known fault becomes one sentence on standard error and its exit code."""
    try:
        return command()
    except ArgentumError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def serve_with(options: argparse.Namespace) -> int:
    config = _config_of(options)
    data: Path = options.data
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"The folder {data} cannot be used ({error.strerror}).", "Choose another.") from error
    logs.configure(data, "market")
    with DataLock(data / "market.lock"), contextlib.ExitStack() as opened:
        listener = opened.enter_context(_listen(options.host, options.port or _last_port(data)))
        port: int = listener.getsockname()[1]
        names = {f"{_in_url(options.host)}:{port}", f"127.0.0.1:{port}", f"localhost:{port}", *options.authority}
        config = replace(config, authorities=tuple(sorted(name.lower() for name in names)))
        storage = SqliteStorage(data / DATABASE_FILE)
        opened.callback(storage.close_now)
        identity = load_or_create(data / _KEY_FILE)
        app = create_app(storage, ArtifactFolder(data / "files"), config, SystemClock(), identity)
        server = _Server(app, lambda: _announce(options, data, port))
        if options.until_stdin_closes:
            threading.Thread(target=server.stop_when_stdin_closes, daemon=True).start()
        server.run(sockets=[listener])
    return 0


def audit_with(options: argparse.Namespace) -> int:
    database: Path = options.data / DATABASE_FILE
    if not database.is_file():
        raise BadInputError(f"There is no market in {options.data}.", "Name the folder that serve was given.")
    storage = SqliteStorage(database)
    try:
        report = storage.run_now(audit)
    finally:
        storage.close_now()
    sys.stdout.write(_report_text(report, as_json=options.json))
    return 0 if report.is_exact else _FAULTS_FOUND


class _Server(uvicorn.Server):
    """A server that says when it answers, and that no open poll keeps from stopping."""

    def __init__(self, app: Starlette, announce: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_STOP_WITHIN_S,
                backlog=_BACKLOG,
            )
        )
        self._app = app
        self._announce = announce
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            await asyncio.to_thread(self._announce)

    async def main_loop(self) -> None:
        """Wait for the end. uvicorn's own loop looks for it ten times a second, on a computer that is to be idle."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._ending.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._wake()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.rounds.close()
        await super().shutdown(sockets=sockets)

    def stop_when_stdin_closes(self) -> None:
        # Not sys.stdin: a thread inside its lock keeps the interpreter from ending.
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        self.should_exit = True
        self._wake()

    def _wake(self) -> None:
        """From any thread, and from the handler of a signal."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
                self._loop.call_soon_threadsafe(self._ending.set)


def _config_of(options: argparse.Namespace) -> MarketConfig:
    if options.local and not _is_loopback(options.host):
        raise BadInputError(
            f"A local market must not listen on {options.host}.",
            "It gives out credit that is no money: use 127.0.0.1, or leave --local out.",
        )
    base = local_config() if options.local else MarketConfig()
    currency: str = options.currency
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise BadInputError(f"{currency!r} is not a currency.", "Give its ISO 4217 code, such as EUR.")
    return replace(base, currency=currency, name=options.name or base.name)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`; on any free one where the wish is only that of the last time."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches off Nagle's algorithm, which would hold every answer back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise BadInputError(
            f"The market cannot listen on {host} port {port} ({error.strerror}).", "Choose another with --port."
        ) from error
    return listener


def _last_port(data: Path) -> int:
    """The port of the last time, while nobody else has taken it: agents know the market by its address."""
    try:
        port = int((data / _LAST_PORT_FILE).read_text("ascii"))
        with _listen("127.0.0.1", port):
            return port
    except (OSError, ValueError, OverflowError, BadInputError):
        return 0


def _announce(options: argparse.Namespace, data: Path, port: int) -> None:
    url = f"http://{_in_url(options.host)}:{port}"
    try:
        _write_whole(data / _LAST_PORT_FILE, f"{port}\n")
        for file in {data / ADDRESS_FILE, options.address_file or data / ADDRESS_FILE}:
            _write_whole(file, f"{url}\n")
        if options.port_file is not None:
            _write_whole(options.port_file, f"{port}\n")
    except OSError as error:
        raise StoreError(f"The address could not be written ({error.strerror}).", "Check the folder.") from error
    with contextlib.suppress(OSError):
        sys.stdout.write(f"The market answers at {url}\n")
        sys.stdout.flush()


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, "ascii")
    draft.replace(path)


def _report_text(report: AuditReport, *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode({**asdict(report), "is_exact": report.is_exact}).decode("utf-8") + "\n"
    verdict = "The books are exact." if report.is_exact else f"{len(report.faults)} faults:"
    counted = f"{report.jobs} jobs, {report.leases} leases, {report.transactions} ledger transactions"
    return "\n".join([f"{verdict} ({counted})", *(f"  {fault}" for fault in report.faults), ""])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(serve())
