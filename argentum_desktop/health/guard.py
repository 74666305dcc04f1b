"""When a load must end before its time. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.stress import StressEnd

MARGIN_C = 2
# Where a card names no limit of its own. Below the slowdown of every card whose vendor publishes one (83 to 110 °C).
UNNAMED_LIMIT_C = 85
SHUTDOWN_MARGIN_C = 7
# Four readings a second are asked for; a load that nobody watches is not left on a card.
LONGEST_SILENCE_S = 4.0


@dataclass(frozen=True)
class Stop:
    """Why the load ends, and what to tell the owner."""

    end: StressEnd
    words: str


def load_limit_c(gpu: Gpu) -> int:
    """Where the load is taken off: 2 °C before the card would slow itself down."""
    if gpu.temperature_slowdown_c is not None:
        return gpu.temperature_slowdown_c - MARGIN_C
    if gpu.temperature_shutdown_c is not None:
        return gpu.temperature_shutdown_c - SHUTDOWN_MARGIN_C
    return UNNAMED_LIMIT_C


def must_stop(gpu: Gpu, reading: Reading, *, on_battery: bool) -> Stop | None:
    """Whether the load has to end now, after this reading."""
    if reading.is_lost:
        return Stop(StressEnd.LOST, "The card stopped answering its driver under load.")
    if on_battery:
        return Stop(StressEnd.CANCELLED, "The computer went on battery, so the load was taken off.")
    limit_c = load_limit_c(gpu)
    if reading.temperature_c is not None and reading.temperature_c >= limit_c:
        return Stop(
            StressEnd.TOO_HOT,
            f"The load was taken off at {reading.temperature_c} °C, {MARGIN_C} °C before the card slows itself down."
            if gpu.temperature_slowdown_c is not None
            else f"The load was taken off at {reading.temperature_c} °C.",
        )
    memory_limit_c, memory_c = gpu.temperature_memory_limit_c, reading.temperature_memory_c
    if memory_limit_c is not None and memory_c is not None and memory_c >= memory_limit_c - MARGIN_C:
        return Stop(StressEnd.TOO_HOT, f"The load was taken off because the card's memory reached {memory_c} °C.")
    return None


def is_unwatched(now_s: float, last_reading_s: float) -> Stop | None:
    """Whether the card has said nothing for too long."""
    if now_s - last_reading_s <= LONGEST_SILENCE_S:
        return None
    return Stop(
        StressEnd.UNWATCHED,
        f"The driver reported nothing for {LONGEST_SILENCE_S:g} seconds, so the load was taken off.",
    )
