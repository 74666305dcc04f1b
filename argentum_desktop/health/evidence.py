"""Everything that a check may look at. Gathered first, judged afterwards, so that every check is a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.health import CheckMode, Stage
from argentum_desktop.domain.reading import Reading
from argentum_desktop.domain.stress import StressResult
from argentum_desktop.health.reference import ReferenceCard


@dataclass(frozen=True)
class StagedReading:
    """One reading and what was being done to the card when it was taken.

    Attributes:
        at_s: since the check began.
    """

    at_s: float
    stage: Stage
    reading: Reading


@dataclass(frozen=True)
class PastError:
    """An error of the card that was recorded before this check: NVIDIA's Xid."""

    at: datetime
    xid: int


@dataclass(frozen=True)
class Evidence:
    """What is known at the end of a check.

    Attributes:
        readings: four a second under load, oldest first; they begin before the load and end after it.
        stress: None for a passive check.
        reference: the row of the reference table that fits the card; None where the table has none.
        candidates: all rows that fit its name or its ids, as when the memory decides between two models.
        past_errors: of the last thirty days, this check's own left out.
        is_confirmed: whether the driver's list of processes showed the load on this card; None where it has no list.
    """

    gpu: Gpu
    mode: CheckMode
    started_at: datetime
    readings: tuple[StagedReading, ...]
    stress: StressResult | None = None
    reference: ReferenceCard | None = None
    candidates: tuple[ReferenceCard, ...] = ()
    past_errors: tuple[PastError, ...] = ()
    is_confirmed: bool | None = None

    def during(self, *stages: Stage) -> tuple[Reading, ...]:
        """The readings taken in these stages."""
        return tuple(staged.reading for staged in self.readings if staged.stage in stages)

    @property
    def under_load(self) -> tuple[Reading, ...]:
        return tuple(staged.reading for staged in self.readings if staged.stage.is_load)
