"""The market that comes with the application, as a process of its own on this machine."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from contextlib import suppress
from pathlib import Path

from argentum_desktop.clock import Clock
from argentum_desktop.errors import MarketUnreachableError
from argentum_desktop.system.program import own_command

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 30
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class EmbeddedMarket:
    """Starts the market, watches it, and starts it again when it dies.

    Args:
        folder: its database and artifacts; its address is written to `address` therein, for the buyer's commands.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def address_file(self) -> Path:
        return self._folder / "address"

    async def start(self) -> str:
        """Start it and return its address.

        Raises:
            MarketUnreachableError: it does not come up.
        """
        url = await self._launch()
        self._watcher = asyncio.create_task(self._watch(), name="embedded market")
        return url

    async def close(self) -> None:
        """End it: its standard input closes, which it takes as the request to finish."""
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        if self._process is not None:
            await self._end(self._process)

    async def _launch(self) -> str:
        self.address_file.unlink(missing_ok=True)
        command = own_command("market-serve", "argentum_desktop.market_server.server")
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *("--data", str(self._folder), "--host", "127.0.0.1", "--port", str(self._port)),
            *("--local", "--until-stdin-closes", "--address-file", str(self.address_file)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = await self._answering(self._process)
        # The same port after a restart, so that nobody has to look it up again.
        self._port = int(url.rpartition(":")[2])
        return url

    async def _answering(self, process: asyncio.subprocess.Process) -> str:
        for _ in range(ANSWERS_WITHIN_S * 20):
            if process.returncode is not None:
                break
            if self.address_file.exists():
                return self.address_file.read_text(encoding="utf-8").strip()
            await self._clock.sleep(0.05)
        await self._end(process)
        raise MarketUnreachableError(
            "The market of this computer did not start.", f"Its log is {self._folder / 'market.log'}."
        )

    async def _watch(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            if self._process is not None:
                await self._process.wait()
                log.warning("the embedded market ended with code %s; starting it again", self._process.returncode)
            await self._clock.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)
            try:
                await self._launch()
                pause = FIRST_PAUSE_S
            except MarketUnreachableError as error:
                log.warning("%s", error)
                self._process = None
                self._port = 0

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
