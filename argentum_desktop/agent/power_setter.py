"""Changes cards' power limits and sets them back, whatever happens in between.

A limit belongs to the card's driver and outlives this program. So the original is on disk before the first change, and
stays there until it has been set back: at the end of the need, at the end of the program, or at its next start.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from argentum_desktop.errors import ArgentumError, PowerLimitError, SensorError
from argentum_desktop.gpus.power_limits import NOT_HERE
from argentum_desktop.gpus.watched_sensor import Sensor
from argentum_desktop.store import power_limits
from argentum_desktop.store.database import Database

log = logging.getLogger(__name__)


class PowerSetter:
    """The one place from which limits are changed."""

    def __init__(self, database: Database, sensor: Sensor) -> None:
        self._database = database
        self._sensor = sensor
        self._originals_mw: dict[str, int] = {}
        self._in_force_mw: dict[str, int] = {}
        self._own_mw: dict[str, int] = {}

    async def load(self) -> None:
        """Take up what an earlier run did not set back.

        Raises:
            StoreError: the database cannot be read.
        """
        self._originals_mw = await self._database.read(power_limits.load)

    @property
    def changed(self) -> Mapping[str, int]:
        """The original limits of all cards that have another one now, or may have."""
        return self._originals_mw

    def forget(self) -> None:
        """The sensor is another one, or lists its cards anew: whatever was in force may not be any more."""
        self._in_force_mw.clear()
        self._own_mw.clear()

    async def original_mw(self, gpu_id: str) -> int:
        """What the limit is while nobody here changes it.

        Raises:
            PowerLimitError: the card does not tell, so that nothing could be set back.
            SensorError: there is no answer.
        """
        known = self._originals_mw.get(gpu_id, self._own_mw.get(gpu_id))
        if known is not None:
            return known
        own_mw = await self._sensor.power_limit_mw(gpu_id)
        if own_mw is None:
            raise _refusal(NOT_HERE)
        self._own_mw[gpu_id] = own_mw
        return own_mw

    async def bring_to(self, gpu_id: str, power_mw: int) -> None:
        """Let a card draw no more than this; the original is set back by `set_back`.

        Raises:
            PowerLimitError: its driver refuses, and why.
            SensorError: there is no answer.
            StoreError: what it was cannot be written down; nothing was changed.
        """
        if self._in_force_mw.get(gpu_id) == power_mw:
            return
        original_mw = await self.original_mw(gpu_id)
        is_first = gpu_id not in self._originals_mw
        await self._write({**self._originals_mw, gpu_id: original_mw})
        refusal = await self._sensor.set_power_limit(gpu_id, power_mw)
        if not refusal:
            self._in_force_mw[gpu_id] = power_mw
            log.info("%s may draw %g W now; its own limit is %g W", gpu_id, power_mw / 1000, original_mw / 1000)
            return
        if is_first:
            await self._strike(gpu_id)
        raise _refusal(refusal)

    async def set_back(self, gpu_id: str) -> None:
        """Give a card its own limit back; no harm when it has it.

        Raises:
            PowerLimitError: its driver refuses; it is tried again at the next start.
            SensorError: there is no answer.
            StoreError: it was set back, and that cannot be written down.
        """
        original_mw = self._originals_mw.get(gpu_id)
        if original_mw is None:
            return
        if self._in_force_mw.get(gpu_id) != original_mw:
            refusal = await self._sensor.set_power_limit(gpu_id, original_mw)
            if refusal:
                raise _refusal(refusal)
            self._in_force_mw[gpu_id] = original_mw
            log.info("%s has its own power limit of %g W again", gpu_id, original_mw / 1000)
        await self._strike(gpu_id)
        self._in_force_mw.pop(gpu_id, None)

    async def set_all_back(self) -> None:
        """As many as can be; the next start sees to the others."""
        for gpu_id in tuple(self._originals_mw):
            try:
                await self.set_back(gpu_id)
            except ArgentumError as error:
                log.info("the power limit of %s is set back at the next start: %s", gpu_id, error)
                if isinstance(error, SensorError):
                    return

    async def _strike(self, gpu_id: str) -> None:
        await self._write({known: mw for known, mw in self._originals_mw.items() if known != gpu_id})

    async def _write(self, originals_mw: Mapping[str, int]) -> None:
        if originals_mw != self._originals_mw:
            await self._database.write(lambda connection: power_limits.save(connection, originals_mw))
            self._originals_mw = dict(originals_mw)


def _refusal(words: str) -> PowerLimitError:
    return PowerLimitError(words, "Run the application with the right to do so, or take it out of your choices.")
