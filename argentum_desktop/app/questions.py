"""What can be answered without the running application."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from argentum_desktop.clock import SystemClock
from argentum_desktop.domain.gpu import SourceReport
from argentum_desktop.domain.posting import Transaction
from argentum_desktop.domain.reading import Reading
from argentum_desktop.errors import SettingsError
from argentum_desktop.events import EventBus
from argentum_desktop.gpus.watched_sensor import Sensor, sensor_command
from argentum_desktop.paths import Home
from argentum_desktop.settings.file import load
from argentum_desktop.settings.schema import Cards, Settings
from argentum_desktop.store import ledger, migrations
from argentum_desktop.store.database import Database
from argentum_desktop.system.zone import owners_zone


def cards_command(cards: Cards, now: datetime) -> list[str]:
    """How the sensor is started that reads the cards of this computer and those the owner pretends to have.

    Raises:
        BadInputError: there is no such scenario, or it cannot be used.
    """
    if not cards.scenario:
        return sensor_command(cards.simulated)
    from argentum_desktop.gpus.simulated.scenario import chosen_scenario

    return sensor_command(cards.simulated, scenario=chosen_scenario(cards.scenario), scenario_began_at=now)


async def look_at_cards(settings: Settings) -> tuple[tuple[SourceReport, ...], tuple[Reading, ...]]:
    """List the cards and read each once.

    Raises:
        BadInputError: the owner's scenario cannot be used.
        SensorError: the drivers give no answer.
    """
    clock = SystemClock()
    sensor = Sensor(cards_command(settings.cards, clock.now()), clock, EventBus())
    try:
        return await sensor.discover(), await sensor.read()
    finally:
        await sensor.close()


def zone_of(home: Home) -> ZoneInfo:
    """The owner's zone; the computer's own where the settings cannot be read, for the ledger can be all the same."""
    with suppress(SettingsError):
        if home.settings_file.exists():
            return owners_zone(load(home.settings_file).availability.timezone)
    return owners_zone("")


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
