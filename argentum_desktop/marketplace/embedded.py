"""The market that comes with the application, as a process of its own on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from argentum_desktop.clock import Clock
from argentum_desktop.errors import MarketUnreachableError
from argentum_desktop.marketplace.errors import plain_words
from argentum_desktop.system.program import own_command

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 30
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
LONGEST_WORDS_BYTES = 8192


class EmbeddedMarket:
    """Starts the market, watches it, and starts it again when it dies.

    Args:
        folder: its database and artifacts; it writes its address to `address` therein, for the buyer's commands.
        currency: of all its prices.
    """

    def __init__(self, folder: Path, clock: Clock, currency: str) -> None:
        self._folder = folder
        self._clock = clock
        self._currency = currency
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def log_file(self) -> Path:
        return self._folder / "market.log"

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
        """Start the process and wait for it.

        Raises:
            MarketUnreachableError: it does not come up, and why, where it said so.
        """
        port_file = self._folder / "port"
        try:
            await asyncio.to_thread(port_file.unlink, missing_ok=True)
            with await asyncio.to_thread(self.log_file.open, "ab") as log_file:
                log_file.seek(0, os.SEEK_END)
                log_start = log_file.tell()
                self._process = await self._spawn(port_file, log_file)
            # The same port after a restart, so that nobody has to look it up again.
            self._port = await self._answering(self._process, port_file, log_start)
        except OSError as error:
            raise MarketUnreachableError(
                f"The market of this computer cannot be started ({error.strerror}).",
                f"Look at the room and the rights of {self._folder}.",
            ) from error
        return f"http://127.0.0.1:{self._port}"

    async def _spawn(self, port_file: Path, log_file: BinaryIO) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *own_command("market-serve", "argentum_desktop.market_server"),
            *("--data", str(self._folder), "--port", str(self._port), "--port-file", str(port_file)),
            *("--local", "--currency", self._currency, "--until-stdin-closes"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log_file,
        )

    async def _answering(self, process: asyncio.subprocess.Process, port_file: Path, log_start: int) -> int:
        """Wait until it says on which port it listens; it says so once it answers."""
        for _ in range(ANSWERS_WITHIN_S * 20):
            if process.returncode is not None:
                break
            with suppress(FileNotFoundError, ValueError):
                return int(await asyncio.to_thread(port_file.read_text, encoding="utf-8"))
            await self._clock.sleep(0.05)
        await self._end(process)
        said = await asyncio.to_thread(_last_words, self.log_file, log_start)
        raise MarketUnreachableError(
            f"The market of this computer did not start. {said}".strip(), "" if said else f"Its log is {self.log_file}."
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

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _last_words(log_file: Path, start: int) -> str:
    """The one sentence with which the process ended, where it knew why; nothing where it was a fault of its own."""
    try:
        with log_file.open("rb") as file:
            file.seek(start)
            lines = file.read(LONGEST_WORDS_BYTES).decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line for line in lines if line.strip()]
    return plain_words(said[-1], LONGEST_WORDS_BYTES) if said and not any(map(_is_of_a_fault, said)) else ""


def _is_of_a_fault(line: str) -> bool:
    return line.startswith(("Traceback ", "Fatal Python error"))
