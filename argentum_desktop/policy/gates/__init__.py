"""Whether a card may work at all now, whatever the job. Each rule is one function with one word to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from argentum_desktop.domain.decision import Verdict
from argentum_desktop.policy.circumstances import Circumstances, Pause
from argentum_desktop.policy.gates.card import (
    card_present,
    card_sound,
    card_usable,
    cool_enough,
    not_being_checked,
    not_used_otherwise,
)
from argentum_desktop.policy.gates.energy import clean_enough, on_solar_hours
from argentum_desktop.policy.gates.machine import (
    GIB,
    cpu_not_busy,
    disk_free,
    disk_not_busy,
    engine_ready,
    memory_free,
    on_mains,
)
from argentum_desktop.policy.gates.owner import card_offered, in_window, not_paused
from argentum_desktop.policy.gates.presence import (
    awake,
    left_alone,
    no_chosen_program,
    no_full_screen,
    not_metered,
    not_presenting,
    not_remote,
)

__all__ = ["GATES", "GIB", "Circumstances", "Effect", "Gate", "Pause", "not_being_checked"]


class Effect(StrEnum):
    """What a closed gate does to a job that runs. None is taken in any case."""

    HOLD = "hold"
    """Nothing: what it looks at was settled when the job began, or is no reason to take it from somebody."""
    FREEZE = "freeze"
    """It is frozen at once; when the reason stays, it is ended with notice."""
    END = "end"
    """It is ended with notice."""


@dataclass(frozen=True)
class Gate:
    """One rule.

    Attributes:
        rule: the name its verdicts bear.
        sees_only_computer: it looks at the computer, its owner's activity and choices, and at no card; the time it
            looks at for a no alone.
    """

    rule: str
    ask: Callable[[Circumstances], Verdict]
    effect: Effect
    sees_only_computer: bool = False


# In the order in which they are told to the owner: his own choices first, then what he does, then the machine's state.
GATES = (
    Gate("pause", not_paused, Effect.FREEZE),
    Gate("offered", card_offered, Effect.HOLD),
    Gate("driver", card_usable, Effect.HOLD),
    Gate("checkup", not_being_checked, Effect.HOLD),
    Gate("window", in_window, Effect.END),
    Gate("solar", on_solar_hours, Effect.END),
    Gate("clean_grid", clean_enough, Effect.END),
    Gate("sleep", awake, Effect.FREEZE, sees_only_computer=True),
    Gate("full_screen", no_full_screen, Effect.FREEZE, sees_only_computer=True),
    Gate("programs", no_chosen_program, Effect.FREEZE, sees_only_computer=True),
    Gate("presentation", not_presenting, Effect.FREEZE, sees_only_computer=True),
    Gate("idle", left_alone, Effect.FREEZE, sees_only_computer=True),
    Gate("remote", not_remote, Effect.FREEZE, sees_only_computer=True),
    Gate("engine", engine_ready, Effect.HOLD),
    Gate("card", card_present, Effect.HOLD),
    Gate("health", card_sound, Effect.HOLD),
    Gate("temperature", cool_enough, Effect.FREEZE),
    Gate("other_use", not_used_otherwise, Effect.FREEZE),
    Gate("battery", on_mains, Effect.FREEZE, sees_only_computer=True),
    Gate("memory_free", memory_free, Effect.FREEZE, sees_only_computer=True),
    Gate("cpu_busy", cpu_not_busy, Effect.FREEZE, sees_only_computer=True),
    Gate("disk_busy", disk_not_busy, Effect.FREEZE, sees_only_computer=True),
    Gate("metered", not_metered, Effect.HOLD, sees_only_computer=True),
    Gate("disk", disk_free, Effect.HOLD, sees_only_computer=True),
)
