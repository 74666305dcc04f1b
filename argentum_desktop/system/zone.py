"""The owner's time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal


def owners_zone(chosen: str) -> ZoneInfo:
    """The zone the owner named, else the computer's own, else UTC."""
    if chosen:
        return ZoneInfo(chosen)
    try:
        return ZoneInfo(tzlocal.get_localzone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
