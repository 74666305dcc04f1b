"""How long the history is kept, and how fast it may be forgotten.

One second for two days, one minute for ninety, hours and days for ever. Nothing is forgotten that is in no summary yet,
and never more than twice of what came new: a clock that is wrong for an hour costs two hours of the oldest seconds, and
not all of them.
"""

from __future__ import annotations

from sqlite3 import Connection

from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.telemetry.rollup import DAY_S, HOUR_S

SECONDS_KEPT_S = 48 * HOUR_S
MINUTES_KEPT_S = 90 * DAY_S
FORGOTTEN_PER_NEW = 2
# Seldom enough that it writes next to nothing.
FORGET_EVERY_S = 600


def forget_seconds(connection: Connection, now_s: int, added: int) -> int:
    """Drop whole hours of old seconds, by as many minutes as `added` allows; returns how many minutes went."""
    before_s = (now_s - SECONDS_KEPT_S) // HOUR_S * HOUR_S
    return rows.forget(connection, Level.SECONDS, before_s, FORGOTTEN_PER_NEW * added)


def forget_minutes(connection: Connection, now_s: int, added: int) -> int:
    """Drop old summaries of a minute, by as many hours as `added` allows; returns how many hours went."""
    return rows.forget(connection, Level.MINUTES, now_s - MINUTES_KEPT_S, FORGOTTEN_PER_NEW * added)
