"""What every vendor's driver is asked, in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.reading import Reading


class GpuSource(Protocol):
    """One vendor's way to list and read its cards. Calls may block or even hang: only the sensor process makes them."""

    def discover(self) -> SourceReport:
        """List the cards, or say why there are none. Never raises."""
        ...

    def read(self, now: datetime, *, all_anew: bool = False) -> Sequence[Reading]:
        """One reading per card that `discover` found. A card that fails does not stop the others. Never raises.

        Args:
            all_anew: also what changes slowly, and is else carried on from one reading to the next.
        """
        ...

    def power_limit_mw(self, gpu_id: str) -> int | None:
        """The limit that is set on a card, in the driver's own terms; None where it does not tell. Never raises."""
        ...

    def set_power_limit(self, gpu_id: str, power_mw: int) -> str:
        """Let a card draw no more than this. Never raises.

        Returns:
            Why it was not done, in one sentence for the owner; nothing once it is in force.
        """
        ...

    def close(self) -> None:
        """Let the driver go."""
        ...
