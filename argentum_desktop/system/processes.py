"""Other processes of this computer, read through psutil."""

from __future__ import annotations

import psutil


def process_name(pid: int) -> str | None:
    """What a process calls itself; None where it has ended or hides it."""
    try:
        return str(psutil.Process(pid).name()) or None
    except (psutil.Error, ValueError, OverflowError):
        return None
