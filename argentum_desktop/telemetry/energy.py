"""How much energy the cards used: added up where a card does not count it, and for the cards of one job."""

from __future__ import annotations

from dataclasses import replace

from argentum_desktop.domain.reading import Absence, EnergySource, Reading
from argentum_desktop.telemetry.rollup import integrate_energy

_ENERGY = "energy_mj"


class MissingEnergy:
    """Gives the readings of a card that has no counter the energy since the application began, added up from its power.

    Such a reading says so in `energy_source`. A card that does not tell its power either stays without.
    """

    def __init__(self) -> None:
        self._meters: dict[str, EnergyMeter] = {}

    def complete(self, reading: Reading) -> Reading:
        """The reading, with its energy where that is missing because the card does not support it."""
        if reading.absent.get(_ENERGY) is not Absence.NOT_SUPPORTED:
            return reading
        meter = self._meters.get(reading.gpu_id)
        if meter is None:
            if reading.power_mw is None:
                return reading
            meter = self._meters[reading.gpu_id] = EnergyMeter()
        meter.add(reading)
        absent = {name: why for name, why in reading.absent.items() if name != _ENERGY}
        return replace(reading, energy_mj=meter.energy_mj, energy_source=EnergySource.INTEGRATED, absent=absent)


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
