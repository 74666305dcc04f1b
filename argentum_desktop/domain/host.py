"""The computer around the cards, as far as a decision needs it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HostState:
    """What the machine has and does now; None means that it cannot be read here."""

    cpu_count: int
    memory_total_bytes: int
    memory_available_bytes: int
    disk_free_bytes: int
    on_battery: bool | None = None
