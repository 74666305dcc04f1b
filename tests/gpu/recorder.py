"""Writes down what a card reports while something else happens to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import Sensor, sensor_command

EVERY_S = 1.0


@asynccontextmanager
async def recorded(gpu_id: str, simulated: int = 0) -> AsyncIterator[list[Reading]]:
    """The readings of this card, one a second, for as long as this is held."""
    clock, readings = SystemClock(), list[Reading]()
    sensor = Sensor(sensor_command(simulated), clock, EventBus())

    async def record() -> None:
        while True:
            with contextlib.suppress(SensorError):  # the check itself says so, if it lasts
                readings.extend(reading for reading in await sensor.read() if reading.gpu_id == gpu_id)
            await clock.sleep(EVERY_S)

    recording = asyncio.create_task(record())
    try:
        yield readings
    finally:
        recording.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await recording
        await sensor.close()
