"""The cards, again each second: on a terminal in place, elsewhere line by line."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from argentum_desktop.agent.report_cards import cards_json, cards_table, cards_text, driver_notes, printable
from argentum_desktop.app.ending import on_ending
from argentum_desktop.app.questions import cards_command
from argentum_desktop.clock import Clock, SystemClock
from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import Sensor
from argentum_desktop.settings.schema import Settings
from argentum_desktop.system.processes import process_name
from argentum_desktop.system.screen import Screen, is_terminal, size
from argentum_desktop.system.terminal import write_line

PERIOD_S = 1.0


@dataclass(frozen=True)
class Sight:
    """The cards at one moment.

    Attributes:
        problem: why they cannot be read now, and what happens next; empty while they can.
    """

    seen_at: datetime
    reports: tuple[SourceReport, ...]
    readings: tuple[Reading, ...]
    problem: str = ""


Show = Callable[[Sight], None]


async def watch_cards(settings: Settings, show: Show) -> None:
    """Show the cards each second until the owner or the system ends it; a sensor that fails is told and waited for.

    Raises:
        BadInputError: the owner's scenario cannot be used.
    """
    clock = SystemClock()
    sensor = Sensor(cards_command(settings.cards, clock.now()), clock, EventBus())
    over = asyncio.Event()
    on_ending(over)
    work = [asyncio.create_task(_again_and_again(sensor, clock, show)), asyncio.create_task(over.wait())]
    try:
        done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await sensor.close()


@contextmanager
def watcher(*, as_json: bool) -> Iterator[Show]:
    """How what is seen is shown here."""
    if as_json:
        yield _print_json
    elif is_terminal():
        with Screen() as screen:
            yield lambda sight: screen.paint(_page(sight))
    else:
        yield LinePrinter().show


async def _again_and_again(sensor: Sensor, clock: Clock, show: Show) -> None:
    start_s = clock.elapsed_s()
    while True:
        try:
            readings = await sensor.read()
            sight = Sight(clock.now(), sensor.reports, readings)
        except SensorError as error:
            sight = Sight(clock.now(), sensor.reports, (), str(error))
        show(sight)
        passed = (clock.elapsed_s() - start_s) / PERIOD_S
        await clock.sleep(start_s + (math.floor(passed) + 1) * PERIOD_S - clock.elapsed_s())


def _page(sight: Sight) -> list[str]:
    """Everything where it fits, else a line for each card."""
    columns, rows = size()
    head = [f"{sight.seen_at.astimezone():%H:%M:%S}  Ctrl+C ends", ""]
    if sight.problem:
        return [*head, printable([sight.problem])]
    text = cards_text(sight.reports, sight.readings, width=columns, name_of=process_name).splitlines()
    if len(head) + len(text) > rows:
        text = [*cards_table(sight.reports, sight.readings), "", *driver_notes(sight.reports)]
    return [*head, *text]


class LinePrinter:
    """A line for each card each second; what the drivers say besides only when it is new."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def show(self, sight: Sight) -> None:
        lines = [printable([sight.problem])] if sight.problem else cards_table(sight.reports, sight.readings)
        notes = driver_notes(sight.reports)
        if notes != self._notes:
            self._notes = notes
            lines = notes + lines
        write_line("\n".join(f"{sight.seen_at:%Y-%m-%dT%H:%M:%SZ}  {line}" for line in lines))


def _print_json(sight: Sight) -> None:
    seen = {"seen_at": f"{sight.seen_at:%Y-%m-%dT%H:%M:%S.%fZ}", "problem": sight.problem}
    write_line(json.dumps(seen | cards_json(sight.reports, sight.readings)))
