"""One running sensor process, from its start to its burial."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import cast

import msgspec

from argentum_desktop.gpus.sensor_wire import LONGEST_LINE_BYTES, Answer, Request
from argentum_desktop.system.child import has_ended, start_child

log = logging.getLogger(__name__)


class SensorChild:
    """One running sensor process and the task that copies what it complains of into the log."""

    def __init__(self, process: asyncio.subprocess.Process, started_s: float) -> None:
        self.process = process
        self.started_s = started_s
        self.is_ready = False  # it has listed its cards and knows the loads
        self.is_outdated = False  # what it listed is no longer true, and only another process can do better
        self.requests = cast("asyncio.StreamWriter", process.stdin)  # all three are pipes: see `start`
        self.answers = cast("asyncio.StreamReader", process.stdout)
        self._complaints = asyncio.create_task(_log_lines(cast("asyncio.StreamReader", process.stderr)))

    @classmethod
    async def start(cls, command: Sequence[str], now_s: float) -> SensorChild:
        return cls(await start_child(command, LONGEST_LINE_BYTES), now_s)

    async def exchange(self, request: Request) -> Answer:
        """Send one request and return its answer; answers that nobody waited for are passed over."""
        self.requests.write(msgspec.json.encode(request) + b"\n")
        await self.requests.drain()
        while True:
            line = await self.answers.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            answer = msgspec.json.decode(line, type=Answer)
            if answer.number == request.number:
                return answer

    async def end(self, farewell_s: float) -> None:
        """Ask it to go by closing its input, kill it when it stays, and bury it either way."""
        self.requests.close()
        if not await has_ended(self.process, farewell_s):
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        # A process stuck inside the kernel cannot be killed by anybody: the loop's watcher buries it when it comes out.
        await has_ended(self.process, max(farewell_s, 1.0))
        await asyncio.wait([self._complaints], timeout=1.0)
        self._complaints.cancel()
        with contextlib.suppress(ConnectionError):
            await self.requests.wait_closed()


async def _log_lines(stream: asyncio.StreamReader) -> None:
    """Copy what the child writes to standard error into the log, bounded line by line."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than any sensible line: the reader has thrown it away
            continue
        if not line:
            return
        log.warning("sensor: %s", line.decode("utf-8", "replace").rstrip()[:500])
