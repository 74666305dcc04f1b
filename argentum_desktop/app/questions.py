"""What can be answered without the running application."""

from __future__ import annotations

from datetime import UTC, datetime

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.domain.reading import Reading
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import Sensor, sensor_command
from argentum_desktop.paths import Home
from argentum_desktop.settings.schema import Settings
from argentum_desktop.store import ledger, migrations
from argentum_desktop.store.database import Database


async def look_at_cards(settings: Settings) -> tuple[tuple[SourceReport, ...], tuple[Reading, ...]]:
    """List the cards and read each once.

    Raises:
        SensorError: the drivers give no answer.
    """
    sensor = Sensor(sensor_command(settings.cards.simulated), SystemClock(), EventBus())
    try:
        return await sensor.discover(), await sensor.read()
    finally:
        await sensor.close()


async def all_transactions(home: Home) -> list[Transaction]:
    """The whole ledger, oldest first; none where nothing was ever earned."""
    if not home.agent_db.exists():
        return []
    database = Database(home.agent_db, migrations.AGENT, durable=True)
    try:
        await database.open()
        return await database.read(
            lambda connection: ledger.between(connection, datetime.min.replace(tzinfo=UTC), _END_OF_TIME)
        )
    finally:
        await database.close()


_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
