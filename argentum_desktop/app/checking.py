"""A health check from a terminal: asked of the running application, or of one that is started for it alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from argentum_desktop.agent.control import call
from argentum_desktop.agent.status import CheckupEnded, CheckupView, Status
from argentum_desktop.app.core import Core
from argentum_desktop.domain.gpu import Gpu, GpuState
from argentum_desktop.domain.health import CheckMode
from argentum_desktop.errors import ArgentumError, BadInputError, CheckRefusedError, NoCardError, NotRunningError
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings

T = TypeVar("T")

ASK_EVERY_S = 0.25
CARDS_WITHIN_S = 40.0


class Desk:
    """The health desk of the application that runs in a home folder, over its control port."""

    def __init__(self, control_file: Path) -> None:
        self._file = control_file

    def cards(self) -> tuple[Gpu, ...]:
        """The cards that can be checked, once the drivers have answered.

        Raises:
            NoCardError: there is none, and why.
            NotRunningError: no application answers.
        """
        began_s = time.monotonic()
        while True:
            status = self._status()
            ready = [card for card in status.cards if card.gpu.state is GpuState.READY]
            if ready and all(card.reading is not None for card in ready):
                return tuple(card.gpu for card in ready)
            problem = next((notice for notice in status.notices if notice.code in {"no-card", "sensor"}), None)
            if problem is not None and not ready:
                raise NoCardError(problem.message, problem.remedy)
            if time.monotonic() - began_s > CARDS_WITHIN_S:
                raise NoCardError("The graphics driver does not answer.", "Try again, or restart the computer.")
            time.sleep(ASK_EVERY_S)

    def check(
        self, gpu: Gpu, mode: CheckMode, show: Callable[[CheckupView], None], against: Path | None = None
    ) -> CheckupEnded:
        """Check a card and wait for the end. Ctrl+C takes the load off the card.

        Args:
            against: the file of a passport that is said to be this card's; the comparison is written into its own.

        Raises:
            CheckRefusedError: not now, and why.
        """
        try:
            named = str(against.absolute()) if against else None
            call(self._file, "check", gpu_id=gpu.gpu_id, mode=mode.value, against=named)
        except NotRunningError:
            raise
        except ArgentumError as error:
            raise CheckRefusedError(error.message, error.remedy) from error
        try:
            return self._followed(gpu, show)
        except BaseException:
            self._cancel(gpu)
            raise

    def note_repair(self, gpu: Gpu, words: str) -> None:
        """Write down what was done to a card."""
        call(self._file, "repair", gpu_id=gpu.gpu_id, words=words)

    def _followed(self, gpu: Gpu, show: Callable[[CheckupView], None]) -> CheckupEnded:
        while True:
            answer = call(self._file, "check_progress", gpu_id=gpu.gpu_id)
            if answer["ended"] is not None:
                return _of(answer["ended"], CheckupEnded)
            if answer["view"] is not None:
                show(_of(answer["view"], CheckupView))
            time.sleep(ASK_EVERY_S)

    def _cancel(self, gpu: Gpu) -> None:
        try:
            call(self._file, "check_cancel", gpu_id=gpu.gpu_id)
        except ArgentumError:
            return  # it has ended, and the load with it

    def _status(self) -> Status:
        return _of(call(self._file, "status"), Status)


def chosen(cards: Sequence[Gpu], wanted: str | None) -> tuple[Gpu, ...]:
    """The cards that were meant: by id, by the beginning of one, or by a part of the name; all where none is named.

    Raises:
        BadInputError: none is, or more than one.
    """
    if wanted is None:
        return tuple(cards)
    exact = [gpu for gpu in cards if gpu.gpu_id == wanted]
    close = [gpu for gpu in cards if gpu.gpu_id.startswith(wanted) or wanted.lower() in gpu.name.lower()]
    found = exact or close
    if len(found) == 1:
        return (found[0],)
    names = ", ".join(f"{gpu.gpu_id} ({gpu.name})" for gpu in cards)
    problem = "no card" if not found else "more than one card"
    raise BadInputError(f"{wanted[:80]!r} means {problem} of this computer.", f"Name one of: {names}.")


def the_one(cards: Sequence[Gpu]) -> Gpu:
    """The only one.

    Raises:
        BadInputError: there are more.
    """
    if len(cards) == 1:
        return cards[0]
    names = ", ".join(f"{gpu.gpu_id} ({gpu.name})" for gpu in cards)
    raise BadInputError("This computer has more than one card.", f"Say --gpu with one of: {names}.")


def at_desk(home: Home, settings: Settings, work: Callable[[Desk], T]) -> T:
    """Do something at the health desk of the running application; where none runs, one is started that takes no jobs.

    Raises:
        ArgentumError: it cannot be done, and why.
    """
    desk = Desk(home.control_file)
    try:
        call(home.control_file, "status")
    except NotRunningError:
        return asyncio.run(_at_own_desk(home, settings, desk, work))
    return work(desk)


async def _at_own_desk(home: Home, settings: Settings, desk: Desk, work: Callable[[Desk], T]) -> T:
    core = Core(home, settings, takes_work=False)
    await core.open()
    try:
        return await asyncio.to_thread(work, desk)
    finally:
        await core.close()


def _of(value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.MsgspecError as error:
        raise NotRunningError(
            "The running application is of another version than this command.", "Restart the application."
        ) from error
