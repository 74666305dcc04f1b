"""What grids emit, from a file: a row for each country, or a series of one's own grid over time. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from argentum_desktop.domain.energy import MOST_G_PER_KWH, GridCarbon, IntensitySpan
from argentum_desktop.domain.timed_figures import TableError, read_figures

_COLUMNS = ("country", "g_co2e_per_kwh", "year", "source")
_FIGURE = re.compile(r"[0-9]{1,5}(\.[0-9]{1,6})?")
_FIRST_YEAR, _LAST_YEAR = 1990, 2199


def is_by_country(text: str) -> bool:
    """Whether a file has a row for each country; else it is a series."""
    return text.removeprefix("\ufeff").lstrip().lower().startswith("country")


def read_countries(text: str) -> Mapping[str, GridCarbon]:
    """Read `country,g_co2e_per_kwh,year,source`; further columns are passed over.

    Raises:
        TableError: it cannot be used, with its line.
    """
    rows = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise TableError(1, f"the column {missing[0]} is missing; the first line must be {','.join(_COLUMNS)}")
    found: dict[str, GridCarbon] = {}
    for row in rows:
        country, year = (row["country"] or "").strip().upper(), (row["year"] or "").strip()
        if re.fullmatch(r"[A-Z]{2}", country) is None:
            raise TableError(rows.line_num, f'"{country[:20]}" is not a country\'s code; write two letters, as in FR')
        if country in found:
            raise TableError(rows.line_num, f"{country} stands twice")
        if re.fullmatch(r"[0-9]{4}", year) is None or not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
            raise TableError(rows.line_num, f'"{year[:20]}" is no year')
        mg = _milligrams(rows.line_num, (row["g_co2e_per_kwh"] or "").strip())
        found[country] = GridCarbon(country, mg, int(year), (row["source"] or "").strip() or "not named")
    return found


def read_series(text: str, zone: ZoneInfo, yearly: GridCarbon | None, name: str) -> tuple[GridCarbon, tuple[str, ...]]:
    """Read `time,g/kWh`; for times beyond the series the country's yearly figure stands, else the series' own mean.

    Args:
        name: how the file is called, for it is the source then.

    Returns:
        The grid, and what was passed over or filled in.

    Raises:
        TableError: it cannot be used, with its line.
    """
    table = read_figures(text, zone, ("g/kwh", "kwh", "intensity", "gco2", "co2"))
    spans = tuple(
        IntensitySpan(figure.start, figure.end, _in_range(f"{figure.start:%Y-%m-%d %H:%M} UTC", figure.value))
        for figure in table.figures
    )
    if yearly is not None:
        grid = GridCarbon(yearly.country, yearly.mg_per_kwh, yearly.year, f"{name}, else {yearly.source}", spans)
        return grid, table.notes
    mean = sum(span.mg_per_kwh for span in spans) // len(spans)
    return GridCarbon("own", mean, spans[-1].start.year, name, spans), table.notes


def _milligrams(line: int, text: str) -> int:
    if _FIGURE.fullmatch(text) is None or Decimal(text) > MOST_G_PER_KWH:
        raise TableError(line, f'"{text[:20]}" is no carbon intensity in g/kWh (0 to {MOST_G_PER_KWH})')
    return int((Decimal(text) * 1000).to_integral_value(ROUND_HALF_EVEN))


def _in_range(when: str, value: Decimal) -> int:
    if not 0 <= value <= MOST_G_PER_KWH:
        raise ValueError(f"the carbon intensity of {when}, {value}, does not lie between 0 and {MOST_G_PER_KWH} g/kWh")
    return int((value * 1000).to_integral_value(ROUND_HALF_EVEN))
