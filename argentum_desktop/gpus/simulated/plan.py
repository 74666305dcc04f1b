"""Which simulated cards there are and what lies before them."""

from __future__ import annotations

from dataclasses import dataclass

from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.gpus.simulated.builds import Build
from argentum_desktop.gpus.simulated.mishaps import Mishap

AMBIENT_C = 24.0
# After a longer pause a card has long come to rest: nothing is gained by computing it second by second.
LONGEST_PLAYED_S = 900.0


@dataclass(frozen=True)
class Load:
    """How busy a card is, from `at_s` after the start on."""

    at_s: float
    percent: int
    memory_bytes: int = 0


@dataclass(frozen=True)
class CardPlan:
    """One card of a scenario.

    Attributes:
        load: in the order of time; what a job makes of the card comes on top.
        problem: for a card that cannot work, why; likewise `remedy`.
    """

    build: Build
    ambient_c: float = AMBIENT_C
    state: GpuState = GpuState.READY
    problem: str = ""
    remedy: str = ""
    load: tuple[Load, ...] = ()
    mishaps: tuple[Mishap, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Cards and what befalls them.

    Attributes:
        begins_at_s: how much of it lies behind the cards when they are first read.
    """

    plans: tuple[CardPlan, ...] = ()
    begins_at_s: float = 0.0
