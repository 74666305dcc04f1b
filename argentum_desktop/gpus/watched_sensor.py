"""The sensor as the service sees it: asked, watched, killed when it hangs and started again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from argentum_desktop.clock import Clock
from argentum_desktop.domain.gpu import METRICS, Absence, Reading, SourceReport
from argentum_desktop.errors import BadInputError, SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.sensor_wire import LONGEST_LINE_BYTES, Answer, Discover, Load, Read, Request

log = logging.getLogger(__name__)

RESTARTING = "The application starts it again by itself; if this stays, restart the computer."

STOPPED = "The part that reads the cards stopped"

# The folder that holds the package: the child must find it wherever the application was started from.
_PACKAGE_PARENT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Patience:
    """How long the sensor is waited for, in seconds.

    Attributes:
        first_answer_s: for the list of cards; waking a driver takes seconds per card where nothing keeps it awake.
        first_back_off_s: the pause before the first restart; it doubles with every further one.
        healthy_after_s: running this long without a fault makes the next one count as the first again.
    """

    answer_s: float = 3.0
    first_answer_s: float = 30.0
    farewell_s: float = 2.0
    first_back_off_s: float = 1.0
    longest_back_off_s: float = 60.0
    healthy_after_s: float = 60.0


@dataclass(frozen=True)
class CardsFound:
    """Published whenever the cards were listed, also after a restart of the sensor."""

    reports: tuple[SourceReport, ...]


def sensor_command(simulated: int = 0, library: Path | None = None) -> list[str]:
    """How the child is started, from source and from the frozen program."""
    frozen = bool(getattr(sys, "frozen", False))
    command = [sys.executable, "sensor"] if frozen else [sys.executable, "-m", "argentum_desktop.gpus.sensor"]
    command += ["--simulated", str(simulated)]
    if library is not None:
        command += ["--library", str(library.absolute())]
    return command


class _Child:
    """One running sensor process and the task that copies what it complains of into the log."""

    def __init__(self, process: asyncio.subprocess.Process, started_s: float) -> None:
        self.process = process
        self.started_s = started_s
        self.is_ready = False  # it has listed its cards and knows the loads
        self.requests = cast("asyncio.StreamWriter", process.stdin)  # all three are pipes: see `start`
        self.answers = cast("asyncio.StreamReader", process.stdout)
        self._complaints = asyncio.create_task(_log_lines(cast("asyncio.StreamReader", process.stderr)))

    @classmethod
    async def start(cls, command: Sequence[str], now_s: float) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_PACKAGE_PARENT if _PACKAGE_PARENT.is_dir() else None,
            limit=LONGEST_LINE_BYTES,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        return cls(process, now_s)

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
        try:
            await asyncio.wait_for(self.process.wait(), farewell_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        # A process stuck inside the kernel cannot be killed by anybody: the loop's watcher buries it when it comes out.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), max(farewell_s, 1.0))
        await asyncio.wait([self._complaints], timeout=1.0)
        self._complaints.cancel()
        with contextlib.suppress(ConnectionError):
            await self.requests.wait_closed()


class Sensor:
    """Asks the sensor process; at most one process lives at a time.

    Args:
        command: what to start, as `sensor_command` writes it.
        bus: told `CardsFound` after each listing.
    """

    def __init__(self, command: Sequence[str], clock: Clock, bus: EventBus, patience: Patience | None = None) -> None:
        self._command = tuple(command)
        self._clock = clock
        self._bus = bus
        self._patience = patience or Patience()
        self._child: _Child | None = None
        self._ending: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._number = 0
        self._faults = 0
        self._rest_until_s = float("-inf")
        self._last_fault = ""
        self._loads: dict[str, tuple[int, int]] = {}
        self._reports: tuple[SourceReport, ...] = ()
        self._is_closed = False

    @property
    def reports(self) -> tuple[SourceReport, ...]:
        """What the last listing said; empty before the first."""
        return self._reports

    @property
    def pid(self) -> int | None:
        """The process that answers now, for who measures it."""
        return self._child.process.pid if self._child else None

    async def start(self) -> None:
        """Start the process and list the cards.

        Raises:
            SensorError: it does not answer; later calls try again.
        """
        async with self._turn:
            await self._living_child()

    async def discover(self) -> tuple[SourceReport, ...]:
        """List the cards anew.

        Raises:
            SensorError: there is no answer; the process is started again after a pause.
        """
        async with self._turn:
            has_listed = self._child is not None and self._child.is_ready
            child = await self._living_child()
            if has_listed:  # a fresh one has just done so
                await self._list(child)
            return self._reports

    async def read(self) -> tuple[Reading, ...]:
        """One reading per card.

        Raises:
            SensorError: there is no answer; the process is started again after a pause.
        """
        async with self._turn:
            child = await self._living_child()
            answer = await self._exchange(
                child, lambda number: Read(number, self._clock.now()), self._patience.answer_s
            )
            if self._wants_fresh_child(child, answer.readings):
                log.info("a card answers nothing but errors: the sensor is started anew")
                await self._end(child, self._patience.farewell_s)
            return answer.readings

    def _wants_fresh_child(self, child: _Child, readings: Sequence[Reading]) -> bool:
        """Whether a card is gone for this process, which another may find again or explain better.

        A library that lost a card, or whose driver was replaced under its feet, never recovers in the same process.
        """
        if self._clock.elapsed_s() - child.started_s < self._patience.healthy_after_s:
            return False
        return any(
            reading.absent.keys() >= set(METRICS) and set(reading.absent.values()) != {Absence.NOT_SUPPORTED}
            for reading in readings
        )

    async def set_load(self, gpu_id: str, percent: int, memory_used_bytes: int) -> None:
        """Say how busy a simulated card is; remembered over restarts.

        Raises:
            BadInputError: there is no such simulated card.
        """
        async with self._turn:
            self._loads[gpu_id] = (percent, memory_used_bytes)
            try:
                child = await self._living_child()
                await self._send_load(child, gpu_id)
            except SensorError:
                log.info("the load of %s is told to the sensor once it runs again", gpu_id)
            except BadInputError:
                del self._loads[gpu_id]
                raise

    async def close(self) -> None:
        """End the process. Nothing is started after this."""
        self._is_closed = True
        async with self._turn:
            if self._ending is not None:
                await self._ending
            if self._child is not None:
                await self._end(self._child, self._patience.farewell_s)

    async def _living_child(self) -> _Child:
        """The process, started if need be and allowed; a fresh one has listed its cards and knows the loads."""
        if self._is_closed:
            raise SensorError("The cards are no longer read: the application is ending.")
        if self._child is None:
            self._child = await self._start_child()
        child = self._child
        if not child.is_ready:
            await self._list(child)
            for gpu_id in tuple(self._loads):
                with contextlib.suppress(BadInputError):
                    await self._send_load(child, gpu_id)
            child.is_ready = True
        return child

    async def _start_child(self) -> _Child:
        if self._ending is not None:  # whoever waited for this was cancelled
            await self._ending
        if self._clock.elapsed_s() < self._rest_until_s and self._last_fault:
            raise SensorError(self._last_fault, RESTARTING)
        try:
            return await _Child.start(self._command, self._clock.elapsed_s())
        except OSError as error:
            words = f"The part that reads the cards cannot be started ({error.strerror})."
            raise self._note_fault(words, self._clock.elapsed_s()) from error

    async def _list(self, child: _Child) -> None:
        answer = await self._exchange(child, Discover, self._patience.first_answer_s)
        self._reports = answer.reports
        self._bus.publish(CardsFound(answer.reports))

    async def _send_load(self, child: _Child, gpu_id: str) -> None:
        percent, memory_used_bytes = self._loads[gpu_id]
        answer = await self._exchange(
            child, lambda number: Load(number, gpu_id, percent, memory_used_bytes), self._patience.answer_s
        )
        if answer.refusal:
            raise BadInputError(answer.refusal)

    async def _exchange(self, child: _Child, ask: Callable[[int], Request], within_s: float) -> Answer:
        self._number += 1
        try:
            answer = await asyncio.wait_for(child.exchange(ask(self._number)), within_s)
        except TimeoutError as error:
            words = f"The graphics driver has not answered for {within_s:g} seconds."
            raise await self._give_up(child, words) from error
        except (EOFError, ConnectionError) as error:
            raise await self._give_up(child, STOPPED) from error
        except (msgspec.MsgspecError, ValueError) as error:  # ValueError: a line without an end
            raise await self._give_up(child, "The part that reads the cards gave an answer without sense.") from error
        if self._clock.elapsed_s() - child.started_s >= self._patience.healthy_after_s:
            self._faults = 0
        return answer

    async def _give_up(self, child: _Child, words: str) -> SensorError:
        """End a process that failed; the next may start after the back-off."""
        stopped = words == STOPPED
        await self._end(child, self._patience.farewell_s if stopped else 0.0)
        if stopped:
            words = f"{words} ({_words_for_status(child.process.returncode)})."
        return self._note_fault(words, child.started_s)

    async def _end(self, child: _Child, farewell_s: float) -> None:
        """Forget the process and bury it; goes on to the end even when the caller is cancelled."""
        self._child = None
        self._ending = asyncio.create_task(child.end(farewell_s))
        await asyncio.shield(self._ending)
        self._ending = None

    def _note_fault(self, words: str, started_s: float) -> SensorError:
        now_s = self._clock.elapsed_s()
        if now_s - started_s >= self._patience.healthy_after_s:
            self._faults = 0
        pause_s = min(self._patience.first_back_off_s * 2**self._faults, self._patience.longest_back_off_s)
        self._faults = min(self._faults + 1, 30)
        self._rest_until_s = now_s + pause_s
        self._last_fault = words
        log.info("%s The sensor is started again in %g s.", words, pause_s)
        return SensorError(words, RESTARTING)


def _words_for_status(status: int | None) -> str:
    if status is None:
        return "it does not end"
    if status >= 0:
        return f"exit status {status}"
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(-status).name}"
    return f"ended by signal {-status}"


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
