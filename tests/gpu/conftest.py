"""A real card, or the reason why there is none."""

from __future__ import annotations

import asyncio

import pytest

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, SourceReport
from argentum_desktop.errors import SensorError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import Sensor, sensor_command


async def _reports() -> tuple[SourceReport, ...]:
    sensor = Sensor(sensor_command(), SystemClock(), EventBus())
    try:
        await sensor.start()
        return sensor.reports
    finally:
        await sensor.close()


@pytest.fixture(scope="session")
def real_card() -> Gpu:
    """The first card of its own memory that is ready to work."""
    try:
        reports = asyncio.run(_reports())
    except SensorError as error:
        pytest.skip(f"the cards cannot be read: {error}")
    gpus = [gpu for report in reports for gpu in report.gpus if not gpu.is_simulated]
    ready = [gpu for gpu in gpus if gpu.state is GpuState.READY and gpu.kind is GpuKind.DISCRETE]
    if not ready:
        reasons = [gpu.problem for gpu in gpus] + [report.problem for report in reports]
        pytest.skip(" ".join(["no real card is ready here.", *filter(None, reasons)]))
    return ready[0]
