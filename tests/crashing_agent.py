"""The agent, killed by itself with SIGKILL at the n-th boundary of a job: `crashing_agent.py HOME N`.

A boundary is the moment before and the moment after each thing a job does outside the program's memory: a write to
its database, a call to the engine, a call to the market. The boundaries passed are written to HOME/boundaries.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from argentum_desktop.app.core import Core
from argentum_desktop.paths import Home
from argentum_desktop.settings import file as settings_file

ENGINE = ("load_image", "create", "start", "wait", "stop", "remove", "remove_image")
MARKET = ("accept", "download", "start", "append_log", "upload", "complete", "lease")


class Countdown:
    """Counts boundaries from the moment the first offer is taken, and ends the process at one of them."""

    def __init__(self, home: Home, at: int) -> None:
        self._file = (home.root / "boundaries").open("a", buffering=1)
        self._left = at
        self.is_armed = False

    def step(self, what: str) -> None:
        if not self.is_armed:
            return
        self._file.write(f"{what}\n")
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def surround(self, thing: Any, name: str) -> None:
        act: Callable[..., Awaitable[Any]] = getattr(thing, name)

        async def acted(*args: Any, **kwargs: Any) -> Any:
            self.step(f"before {name}")
            result = await act(*args, **kwargs)
            self.step(f"after {name}")
            return result

        setattr(thing, name, acted)


async def main(home: Home, at: int) -> None:
    core = Core(home, settings_file.load(home.settings_file))
    await core.open()
    countdown = Countdown(home, at)
    bench = core.agent.bench
    while bench.engine is None:
        await asyncio.sleep(0.02)
    for name in ENGINE:
        countdown.surround(bench.engine, name)
    market = await core.agent.market("local")
    for name in MARKET:
        countdown.surround(market, name)
    for name in ("open", "move", "note"):
        countdown.surround(bench.book, name)
    open_lease = bench.book.open

    async def arm(*args: Any, **kwargs: Any) -> Any:
        countdown.is_armed = True
        return await open_lease(*args, **kwargs)

    bench.book.open = arm  # type: ignore[method-assign]
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await core.close()


if __name__ == "__main__":
    asyncio.run(main(Home(Path(sys.argv[1])), int(sys.argv[2])))
