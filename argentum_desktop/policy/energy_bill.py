"""What the energy of a finished job cost and what was emitted for it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from argentum_desktop.domain.energy import EnergyBill, GridCarbon
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.tariff import Tariff
from argentum_desktop.policy.carbon import carbon_mg, carbon_words
from argentum_desktop.policy.electricity import energy_cost_between, spread_words


def energy_bill(lease: Lease, tariff: Tariff, zone: ZoneInfo, grid: GridCarbon | None) -> EnergyBill:
    """At the tariff in force from its start to its end, over which its energy is taken as spread evenly.

    A job that never ran has taken nothing.
    """
    start = lease.started_at or lease.accepted_at
    end = lease.ended_at or start
    energy_mj = lease.usage.energy_mj
    words = spread_words(tariff, zone, start, end)
    carbon = None
    if grid is not None:
        carbon = carbon_mg(grid, tariff, zone, energy_mj, start, end)
        words = f"{words} {carbon_words(grid, tariff, zone, start, end)}"
    return EnergyBill(energy_mj, energy_cost_between(tariff, zone, energy_mj, start, end), carbon, words)
