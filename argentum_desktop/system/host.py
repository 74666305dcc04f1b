"""The computer's own state, read through psutil."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from argentum_desktop.domain.host import HostState


def read_host(folder: Path) -> HostState:
    """The state now; disk is the one that holds `folder`. What cannot be read is None, never a guess."""
    memory = psutil.virtual_memory()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return HostState(
        cpu_count=os.cpu_count() or 1,
        memory_total_bytes=memory.total,
        memory_available_bytes=memory.available,
        disk_free_bytes=psutil.disk_usage(str(folder)).free,
        on_battery=None if battery is None or battery.power_plugged is None else not battery.power_plugged,
    )
