"""Whether it is time again. The sensor has no clock of its own: every instant is given."""

from __future__ import annotations

from datetime import datetime

# Readings come about once a second and never to the dot: what is due within half a one is due.
_SLACK_S = 0.5


def is_time_again(last: datetime | None, now: datetime, pause_s: float) -> bool:
    """Whether the pause since `last` is over; after the clock was set back nobody knows, so it is."""
    return last is None or not 0 <= (now - last).total_seconds() < pause_s - _SLACK_S
