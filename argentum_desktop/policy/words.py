"""Times and amounts as the owner says them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

# Not strftime's %A: that speaks the language of the process's locale, which the window sets and a service does not.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def clock_time(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`22:00`, `tomorrow 08:00`, `Friday 22:00` or `2026-12-24 08:00`, whichever is short and certain."""
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    time = f"{local:%H:%M}"
    if local.date() == today:
        return time
    if local.date() == today + timedelta(days=1):
        return f"tomorrow {time}"
    if today < local.date() < today + timedelta(days=7):
        return f"{_DAYS[local.weekday()]} {time}"
    return f"{local:%Y-%m-%d} {time}"


def past_day(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`today`, `yesterday` or `2026-02-24`."""
    day, today = instant.astimezone(zone).date(), now.astimezone(zone).date()
    if day == today:
        return "today"
    return "yesterday" if day == today - timedelta(days=1) else f"{day:%Y-%m-%d}"


def energy(energy_mj: int) -> str:
    """Millijoules as `0.3 Wh` or `1.21 kWh` (1 Wh is 3600 J)."""
    wh = energy_mj / 3_600_000
    return f"{wh:.1f} Wh" if wh < 100 else f"{wh / 1000:.2f} kWh"


def carbon(carbon_mg: int) -> str:
    """Milligrams as `4.1 g CO₂e` or `1.21 kg CO₂e`."""
    grams = carbon_mg / 1000
    return f"{grams:.1f} g CO₂e" if grams < 1000 else f"{grams / 1000:.2f} kg CO₂e"


def span(seconds: float) -> str:
    """`45 s`, `12 min` or `3 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.0f} h"
