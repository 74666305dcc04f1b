"""Remembers between two scrapes what a single reading does not tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from argentum_desktop.agent.metrics import Tally, exposition
from argentum_desktop.agent.status import Status
from argentum_desktop.domain.reading import Reading
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import CardsFound
from argentum_desktop.telemetry.sampler import ReadingsTaken


class MetricsFeed:
    """Listens to the sensor and the sampler.

    Args:
        status: what is true now.
        sensor_pid: the process that reads the cards now.
    """

    def __init__(
        self, events: EventBus, status: Callable[[], Status], sensor_pid: Callable[[], int | None], hostname: str
    ) -> None:
        self._status = status
        self._sensor_pid = sensor_pid
        self._hostname = hostname
        self._xids: dict[str, dict[int, int]] = {}
        self._xid_seen_at_s: dict[str, dict[int, float]] = {}
        self._last_pid: int | None = None
        self._restarts = 0
        events.subscribe(ReadingsTaken, lambda event: self._taken(event.readings))
        events.subscribe(CardsFound, lambda _: self._found())

    def text(self) -> str:
        """The answer to a scrape."""
        tally = Tally(self._xids, self._xid_seen_at_s, self._restarts)
        return exposition(self._status(), tally, self._hostname)

    def _taken(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            for xid in reading.xid_events:
                counts = self._xids.setdefault(reading.gpu_id, {})
                counts[xid] = counts.pop(xid, 0) + 1  # taken out and put in again: the last one stands last
                self._xid_seen_at_s.setdefault(reading.gpu_id, {})[xid] = reading.taken_at.timestamp()

    def _found(self) -> None:
        """A listing by another process than the one before means that the sensor was started again."""
        pid = self._sensor_pid()
        if self._last_pid is not None and pid != self._last_pid:
            self._restarts += 1
        self._last_pid = pid
