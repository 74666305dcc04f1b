"""Starting a part of this program as a process that is spoken to by pipes, and saying how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

# The folder that holds the package: the child must find it wherever the application was started from.
_PACKAGE_PARENT = Path(__file__).resolve().parents[2]

_NICER_BY = 10


async def start_child(
    command: Sequence[str], longest_line_bytes: int, *, is_in_background: bool = False
) -> asyncio.subprocess.Process:
    """Start it with a pipe for each of its three streams and nothing else of ours.

    Args:
        is_in_background: everything else on this computer comes before it.

    Raises:
        OSError: it cannot be started.
    """
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    if is_in_background:
        flags |= getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_PACKAGE_PARENT if _PACKAGE_PARENT.is_dir() else None,
        limit=longest_line_bytes,
        creationflags=flags,
    )
    if is_in_background and os.name == "posix":
        with contextlib.suppress(OSError):  # it has ended already: whoever reads from it will notice
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICER_BY)
    return process


async def has_ended(process: asyncio.subprocess.Process, within_s: float) -> bool:
    """Wait for its end, no longer than this."""
    if process.returncode is not None:  # asyncio's `wait` would also wait for whoever has inherited the pipes
        return True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await process.wait()
    return process.returncode is not None


def words_for_status(status: int | None) -> str:
    if status is None:
        return "it does not end"
    if status >= 0:
        return f"exit status {status}"
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(-status).name}"
    return f"ended by signal {-status}"
