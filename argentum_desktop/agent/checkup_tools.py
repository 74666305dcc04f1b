"""What health checks are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argentum_desktop.domain.health import CheckMode
from argentum_desktop.health.examination import CheckPlan
from argentum_desktop.health.reference import ReferenceTable
from argentum_desktop.health.stress.protocol import StressTest
from argentum_desktop.telemetry.history import CardEvent


class Hurry(Protocol):
    """Who can have the cards read more often: the sampler."""

    def hurry(self) -> AbstractContextManager[None]: ...


class PastEvents(Protocol):
    """Who remembers the errors of the cards: the history."""

    async def events(self, gpu_id: str, start: datetime, end: datetime) -> Sequence[CardEvent]: ...


@dataclass(frozen=True)
class CheckTools:
    """What checks are made with.

    Attributes:
        plans: how long each kind of check takes.
    """

    stress: StressTest
    reference: ReferenceTable
    operating_system: str
    plans: Mapping[CheckMode, CheckPlan]
