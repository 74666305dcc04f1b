"""The sensor as the service sees it: asked, watched, killed when it hangs and started again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from argentum_desktop.clock import Clock
from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.reading import VALUES, XID_EVENTS, Absence, Reading
from argentum_desktop.errors import BadInputError, SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.back_off import BackOff
from argentum_desktop.gpus.sensor_child import SensorChild
from argentum_desktop.gpus.sensor_wire import Answer, Discover, GetPowerLimit, Load, Read, Request, SetPowerLimit
from argentum_desktop.system.child import words_for_status

log = logging.getLogger(__name__)

RESTARTING = "The application starts it again by itself; if this stays, restart the computer."

STOPPED = "The part that reads the cards stopped"

# What only a card that still answers can say: its error events come from the driver, and often announce its end.
_SAID_BY_THE_CARD = frozenset(VALUES) - {XID_EVENTS}


@dataclass(frozen=True)
class Patience:
    """How long the sensor is waited for, in seconds.

    Attributes:
        first_answer_s: for the list of cards; waking a driver takes seconds per card where nothing keeps it awake.
        first_back_off_s: the pause before the first restart; it doubles with every further one.
        healthy_after_s: running this long without a fault makes the next one count as the first again.
        fresh_after_s: a process lives at least this long before another takes its place to list the cards anew.
        longest_fresh_s: a card that stays silent is looked for ever less often, and at least this often.
    """

    answer_s: float = 3.0
    first_answer_s: float = 30.0
    farewell_s: float = 2.0
    first_back_off_s: float = 1.0
    longest_back_off_s: float = 60.0
    healthy_after_s: float = 60.0
    fresh_after_s: float = 5.0
    longest_fresh_s: float = 600.0


@dataclass(frozen=True)
class CardsFound:
    """Published whenever the cards were listed, also after a restart of the sensor."""

    reports: tuple[SourceReport, ...]


def sensor_command(
    simulated: int = 0,
    library: Path | None = None,
    scenario: Path | None = None,
    scenario_began_at: datetime | None = None,
) -> list[str]:
    """How the child is started, from source and from the frozen program.

    Args:
        scenario_began_at: lets a child that is started anew go on with the scenario instead of beginning it again.
    """
    frozen = bool(getattr(sys, "frozen", False))
    command = [sys.executable, "sensor"] if frozen else [sys.executable, "-m", "argentum_desktop.gpus.sensor"]
    command += ["--simulated", str(simulated)]
    if library is not None:
        command += ["--library", str(library.absolute())]
    if scenario is not None:
        command += ["--scenario", str(scenario.absolute())]
    if scenario_began_at is not None:
        command += ["--scenario-began-at", scenario_began_at.isoformat()]
    return command


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
        self._child: SensorChild | None = None
        self._ending: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._number = 0
        self._faults = BackOff(self._patience.first_back_off_s, self._patience.longest_back_off_s)
        self._silences = BackOff(self._patience.fresh_after_s, self._patience.longest_fresh_s)
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
            if self._child is not None and self._child.is_outdated:
                await self._end(self._child, self._patience.farewell_s)
            has_listed = self._child is not None and self._child.is_ready
            child = await self._living_child()
            if has_listed:  # a fresh one has just done so
                await self._list(child)
            return self._reports

    async def read(self, *, all_anew: bool = False) -> tuple[Reading, ...]:
        """One reading per card.

        Args:
            all_anew: also what changes slowly, and is else carried on from one reading to the next.

        Raises:
            SensorError: there is no answer; the process is started again after a pause.
        """
        async with self._turn:
            child = await self._living_child()
            answer = await self._exchange(
                child, lambda number: Read(number, self._clock.now(), all_anew), self._patience.answer_s
            )
            if self._wants_fresh_child(child, answer):
                await self._end(child, self._patience.farewell_s)
            return answer.readings

    def _wants_fresh_child(self, child: SensorChild, answer: Answer) -> bool:
        """Whether another process should list the cards anew: the next call starts it.

        A library that lost a card, or whose driver was replaced under its feet, never recovers in the same process.
        """
        child.is_outdated = answer.is_outdated
        is_silent = any(_is_silent(reading) for reading in answer.readings)
        now_s = self._clock.elapsed_s()
        age_s = now_s - child.started_s
        if not is_silent and age_s >= self._patience.healthy_after_s:
            self._silences.forget()
        if age_s < self._patience.fresh_after_s:
            return False
        if answer.is_outdated:
            log.info("cards or drivers came or went: the sensor is started anew")
            return True
        if is_silent and self._silences.is_over(now_s):
            pause_s = self._silences.note(now_s)
            log.info("a card answers nothing: the sensor is started anew, and not again for %g s", pause_s)
            return True
        return False

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

    async def power_limit_mw(self, gpu_id: str) -> int | None:
        """The power limit that is set on a card; None where it does not tell.

        Raises:
            SensorError: there is no answer.
        """
        async with self._turn:
            child = await self._living_child()
            answer = await self._exchange(child, lambda number: GetPowerLimit(number, gpu_id), self._patience.answer_s)
            return answer.power_limit_mw

    async def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        """Let a card draw no more than this. Nothing remembers it: whoever sets one sees to it that it is set back.

        Returns:
            Why it was not done, in words for the owner; nothing once it is in force.

        Raises:
            SensorError: there is no answer.
        """
        async with self._turn:
            child = await self._living_child()
            answer = await self._exchange(
                child, lambda number: SetPowerLimit(number, gpu_id, power_mw), self._patience.answer_s
            )
            return answer.refusal

    async def close(self) -> None:
        """End the process. Nothing is started after this."""
        self._is_closed = True
        async with self._turn:
            if self._ending is not None:
                await self._ending
            if self._child is not None:
                await self._end(self._child, self._patience.farewell_s)

    async def _living_child(self) -> SensorChild:
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

    async def _start_child(self) -> SensorChild:
        if self._ending is not None:  # whoever waited for this was cancelled
            await self._ending
        if not self._faults.is_over(self._clock.elapsed_s()):
            raise SensorError(self._last_fault, RESTARTING)
        try:
            return await SensorChild.start(self._command, self._clock.elapsed_s())
        except OSError as error:
            words = f"The part that reads the cards cannot be started ({error.strerror})."
            raise self._note_fault(words, self._clock.elapsed_s()) from error

    async def _list(self, child: SensorChild) -> None:
        answer = await self._exchange(child, Discover, self._patience.first_answer_s)
        self._reports = answer.reports
        self._bus.publish(CardsFound(answer.reports))

    async def _send_load(self, child: SensorChild, gpu_id: str) -> None:
        percent, memory_used_bytes = self._loads[gpu_id]
        answer = await self._exchange(
            child, lambda number: Load(number, gpu_id, percent, memory_used_bytes), self._patience.answer_s
        )
        if answer.refusal:
            raise BadInputError(answer.refusal)

    async def _exchange(self, child: SensorChild, ask: Callable[[int], Request], within_s: float) -> Answer:
        self._number += 1
        try:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes together with the answer.
            async with asyncio.timeout(within_s):
                answer = await child.exchange(ask(self._number))
        except TimeoutError as error:
            words = f"The graphics driver has not answered for {within_s:g} seconds."
            raise await self._give_up(child, words) from error
        except (EOFError, ConnectionError) as error:
            raise await self._give_up(child, STOPPED) from error
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # ValueError: a line without an end
            raise await self._give_up(child, "The part that reads the cards gave an answer without sense.") from error
        if self._clock.elapsed_s() - child.started_s >= self._patience.healthy_after_s:
            self._faults.forget()
        return answer

    async def _give_up(self, child: SensorChild, words: str) -> SensorError:
        """End a process that failed; the next may start after the back-off."""
        stopped = words == STOPPED
        await self._end(child, self._patience.farewell_s if stopped else 0.0)
        if stopped:
            words = f"{words} ({words_for_status(child.process.returncode)})."
        return self._note_fault(words, child.started_s)

    async def _end(self, child: SensorChild, farewell_s: float) -> None:
        """Forget the process and bury it; goes on to the end even when the caller is cancelled."""
        self._child = None
        self._ending = asyncio.create_task(child.end(farewell_s))
        await asyncio.shield(self._ending)
        self._ending = None

    def _note_fault(self, words: str, started_s: float) -> SensorError:
        now_s = self._clock.elapsed_s()
        if now_s - started_s >= self._patience.healthy_after_s:
            self._faults.forget()
        pause_s = self._faults.note(now_s)
        self._last_fault = words
        log.info("%s The sensor is started again in %g s.", words, pause_s)
        return SensorError(words, RESTARTING)


def _is_silent(reading: Reading) -> bool:
    """Whether a card says nothing and could: it is lost, or its driver answers only errors."""
    return reading.absent.keys() >= _SAID_BY_THE_CARD and set(reading.absent.values()) != {Absence.NOT_SUPPORTED}
