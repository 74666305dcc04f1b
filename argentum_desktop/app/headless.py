"""The agent as the whole process: for rigs without a screen, and for services."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from argentum_desktop.agent.service import QuitRequested
from argentum_desktop.agent.status import Status, StatusChanged
from argentum_desktop.app.core import Core
from argentum_desktop.app.ending import on_ending
from argentum_desktop.errors import ArgentumError
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.terminal import write_line


async def run_agent(home: Home, settings: Settings) -> int:
    """Work until a signal or `argentum-desktop quit` ends it, saying what happens."""
    core, over = Core(home, settings), asyncio.Event()
    on_ending(over)
    await core.open()
    try:
        teller = Teller(core)
        core.service.events.subscribe(QuitRequested, lambda _: over.set())
        teller.tell(core.agent.status())
        await over.wait()
        say("Ending; running jobs are given back.")
    finally:
        await core.close()
    return 0


class Teller:
    """Prints each new sentence once, with the time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last = ""
        core.service.events.subscribe(StatusChanged, lambda event: self.tell(event.status))

    def tell(self, status: Status) -> None:
        if status.sentence != self._last:
            self._last = status.sentence
            local = status.taken_at.astimezone(self._core.agent.bench.zone)
            say(f"{local:%H:%M:%S}  {status.sentence}")


def say(text: str) -> None:
    """One line on the terminal, at once. That nobody can read it any more is no reason to stop working."""
    with suppress(BrokenPipeError, ArgentumError):
        write_line(text)
