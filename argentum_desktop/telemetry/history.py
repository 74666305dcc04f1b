"""What the cards did, from the last seconds to years ago.

A batch of readings is one transaction, and each hour of a card is summarised in one of its own once it is over: a batch
that comes twice, or a crash at any point, leaves neither a gap nor a double count. A clock that is set back writes over
what it had written for the same second. All times are UTC: a changed time zone changes nothing.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from sqlite3 import Connection

from argentum_desktop.clock import Clock
from argentum_desktop.domain.reading import METRIC_BY_NAME, METRICS, EnergySource, Reading
from argentum_desktop.domain.summary import Span
from argentum_desktop.events import EventBus
from argentum_desktop.store import migrations
from argentum_desktop.store import readings as rows
from argentum_desktop.store.chunks import Level
from argentum_desktop.store.database import Database
from argentum_desktop.store.readings import ENERGY_INTEGRATED, KEPT, Raw
from argentum_desktop.store.rescue import Rescue, Rescued
from argentum_desktop.store.salvage import salvage
from argentum_desktop.telemetry.picture import Point, Question, picture
from argentum_desktop.telemetry.retention import FORGET_EVERY_S, forget_seconds
from argentum_desktop.telemetry.rollup import MINUTE_S
from argentum_desktop.telemetry.summaries import begin, roll_up_next, spans

__all__ = ["CardEvent", "History", "HistoryRescued", "Point", "keep", "open_history"]

# Hours of one card, some ten milliseconds each, after each batch: a day of eight cards is caught up in three minutes.
ROLLED_UP_AT_ONCE = 64

_all_metrics = attrgetter(*(metric.name for metric in METRICS))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HistoryRescued:
    """Published when the file was damaged and what could be read of it is in a new one."""

    message: str
    remedy: str = ""


@dataclass(frozen=True)
class CardEvent:
    """An error number (XID) that a card's driver reported."""

    gpu_id: str
    at: datetime
    number: int


class History:
    """The readings on disk, and the last minute that is not there yet.

    Args:
        recent: the readings of one card still in memory, oldest first.
        bus: where a rescue is told of.
    """

    def __init__(
        self, database: Database, recent: Callable[[str], Sequence[Reading]], bus: EventBus | None = None
    ) -> None:
        self._database = database
        self._recent = recent
        self._bus = bus
        self._added = 0
        self._forgot_at_s: int | None = None

    async def append(self, readings: Sequence[Reading]) -> None:
        """Keep a batch, then go on with what is to be summarised and forgotten.

        Raises:
            StoreError: nothing of it was kept, or the rest could not be done; given again it does no harm.
        """
        if not readings:
            return
        self._added += await self._database.write(lambda connection: keep(connection, readings))
        # The last and not the highest: a clock that was wrong for a moment is not to be believed afterwards.
        now = readings[-1].taken_at
        await self.roll_up(now, ROLLED_UP_AT_ONCE)
        await self._forget(_second(now))
        self._tell_of_rescues()

    async def roll_up(self, now: datetime, most: int) -> int:
        """Summarise hours that are over, one card's hour after the other, at most so many; returns how many."""
        now_s = _second(now)
        for done in range(most):
            if not await self._database.write(lambda connection: roll_up_next(connection, now_s)):
                return done
        return most

    async def series(self, gpu_id: str, metric: str, start: datetime, end: datetime, points: int) -> list[Point]:
        """At most `points` points (of which there must be two), oldest first; none where nothing was recorded.

        Points lie on a grid that does not move with `start`, so that a picture drawn again each second stands still.
        """
        if metric not in METRIC_BY_NAME:
            raise ValueError(f"{metric!r} is no metric")
        first_s, last_s = _second(start), math.ceil(end.timestamp())
        seconds = {_second(reading.taken_at): getattr(reading, metric) for reading in self._recent(gpu_id)}
        recent = {at: value for at, value in seconds.items() if first_s <= at < last_s}
        question = Question(gpu_id, metric, first_s, last_s, recent)
        return await self._database.read(lambda connection: picture(connection, question, points))

    async def hours(self, gpu_id: str, start: datetime, end: datetime, metrics: Sequence[str]) -> dict[datetime, Span]:
        """What each clock hour from `start` to just before `end` comes to, oldest first, as far as it is on disk."""
        first_s, last_s = _second(start), math.ceil(end.timestamp())
        found = await self._database.read(lambda connection: _hours(connection, gpu_id, first_s, last_s, metrics))
        return {datetime.fromtimestamp(at, UTC): span for at, span in found.items()}

    async def begin(self, gpu_id: str) -> datetime | None:
        """When the card's history begins, to within an hour; None when it has none."""
        at = await self._database.read(lambda connection: _begin(connection, gpu_id))
        return None if at is None else datetime.fromtimestamp(at, UTC)

    async def events(self, gpu_id: str, start: datetime, end: datetime) -> list[CardEvent]:
        """The XID events of a card from `start` to just before `end`, oldest first; they are kept for ever."""
        found = await self._database.read(lambda connection: _xids(connection, gpu_id, start, end))
        recent = {
            (_microseconds(reading.taken_at), place): number
            for reading in self._recent(gpu_id)
            for place, number in enumerate(reading.xid_events)
            if start <= reading.taken_at < end
        }
        # One that is on disk already is the same: its time and place are its name.
        return [
            CardEvent(gpu_id, _EPOCH + at * _MICROSECOND, number)
            for (at, _), number in sorted((recent | found).items())
        ]

    async def close(self) -> None:
        """Close the database; no harm when it is closed already."""
        await self._database.close()

    def _tell_of_rescues(self) -> None:
        """With a batch, and not at the start: then somebody listens."""
        while self._database.rescued:
            event = HistoryRescued(_rescue_words(self._database.rescued.pop(0)))
            log.warning("%s", event.message)
            if self._bus is not None:
                self._bus.publish(event)

    async def _forget(self, now_s: int) -> None:
        if self._forgot_at_s is not None and 0 <= now_s - self._forgot_at_s < FORGET_EVERY_S:
            return
        added, self._added, self._forgot_at_s = self._added, 0, now_s
        await self._database.write(lambda connection: forget_seconds(connection, now_s, added))


async def open_history(path: Path, recent: Callable[[str], Sequence[Reading]], clock: Clock, bus: EventBus) -> History:
    """The history in this file, which is made where it is not there and rescued where it is damaged.

    Raises:
        StoreError: from a newer version, or not accessible; the file is as it was.
    """
    database = Database(path, migrations.TELEMETRY, durable=False, rescue=Rescue(clock.now, salvage))
    try:
        await database.open()
    except BaseException:
        await database.close()
        raise
    return History(database, recent, bus)


def keep(connection: Connection, readings: Sequence[Reading]) -> int:
    """Write a batch and make its hours due; of two for the same second the later given stands.

    Returns:
        How many minutes of a card are new.
    """
    minutes: dict[tuple[int, str], dict[int, Reading]] = {}
    readings = [reading for reading in readings if reading.taken_at >= _EPOCH]  # before 1970 no clock was right
    for reading in readings:
        at_s = _second(reading.taken_at)
        minutes.setdefault((at_s // MINUTE_S * MINUTE_S, reading.gpu_id), {})[at_s % MINUTE_S] = reading
    names = rows.name_all(connection, {gpu_id for _, gpu_id in minutes})
    added = 0
    for (start_s, gpu_id), found in sorted(minutes.items()):
        card = names.cards[gpu_id]
        added += rows.put_raw(connection, names, card, _raw(start_s, found))
        rows.mark_due(connection, card, start_s)
    for reading in readings:
        for place, number in enumerate(reading.xid_events):
            rows.add_xid(connection, names.cards[reading.gpu_id], _microseconds(reading.taken_at), place, number)
    return added


def _raw(start_s: int, readings: Mapping[int, Reading]) -> Raw:
    seconds = sorted(readings)
    in_order = [readings[second] for second in seconds]
    columns: dict[str, Sequence[int | None]] = dict(
        zip(KEPT, zip(*map(_all_metrics, in_order), strict=True), strict=False)
    )
    is_integrated = [reading.energy_source is EnergySource.INTEGRATED for reading in in_order]
    if any(is_integrated):
        columns[ENERGY_INTEGRATED] = [1 if so else None for so in is_integrated]
    return Raw(start_s, seconds, columns)


def _rescue_words(rescued: Rescued) -> str:
    found, kept_as = rescued.found, f"the old file is kept as {rescued.kept_as}."
    if found.first_s is None or found.last_s is None:
        return (
            f"The history of the cards was damaged and nothing of it could be read: a new one is begun, and {kept_as}"
        )
    first, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (found.first_s, found.last_s))
    cards = "1 card" if found.cards == 1 else f"{found.cards} cards"
    what = f"what could be read of it ({cards}, from {first} to {last} UTC) is in a new file"
    return f"The history of the cards was damaged: {what}, and {kept_as}"


def _xids(connection: Connection, gpu_id: str, start: datetime, end: datetime) -> dict[tuple[int, int], int]:
    card = rows.read_names(connection).cards.get(gpu_id)
    if card is None:
        return {}
    return rows.xids(connection, card, _microseconds(start), _microseconds(end))


def _hours(connection: Connection, gpu_id: str, first_s: int, last_s: int, metrics: Sequence[str]) -> dict[int, Span]:
    names = rows.read_names(connection)
    card = names.cards.get(gpu_id)
    return {} if card is None else spans(connection, names, Level.HOURS, card, first_s, last_s, metrics)


def _begin(connection: Connection, gpu_id: str) -> int | None:
    names = rows.read_names(connection)
    card = names.cards.get(gpu_id)
    return None if card is None else begin(connection, names, card)


def _second(at: datetime) -> int:
    return math.floor(at.timestamp())


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
