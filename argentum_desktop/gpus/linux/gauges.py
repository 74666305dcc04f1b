"""Metrics that are one number in one file: found once, then read again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from argentum_desktop.domain.reading import Absence
from argentum_desktop.gpus.linux.files import PAGE_BYTES, NoValueError, read_value, whole_number

# What changes slowly (limits, counts of errors) is looked at this often only: each look costs the driver work.
SLOW_S = 30.0


@dataclass(frozen=True)
class Gauge:
    """One way to a metric.

    Attributes:
        convert: from the file's content to the metric's unit; raises ValueError for what makes no sense.
        source: which sensor this is, for the owner; empty where there is only one.
        is_slow: it changes slowly.
    """

    metric: str
    file: Path
    convert: Callable[[bytes], int] = whole_number
    source: str = ""
    is_slow: bool = False
    limit_bytes: int = PAGE_BYTES

    def read(self) -> int:
        """The value now.

        Raises:
            NoValueError: there is none, with the reason.
        """
        return read_value(self.file, self.convert, self.limit_bytes)


class Panel:
    """The gauges of one card, each metric by the first way that works."""

    def __init__(self, ways: Iterable[Gauge]) -> None:
        self._ways: dict[str, tuple[Gauge, ...]] = {}
        working: set[str] = set()
        for gauge in ways:
            if gauge.metric in working:
                continue
            try:
                gauge.read()
            except NoValueError as gone:
                # A file that is there and fails may do better next time; one that says "not here" will not.
                if gone.why is not Absence.NOT_SUPPORTED:
                    self._ways[gauge.metric] = (*self._ways.get(gauge.metric, ()), gauge)
            else:
                working.add(gauge.metric)
                self._ways[gauge.metric] = (gauge,)
        self._slow: dict[str, tuple[datetime, int | Absence]] = {}

    @property
    def sources(self) -> dict[str, str]:
        """For each metric which sensor says so."""
        return {metric: ways[0].source for metric, ways in self._ways.items() if ways[0].source}

    def read_into(self, values: dict[str, Any], absent: dict[str, Absence], now: datetime) -> None:
        """Put each metric into `values`, or why it is not there into `absent`."""
        for metric, ways in self._ways.items():
            answer = self._answer(ways, now) if ways[0].is_slow else _first_answer(ways)
            if isinstance(answer, Absence):
                absent[metric] = answer
            else:
                values[metric] = answer

    def _answer(self, ways: tuple[Gauge, ...], now: datetime) -> int | Absence:
        """What was read lately, else what there is now."""
        metric = ways[0].metric
        if known := self._slow.get(metric):
            read_at, answer = known
            if 0 <= (now - read_at).total_seconds() < SLOW_S:
                return answer
        answer = _first_answer(ways)
        self._slow[metric] = (now, answer)
        return answer


def _first_answer(ways: tuple[Gauge, ...]) -> int | Absence:
    """The value by the first way that gives one, else why the first does not."""
    reason = None
    for gauge in ways:
        try:
            return gauge.read()
        except NoValueError as gone:
            reason = reason or gone.why
    return reason or Absence.NOT_SUPPORTED


def known_millidegrees(content: bytes) -> int:
    """Hwmon's unit to degrees. Exactly zero is what drivers write where no sensor is.

    Raises:
        NoValueError: it is zero.
        ValueError: it is no number.
    """
    value = whole_number(content)
    if value == 0:
        raise NoValueError(Absence.NOT_SUPPORTED)
    return round(value / 1000)


def microwatts(content: bytes) -> int:
    return whole_number(content) // 1000


def microwatts_limit(content: bytes) -> int:
    """A limit in milliwatts; zero says that there is none (Documentation/ABI/testing/sysfs-driver-intel-xe-hwmon).

    Raises:
        NoValueError: there is none.
        ValueError: it is no number.
    """
    value = whole_number(content)
    if value == 0:
        raise NoValueError(Absence.NOT_SUPPORTED)
    return value // 1000


def microjoules(content: bytes) -> int:
    return whole_number(content) // 1000


def hertz(content: bytes) -> int:
    return round(whole_number(content) / 1_000_000)
