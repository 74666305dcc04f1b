"""The owner's files about electricity, read at the start and again when they change: prices and the grid's carbon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from argentum_desktop.agent.bench import Bench
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.domain.energy import GridCarbon
from argentum_desktop.domain.intensity_file import is_by_country, read_countries, read_series
from argentum_desktop.domain.tariff import PriceSpan
from argentum_desktop.domain.tariff_file import read_tariff
from argentum_desktop.errors import SettingsError
from argentum_desktop.policy.tariff import own_tariff
from argentum_desktop.resources import resource

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
LARGEST_BYTES = 32 * 1024 * 1024
# A job is billed when it ends, by the prices of its hours, which a newer file may no longer have.
REMEMBERED = timedelta(days=31)
_PRICES, _CARBON = "prices.tariff_file", "energy.intensity_file"
TABLE = "carbon_intensity.csv"

_Stamp = tuple[int, int]


class EnergyFiles:
    """Keeps the bench's tariff and grid up to date. A file that cannot be used leaves what was read before."""

    def __init__(self, bench: Bench, notices: NoticeBoard) -> None:
        self._bench = bench
        self._notices = notices
        self._seen: dict[str, _Stamp | None] = {}
        self._spans: tuple[PriceSpan, ...] = ()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._bench.clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Read what is new or has changed."""
        settings = self._bench.settings
        if self._bench.tariff is None:
            self._bench.tariff = own_tariff(settings.prices)
        await self._look_at_prices(settings.prices.tariff_file)
        await self._look_at_carbon(settings.energy.intensity_file, settings.energy.country)

    async def _look_at_prices(self, name: str) -> None:
        text = await self._changed(_PRICES, name)
        if text is None:
            self._tell_of_end(name)
            return
        bench, prices = self._bench, self._bench.settings.prices
        try:
            found = await asyncio.to_thread(read_tariff, text, bench.zone, prices.currency)
        except ValueError as error:
            self._refused(_PRICES, name, str(error), "Until it is corrected, the prices read before count, then ")
            return
        self._notices.take_down(_PRICES)
        self._spans = remembered(self._spans, found.spans)
        bench.tariff = own_tariff(prices, self._spans)
        for note in found.notes:
            log.info("%s: %s: %s", _PRICES, name, note)
        self._tell_of_end(name)

    def _tell_of_end(self, name: str) -> None:
        """Beyond the file the flat price counts; the owner should know when that begins to matter."""
        if self._spans and self._spans[-1].end <= self._bench.clock.now():
            end = self._spans[-1].end.astimezone(self._bench.zone)
            words = f"The day-ahead prices in {name} end on {end:%Y-%m-%d %H:%M}."
            self._notices.put(
                f"{_PRICES} end", SettingsError(words, "Put a newer file there; your other prices count.")
            )
        else:
            self._notices.take_down(f"{_PRICES} end")

    async def _look_at_carbon(self, name: str, country: str) -> None:
        if not name and (self._bench.grid is not None or not country):
            return
        if not name:
            self._bench.grid = (await asyncio.to_thread(shipped_grids)).get(country)
            if self._bench.grid is None:
                words = f"The carbon intensity of {country} is not in the table that came with the application."
                self._notices.put(_CARBON, SettingsError(words, f"Name a file with it in {_CARBON}."))
            return
        text = await self._changed(_CARBON, name)
        if text is None:
            return
        try:
            self._bench.grid = await asyncio.to_thread(self._grid, text, name, country)
            self._notices.take_down(_CARBON)
        except ValueError as error:
            self._refused(_CARBON, name, str(error), "Until it is corrected, what was read before counts, else ")

    def _grid(self, text: str, name: str, country: str) -> GridCarbon:
        if is_by_country(text):
            grids = read_countries(text)
            if country not in grids:
                raise ValueError(f"there is no row for {country or 'a country; set energy.country'}")
            return grids[country]
        grid, notes = read_series(text, self._bench.zone, shipped_grids().get(country), Path(name).name)
        for note in notes:
            log.info("%s: %s: %s", _CARBON, name, note)
        return grid

    async def _changed(self, setting: str, name: str) -> str | None:
        """The file's text when it is new or has changed; a file that is not there is told of and looked for again."""
        if not name:
            return None
        try:
            stamp, text = await asyncio.to_thread(_read, name, self._seen.get(setting))
        except (OSError, ValueError) as error:
            self._seen[setting] = None
            reason = "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else _why(error)
            self._refused(setting, name, reason, "Until it can be read, what was read before counts, else ")
            return None
        self._seen[setting] = stamp
        return text

    def _refused(self, setting: str, name: str, reason: str, otherwise: str) -> None:
        rest = "your other prices" if setting == _PRICES else "nothing is known of the grid"
        words = f"The file {name} of {setting} cannot be used: {reason}."
        self._notices.put(setting, SettingsError(words, f"{otherwise}{rest}."))


def shipped_grids() -> Mapping[str, GridCarbon]:
    """The table that came with the application."""
    return read_countries(resource(TABLE).read_text(encoding="utf-8"))


def remembered(before: tuple[PriceSpan, ...], now: tuple[PriceSpan, ...]) -> tuple[PriceSpan, ...]:
    """The prices of a newer file, with those of the last month that it no longer has."""
    since = now[0].start - REMEMBERED
    return (*(span for span in before if since <= span.start and span.end <= now[0].start), *now)


def _read(name: str, seen: _Stamp | None) -> tuple[_Stamp, str | None]:
    path = Path(name).expanduser()
    found = path.stat()
    stamp = (found.st_mtime_ns, found.st_size)
    if stamp == seen:
        return stamp, None
    if found.st_size > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES // 1024**2} MiB")
    return stamp, path.read_text(encoding="utf-8-sig")


def _why(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
