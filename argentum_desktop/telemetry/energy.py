"""How much energy the cards of one job have used so far."""

from __future__ import annotations

from argentum_desktop.domain.reading import Reading
from argentum_desktop.telemetry.rollup import integrate_energy


class EnergyMeter:
    """Adds up millijoules over the readings of one or several cards, as they come."""

    def __init__(self) -> None:
        self.energy_mj = 0
        self._last: dict[str, Reading] = {}

    def start_from(self, energy_mj: int) -> None:
        """Go on from an earlier figure."""
        self.energy_mj = energy_mj

    def add(self, reading: Reading) -> None:
        """Count from the card's previous reading to this one; a gap that cannot be known counts for nothing."""
        previous = self._last.get(reading.gpu_id)
        self._last[reading.gpu_id] = reading
        used = integrate_energy((previous, reading)) if previous is not None else None
        if used is not None:
            self.energy_mj += used.energy_mj
