"""One load in a process of its own, from its start to its burial."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from argentum_desktop.clock import Clock
from argentum_desktop.domain.stress import StressEnd, StressResult
from argentum_desktop.health.stress.pieces import NonsenseError, Pieces
from argentum_desktop.health.stress.protocol import StressProgress
from argentum_desktop.health.stress.wire import Begin, Ended, Line, Progress
from argentum_desktop.system.child import has_ended, words_for_status

log = logging.getLogger(__name__)

CANCELLED = "The check was cancelled."
_KEPT_COMPLAINTS, _LONGEST_COMPLAINT = 20, 500


@dataclass(frozen=True)
class StressPatience:
    """How long a worker is waited for, in seconds.

    Attributes:
        opening_s: until it has opened the card; drivers take seconds to wake one, and a cold disk for the libraries.
        silent_s: between two lines after that.
        over_s: beyond what its plan takes, and beyond repeating a failed memory test.
        asked_s: from being asked to go until it is killed.
        farewell_s: from its last line until it is asked to go.
        burial_s: from being killed until nobody waits any more: what sits in a driver cannot be killed.
        most_lines_a_s: more of them are not progress.
    """

    opening_s: float = 30.0
    silent_s: float = 5.0
    over_s: float = 60.0
    asked_s: float = 0.5
    farewell_s: float = 1.0
    burial_s: float = 3.0
    most_lines_a_s: int = 500
    look_every_s: float = 0.5


class WatchedRun:
    """A worker that has been started. A `StressRun`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        begin: Begin,
        tell: Callable[[StressProgress], None],
        clock: Clock,
        patience: StressPatience,
    ) -> None:
        self.process = process
        self._tell = tell
        self._clock = clock
        self._patience = patience
        self._longest_s = begin.plan.total_s + begin.plan.memory_s + 2 * begin.plan.pause_s + patience.over_s
        self._pieces = Pieces()
        self._complaints: deque[str] = deque(maxlen=_KEPT_COMPLAINTS)
        self._silent_s = self._passed_s = 0.0
        self._lines_lately = 0
        self._is_told_to_go = asyncio.Event()
        self._orders = cast("asyncio.StreamWriter", process.stdin)  # all three are pipes: see `start_child`
        self._orders.write(msgspec.json.encode(begin) + b"\n")
        self._hearing = asyncio.create_task(self._hear(cast("asyncio.StreamReader", process.stdout)))
        self._complaining = asyncio.create_task(self._note(cast("asyncio.StreamReader", process.stderr)))
        self._following = asyncio.create_task(self._follow())

    @property
    def pid(self) -> int:
        """The process that loads the card, for who measures it."""
        return self.process.pid

    @property
    def is_over(self) -> bool:
        return self._following.done()

    async def wait(self) -> StressResult:
        try:
            return await asyncio.shield(self._following)
        except asyncio.CancelledError:
            self.end(StressEnd.CANCELLED, CANCELLED)
            await asyncio.wait({self._following})  # ends by itself soon, for its patience is bounded everywhere
            raise

    def end(self, why: StressEnd, words: str = "") -> None:
        self._pieces.decide(why, words)
        self._is_told_to_go.set()

    async def _follow(self) -> StressResult:
        """Until it ended by itself, was ended, or gave cause to be ended; leaves no process and no task behind."""
        watching = asyncio.create_task(self._watch())
        told_to_go = asyncio.create_task(self._is_told_to_go.wait())
        await asyncio.wait({self._hearing, told_to_go}, return_when=asyncio.FIRST_COMPLETED)
        has_left = not self._is_told_to_go.is_set() and await has_ended(self.process, self._patience.farewell_s)
        if not has_left:
            await self._send_away()
        for task in (watching, told_to_go):
            task.cancel()
        # What it wrote before it went is in the pipes; a pipe that stays open has another process at its end.
        await asyncio.wait({self._hearing, self._complaining}, timeout=1.0)
        tasks: list[asyncio.Task[Any]] = [watching, told_to_go, self._hearing, self._complaining]
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("the load's process could not be followed", exc_info=outcome)
        self._orders.close()
        with contextlib.suppress(ConnectionError):
            await self._orders.wait_closed()
        return self._judge()

    async def _send_away(self) -> None:
        """Ask it to go, kill it when it stays, and wait for it no longer than is sensible."""
        self._orders.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        if await has_ended(self.process, self._patience.asked_s):
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await has_ended(self.process, self._patience.burial_s)

    async def _hear(self, lines: asyncio.StreamReader) -> None:
        """Take its lines until there are no more, it says nonsense, or it said that it is at its end."""
        decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
        try:
            while (raw := await lines.readline()).endswith(b"\n"):  # else it died, maybe in the middle of a word
                line = decoder.decode(raw)
                self._take(line)
                if isinstance(line, Ended):
                    return
        # ValueError: a line without an end; RecursionError: one that is nested too deeply
        except (msgspec.MsgspecError, ValueError, RecursionError, NonsenseError):
            self.end(StressEnd.CRASHED, "The process that loads the card gave an answer without sense.")

    def _take(self, line: Line) -> None:
        self._silent_s = 0.0
        self._lines_lately += 1
        if self._lines_lately > self._patience.most_lines_a_s * self._patience.look_every_s:
            raise NonsenseError
        self._pieces.take(line)
        if isinstance(line, Progress) and not self._is_told_to_go.is_set():
            self._tell(StressProgress(line.phase, line.done_percent, line.words))

    async def _watch(self) -> None:
        """End it when it is silent for too long, or at work for much longer than was asked."""
        patience = self._patience
        while self._pieces.end is None:
            before_s = self._clock.elapsed_s()
            await self._clock.sleep(patience.look_every_s)
            # A computer that slept, or a loop that was held up, is not a card that hangs: that time does not count.
            passed_s = min(self._clock.elapsed_s() - before_s, 2 * patience.look_every_s)
            self._silent_s += passed_s
            self._passed_s += passed_s
            self._lines_lately = 0
            if self.process.returncode is not None and self._silent_s >= patience.farewell_s:
                self._hearing.cancel()  # it is dead, and another process holds its pipes open
                return
            if not self._pieces.is_open and self._passed_s >= patience.opening_s:
                words = f"The graphics driver has not opened the card within {patience.opening_s:g} seconds."
                self.end(StressEnd.HUNG, words)
            elif self._pieces.is_open and self._silent_s >= patience.silent_s:
                words = f"The card has not answered its driver for {patience.silent_s:g} seconds under load."
                self.end(StressEnd.HUNG, words)
            elif self._passed_s >= self._longest_s:
                self.end(StressEnd.CRASHED, "The load on the card did not end when its time was over.")

    async def _note(self, lines: asyncio.StreamReader) -> None:
        """Keep the last of what it complains of, bounded line by line."""
        while True:
            try:
                line = await lines.readline()
            except ValueError:  # longer than any sensible line: the reader has thrown it away
                continue
            if not line:
                return
            self._complaints.append(line.decode("utf-8", "replace").rstrip()[:_LONGEST_COMPLAINT])

    def _judge(self) -> StressResult:
        """Why it ended, whoever knew first; what it complained of goes into the log, not to the owner."""
        status = self.process.returncode
        if status is None:
            log.warning("the process %d that loaded a card cannot be ended", self.pid)
        if self._pieces.end is None:
            words = f"The process that loads the card died ({words_for_status(status)})."
            self._pieces.decide(StressEnd.CRASHED, words)
        result = self._pieces.result()
        if result.end in {StressEnd.CRASHED, StressEnd.HUNG, StressEnd.LOST}:
            log.warning("load: %s %s", result.end.value, result.words)
            for complaint in self._complaints:
                log.warning("load: %s", complaint)
        return result
