"""The owner's files about electricity: read, read again when they change, and never the reason that nothing works."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from benches import BenchWithClock, a_bench
from samples import NOON, eur

from argentum_desktop.agent.energy_files import LARGEST_BYTES, EnergyFiles, remembered
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.domain.tariff import PriceSource, PriceSpan, TariffLine
from argentum_desktop.policy.tariff import price_at
from argentum_desktop.settings.schema import Energy, Prices, Settings

HOUR = timedelta(hours=1)
GOOD = "time,EUR/MWh\n2026-03-01T12:00Z,100\n2026-03-01T13:00Z,-20\n"


@dataclass
class Desk:
    made: BenchWithClock
    files: EnergyFiles
    notices: NoticeBoard

    def price(self, hours: int = 0) -> tuple[str, PriceSource]:
        tariff = self.made.bench.tariff
        assert tariff is not None
        found = price_at(tariff, self.made.bench.zone, NOON + hours * HOUR)
        return str(found.per_kwh), found.source

    def told(self) -> list[str]:
        return [f"{notice.message} {notice.remedy}" for notice in self.notices.all()]


@asynccontextmanager
async def a_desk(folder: Path, prices: dict[str, Any], energy: dict[str, Any]) -> AsyncIterator[Desk]:
    async with a_bench(folder, settings=Settings(prices=Prices(**prices), energy=Energy(**energy))) as made:
        notices = NoticeBoard()
        yield Desk(made, EnergyFiles(made.bench, notices), notices)


def write(path: Path, text: str, age_s: int = 0) -> Path:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_770_000_000 - age_s, 1_770_000_000 - age_s))
    return path


async def test_without_files_the_settings_say_all(tmp_path: Path) -> None:
    prices = {"tariff": (TariffLine.parse("sun 13:00-14:00 0.10"),)}
    async with a_desk(tmp_path, prices, {}) as desk:
        await desk.files.look()
        assert desk.price() == ("0.10 EUR", PriceSource.WEEK)
        assert desk.price(1) == ("0.30 EUR", PriceSource.FLAT)
        assert desk.made.bench.grid is None
        assert desk.told() == []


async def test_what_grid_and_tax_add_to_a_traded_price_counts(tmp_path: Path) -> None:
    """(0.10 + 0.15) with 20 % are 0.30; the flat price is what the owner pays already."""
    path = write(tmp_path / "prices.csv", GOOD, age_s=10)
    added = {"tariff_surcharge_per_kwh": Decimal("0.15"), "tariff_tax_percent": Decimal(20)}
    async with a_desk(tmp_path, {"tariff_file": str(path), **added}, {}) as desk:
        await desk.files.look()
        assert [desk.price(hours) for hours in range(3)] == [
            ("0.30 EUR", PriceSource.DAY_AHEAD),
            ("0.156 EUR", PriceSource.DAY_AHEAD),
            ("0.30 EUR", PriceSource.BEYOND),
        ]


async def test_a_file_is_read_and_read_again_when_it_changes(tmp_path: Path) -> None:
    path = write(tmp_path / "prices.csv", GOOD, age_s=10)
    async with a_desk(tmp_path, {"tariff_file": str(path)}, {}) as desk:
        await desk.files.look()
        assert [desk.price(hours) for hours in range(3)] == [
            ("0.10 EUR", PriceSource.DAY_AHEAD),
            ("-0.02 EUR", PriceSource.DAY_AHEAD),
            ("0.30 EUR", PriceSource.BEYOND),
        ]
        before = desk.made.bench.tariff
        await desk.files.look()
        assert desk.made.bench.tariff is before
        write(path, "time,EUR/MWh\n2026-03-01T13:00Z,50\n2026-03-01T14:00Z,60\n")
        await desk.files.look()
        # The newer file counts, and what it no longer has is remembered for the jobs of that time.
        assert [desk.price(hours)[0] for hours in range(4)] == ["0.10 EUR", "0.05 EUR", "0.06 EUR", "0.30 EUR"]
        assert desk.told() == []


async def test_a_damaged_file_is_told_with_its_line_and_the_old_prices_stay(tmp_path: Path) -> None:
    path = write(tmp_path / "prices.csv", GOOD, age_s=20)
    async with a_desk(tmp_path, {"tariff_file": str(path)}, {}) as desk:
        await desk.files.look()
        write(path, GOOD + "2026-03-01T14:00Z,many\n", age_s=10)
        await desk.files.look()
        assert desk.price() == ("0.10 EUR", PriceSource.DAY_AHEAD)
        why = 'line 4: "many" is no figure; write for example 85.37.'
        otherwise = "Until it is corrected, the prices read before count, then your other prices."
        assert desk.told() == [f"The file {path} of prices.tariff_file cannot be used: {why} {otherwise}"]
        write(path, GOOD)
        await desk.files.look()
        assert desk.told() == []


async def test_a_file_that_is_not_there_is_told_and_looked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    async with a_desk(tmp_path, {"tariff_file": str(path)}, {}) as desk:
        await desk.files.look()
        assert desk.price() == ("0.30 EUR", PriceSource.FLAT)
        assert "no such file or directory" in desk.told()[0]
        write(path, GOOD)
        await desk.files.look()
        assert desk.price() == ("0.10 EUR", PriceSource.DAY_AHEAD)
        assert desk.told() == []
        path.write_bytes(b"\xff\xfe")
        await desk.files.look()
        assert "it is not text in UTF-8" in desk.told()[0]
        with path.open("wb") as file:
            file.truncate(LARGEST_BYTES + 1)
        await desk.files.look()
        assert "it is larger than 32 MiB" in desk.told()[0]


async def test_prices_that_have_ended_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "prices.csv", GOOD)
    async with a_desk(tmp_path, {"tariff_file": str(path)}, {}) as desk:
        await desk.files.look()
        assert desk.told() == []
        await desk.made.clock.advance(2 * 3600)
        await desk.files.look()
        assert desk.told() == [
            f"The day-ahead prices in {path} end on 2026-03-01 15:00. Put a newer file there; your other prices count."
        ]


async def test_the_grid_of_a_country_from_the_table_or_from_a_file(tmp_path: Path) -> None:
    async with a_desk(tmp_path / "a", {}, {"country": "FR"}) as desk:
        await desk.files.look()
        assert desk.made.bench.grid is not None
        assert desk.made.bench.grid.mg_per_kwh == 44_180
    path = write(tmp_path / "own.csv", "country,g_co2e_per_kwh,year,source\nFR,20,2025,my supplier\n", age_s=10)
    async with a_desk(tmp_path / "b", {}, {"country": "FR", "intensity_file": str(path)}) as desk:
        await desk.files.look()
        assert desk.made.bench.grid is not None
        assert desk.made.bench.grid.words == "20 g/kWh (FR, 2025, my supplier)"
        write(path, "country,g_co2e_per_kwh,year,source\nDE,20,2025,my supplier\n")
        await desk.files.look()
        assert desk.made.bench.grid.country == "FR"
        assert "there is no row for FR" in desk.told()[0]
        path.write_text("time,g/kWh\n2026-03-01T12:00Z,15\n")
        await desk.files.look()
        assert desk.made.bench.grid.spans[0].mg_per_kwh == 15_000
        assert desk.told() == []
    async with a_desk(tmp_path / "c", {}, {"country": "XX"}) as desk:
        await desk.files.look()
        assert desk.made.bench.grid is None
        assert "The carbon intensity of XX is not in the table" in desk.told()[0]


def test_a_month_of_old_prices_is_remembered() -> None:
    def spans(*hours: int) -> tuple[PriceSpan, ...]:
        return tuple(PriceSpan(NOON + hour * HOUR, NOON + (hour + 1) * HOUR, eur("0.1")) for hour in hours)

    assert remembered((), spans(5)) == spans(5)
    assert remembered(spans(0, 1, 2), spans(2, 3)) == spans(0, 1, 2, 3)
    assert remembered(spans(0, 1), spans(2 + 31 * 24 - 1)) == spans(1, 2 + 31 * 24 - 1)
