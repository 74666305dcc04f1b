"""What befalls a simulated card and when. Pure: everything follows from how long the scenario has been running.

So a sensor that was started anew goes on where the one before it stopped: error counts neither fall nor begin again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class MishapKind(StrEnum):
    """What can go wrong. The words are those of a scenario file."""

    OVERHEATING = "overheating"
    DYING_FAN = "dying_fan"
    ECC_STORM = "ecc_storm"
    XID = "xid"
    PCIE_REPLAYS = "pcie_replays"
    PCIE_FALLS = "pcie_falls"
    POWER_BRAKE = "power_brake"
    LOST = "lost"
    BAD_VALUE = "bad_value"
    HANG = "hang"

    @property
    def is_instant(self) -> bool:
        """It happens at a moment and has no duration."""
        return self in {MishapKind.XID, MishapKind.HANG}


@dataclass(frozen=True)
class Span:
    """When: from `at_s` until `until_s` (None: for ever) after the start, and again every `every_s` seconds."""

    at_s: float
    until_s: float | None = None
    every_s: float | None = None

    def is_on(self, elapsed_s: float) -> bool:
        since_s = self._since(elapsed_s)
        return since_s >= 0 and (self.until_s is None or since_s < self.until_s - self.at_s)

    def total_s(self, elapsed_s: float) -> float:
        """For how long it has been on so far, all its times together."""
        if elapsed_s <= self.at_s:
            return 0.0
        each_s = math.inf if self.until_s is None else self.until_s - self.at_s
        whole = 0 if self.every_s is None else math.floor((elapsed_s - self.at_s) / self.every_s)
        return (each_s * whole if whole else 0.0) + min(self._since(elapsed_s), each_s)

    def begun(self, elapsed_s: float) -> int:
        """How many times it has begun so far."""
        if elapsed_s < self.at_s:
            return 0
        return 1 if self.every_s is None else 1 + math.floor((elapsed_s - self.at_s) / self.every_s)

    def _since(self, elapsed_s: float) -> float:
        """Since its last beginning; negative before the first."""
        since_s = elapsed_s - self.at_s
        return since_s if self.every_s is None or since_s < 0 else since_s % self.every_s


@dataclass(frozen=True)
class Mishap:
    """One thing that befalls a card.

    Attributes:
        figures: by the names that a scenario file gives them.
        metric: which value a `BAD_VALUE` concerns.
    """

    kind: MishapKind
    span: Span
    figures: Mapping[str, float] = field(default_factory=dict)
    metric: str = ""


@dataclass(frozen=True)
class MemoryErrors:
    """What a card has counted since the scenario began."""

    corrected: int = 0
    uncorrected: int = 0
    mended_corrected: int = 0
    mended_uncorrected: int = 0
    is_pending: bool = False
    has_failed: bool = False


class Mishaps:
    """All that befalls one card."""

    def __init__(self, mishaps: Iterable[Mishap] = ()) -> None:
        self._all = tuple(mishaps)

    def now(self, kind: MishapKind, elapsed_s: float) -> Sequence[Mishap]:
        """Those of this kind that go on at this moment."""
        return [mishap for mishap in self._all if mishap.kind is kind and mishap.span.is_on(elapsed_s)]

    def began(self, kind: MishapKind, after_s: float, until_s: float) -> list[Mishap]:
        """Those of this kind that began after one moment and until another, as often as they did."""
        return [
            mishap
            for mishap in self._all
            if mishap.kind is kind
            for _ in range(min(20, mishap.span.begun(until_s) - mishap.span.begun(after_s)))
        ]

    def worst(self, kind: MishapKind, figure: str, elapsed_s: float, otherwise: float) -> float:
        """The lowest figure of those that go on."""
        return min((mishap.figures[figure] for mishap in self.now(kind, elapsed_s)), default=otherwise)

    def counted(self, kind: MishapKind, figure: str, elapsed_s: float) -> int:
        """How much came together at so much a minute."""
        return math.floor(
            sum(
                mishap.figures[figure] / 60 * mishap.span.total_s(elapsed_s)
                for mishap in self._all
                if mishap.kind is kind
            )
        )

    def memory_errors(self, elapsed_s: float) -> MemoryErrors:
        """A row or page is mended for so many corrected errors and for each uncorrected one, while spares last."""
        storms = [mishap for mishap in self._all if mishap.kind is MishapKind.ECC_STORM]
        if not storms:
            return MemoryErrors()
        corrected = self.counted(MishapKind.ECC_STORM, "corrected_per_minute", elapsed_s)
        uncorrected = self.counted(MishapKind.ECC_STORM, "uncorrected_per_minute", elapsed_s)
        spares = round(min(storm.figures["spares"] for storm in storms))
        mended_corrected = corrected // round(min(storm.figures["mends_after"] for storm in storms))
        return MemoryErrors(
            corrected,
            uncorrected,
            mended_corrected=min(mended_corrected, spares),
            mended_uncorrected=min(uncorrected, spares),
            is_pending=uncorrected > 0,
            has_failed=max(mended_corrected, uncorrected) > spares,
        )
