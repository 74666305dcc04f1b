"""When the process is to end."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress


def on_ending(over: asyncio.Event) -> None:
    """Set `over` when the system or the owner at the keyboard asks the process to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no signals on its loop; there Ctrl+C ends `asyncio.run`, which closes everything too.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, over.set)
