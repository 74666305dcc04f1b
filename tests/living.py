"""A real application for tests: its own home, its own processes, a real engine, a real market."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argentum_desktop.agent import control
from argentum_desktop.agent.status import Status
from argentum_desktop.buyer.client import BuyerClient
from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.buyer.sample import write_sample
from argentum_desktop.clock import SystemClock
from argentum_desktop.errors import ArgentumError
from argentum_desktop.identity.keys import load_or_create
from argentum_desktop.marketplace.wire import JobStatus, ListedCard
from argentum_desktop.paths import Home

SETTINGS = "[jobs]\ndisk_gib = 1\nstop_grace_s = 1\n[cards]\nsimulated = 1\n"
PATIENCE_S = 60.0


def wait_for(
    question: Callable[[], Any], patience_s: float = PATIENCE_S, told: Callable[[], object] = lambda: ""
) -> Any:
    """Ask until the answer is true; fails with the last answer, and with what is told then."""
    end = time.monotonic() + patience_s
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"still {answer!r} after {patience_s} s {told()}"
        time.sleep(0.1)


@dataclass
class LivingAgent:
    """`argentum-desktop agent` in a home folder of its own."""

    home: Home
    settings: str = SETTINGS
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, command: Sequence[str] = ()) -> LivingAgent:
        """Start it, or `command` in its place, and wait until it answers."""
        self.home.create()
        self.home.settings_file.write_text(self.settings)
        self.home.control_file.unlink(missing_ok=True)
        own = (sys.executable, "-m", "argentum_desktop", "--home", str(self.home.root), "agent")
        with (self.home.logs / "terminal.log").open("ab") as terminal:
            self.process = subprocess.Popen(
                list(command) or own, stdout=terminal, stderr=terminal, env={**os.environ, **self.environment}
            )
        wait_for(self._is_up)
        return self

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.terminal()
        try:
            return any(market["is_connected"] for market in self.ask("status")["markets"])
        except ArgentumError:
            return False

    def ask(self, call: str, **arguments: Any) -> Any:
        return control.call(self.home.control_file, call, **arguments)

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.ask("status")
        return status

    def terminal(self) -> str:
        return (self.home.logs / "terminal.log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        return code

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of the owner's commands against this home."""
        own = [sys.executable, "-m", "argentum_desktop", "--home", str(self.home.root), *words]
        return subprocess.run(own, capture_output=True, text=True, timeout=PATIENCE_S)

    def ledger(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.command("ledger", "--json").stdout)["transactions"]
        return found

    def market_url(self) -> str:
        return (self.home.market / "address").read_text().strip()

    def containers(self) -> list[str]:
        """Every container of this home that the engine still knows."""
        return asyncio.run(self._containers())

    async def _containers(self) -> list[str]:
        from argentum_desktop.runner.discovery import find_engine
        from argentum_desktop.runner.sandbox import INSTALLATION_LABEL

        engine = await find_engine("auto", self.home.engine, SystemClock())
        try:
            found = await engine.list_by_label(INSTALLATION_LABEL, self.installation_id())
            return [container.name for container in found]
        finally:
            await engine.close()

    def installation_id(self) -> str:
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(self.home.agent_db)) as connection:
            row = connection.execute("SELECT value FROM program_state WHERE key = 'installation'").fetchone()
        return str(row[0])


@dataclass
class TestBuyer:
    """Somebody who buys at the market of one living agent."""

    __test__ = False
    agent: LivingAgent
    folder: Path

    def submit_sample(self, scale: float = 0.01) -> JobStatus:
        return self.submit(write_sample(self.folder, scale=scale))

    def submit(self, job_file: Path) -> JobStatus:
        async def act(client: BuyerClient) -> JobStatus:
            meta = await client.connect()
            draft = read_job(job_file)
            return await client.submit(draft.spec(meta.currency), draft.files)

        return self._with_client(act)

    def job(self, job_id: str) -> JobStatus:
        return self._with_client(lambda client: client.job(job_id))

    def cards(self) -> tuple[ListedCard, ...]:
        """What is on offer at the market."""

        async def act(client: BuyerClient) -> tuple[ListedCard, ...]:
            await client.connect()
            return (await client.cards()).cards

        found: tuple[ListedCard, ...] = self._with_client(act)
        return found

    def cancel(self, job_id: str) -> JobStatus:
        return self._with_client(lambda client: client.cancel(job_id))

    def log(self, job_id: str) -> bytes:
        return self._with_client(lambda client: client.log(job_id, 0))

    def until_over(self, job_id: str) -> JobStatus:
        """The job once it has ended."""

        def ended() -> JobStatus | None:
            try:
                status = self.job(job_id)
            except ArgentumError:
                return None
            return status if status.phase.is_terminal else None

        job: JobStatus = wait_for(ended)
        return job

    def _with_client(self, act: Callable[[BuyerClient], Any]) -> Any:
        async def main() -> Any:
            identity = load_or_create(self.folder / "buyer.key")
            client = BuyerClient(self.agent.market_url(), identity, SystemClock())
            try:
                return await act(client)
            finally:
                await client.close()

        return asyncio.run(main())


def typed(status: dict[str, Any]) -> Status:
    import msgspec

    return msgspec.convert(status, Status)
