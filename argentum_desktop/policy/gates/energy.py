"""Whether the electricity is the owner's kind: own sun, a clean grid."""

from __future__ import annotations

from argentum_desktop.domain.decision import Verdict
from argentum_desktop.policy.carbon import cleaner_than, only_on_solar
from argentum_desktop.policy.circumstances import Circumstances
from argentum_desktop.policy.gates.unknown import unknown

_ANY_SOURCE = Verdict("solar", True, "not only on solar power")
_ANY_GRID = Verdict("clean_grid", True, "not minded")


def on_solar_hours(at: Circumstances) -> Verdict:
    if not at.settings.prices.only_on_solar:
        return _ANY_SOURCE
    return only_on_solar(at.ready.tariff, at.zone, at.now)


def clean_enough(at: Circumstances) -> Verdict:
    most_g = at.settings.energy.cleaner_than_g_per_kwh
    if most_g == 0:
        return _ANY_GRID
    if at.grid is None:
        return unknown(
            at, "clean_grid", "how clean the grid is", "Name your country in energy.country to have it looked up."
        )
    return cleaner_than(most_g, at.grid, at.ready.tariff, at.zone, at.now)
