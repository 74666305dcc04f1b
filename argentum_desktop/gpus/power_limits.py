"""Why a card's power limit cannot be changed, in the same words for every vendor. Pure."""

from __future__ import annotations

NO_SUCH_CARD = "There is no such card to set a power limit on."
NOT_HERE = "This card's driver does not let its power limit be changed."
NO_PERMISSION = "Only the system's administrator may change this card's power limit; this account may not."
ASLEEP = "The card is asleep, so that its power limit cannot be changed now."
NOT_ON_WINDOWS = "Windows has no way to change this card's power limit."


def out_of_range(power_mw: int, low_mw: int | None, high_mw: int | None) -> str:
    """Why this limit is none for the card; empty where it may be one. A bound of None is not known."""
    if power_mw <= 0:
        return "A power limit must be above zero."
    if (low_mw is None or power_mw >= low_mw) and (high_mw is None or power_mw <= high_mw):
        return ""
    if low_mw is None or high_mw is None:
        bound = f"at least {_watts(low_mw)}" if low_mw is not None else f"at most {_watts(high_mw or 0)}"
        return f"This card takes a power limit of {bound}, not {_watts(power_mw)}."
    return f"This card takes a power limit from {_watts(low_mw)} to {_watts(high_mw)}, not {_watts(power_mw)}."


def driver_refuses(why: str) -> str:
    return f"The card's driver refuses to change its power limit ({why})."


def _watts(power_mw: int) -> str:
    return f"{power_mw / 1000:g} W"
