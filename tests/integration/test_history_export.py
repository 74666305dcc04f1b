"""The history as CSV: what was kept comes out, also while it is written, and what cannot be asked is said in words."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from argentum_desktop.app.history_export import Resolution, export_history
from argentum_desktop.domain.reading import METRICS, EnergySource, Reading
from argentum_desktop.errors import BadInputError, StoreError
from argentum_desktop.paths import Home
from argentum_desktop.store import migrations
from argentum_desktop.store.database import Database
from argentum_desktop.telemetry.history import History, keep

START = datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC)
LATER = START + timedelta(days=400)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


def reading(second: float, gpu_id: str = "B", **values: Any) -> Reading:
    return Reading(gpu_id, START + timedelta(seconds=second), **values)


async def keep_all(home: Home, readings: Sequence[Reading], *, is_settled: bool = False) -> None:
    database = Database(home.telemetry_db, migrations.TELEMETRY, durable=False)
    await database.open()
    await database.write(lambda connection: keep(connection, readings))
    if is_settled:
        await History(database, lambda _: ()).roll_up(START - timedelta(days=20_000), 10_000)
    await database.close()


async def exported(
    home: Home,
    *gpu_ids: str,
    span: tuple[datetime, datetime] = (START, LATER),
    resolution: Resolution = Resolution.SECOND,
    metrics: Sequence[str] = ("power_mw",),
) -> list[list[str]]:
    out = io.StringIO(newline="")
    count = await export_history(home, gpu_ids, *span, resolution, metrics, out)
    table = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert count == len(table) - 1
    assert out.getvalue().count("\r\n") == len(table)
    return table


async def test_seconds_one_row_for_each_time_and_card(home: Home) -> None:
    await keep_all(home, [reading(0, power_mw=5), reading(0, "A", power_mw=6), reading(2.7), reading(40, power_mw=8)])
    assert await exported(home) == [
        ["time", "gpu", "power_mw"],
        ["2026-03-01T11:59:30Z", "A", "6"],
        ["2026-03-01T11:59:30Z", "B", "5"],
        ["2026-03-01T11:59:32Z", "B", ""],
        ["2026-03-01T12:00:10Z", "B", "8"],
    ]
    part = (START + timedelta(seconds=1), START + timedelta(seconds=40))
    assert [row[0] for row in (await exported(home, "B", span=part))[1:]] == ["2026-03-01T11:59:32Z"]


@pytest.mark.parametrize("is_settled", [False, True])
async def test_minutes_and_hours_have_lowest_mean_and_highest(home: Home, is_settled: bool) -> None:
    readings = [reading(second, power_mw=second, temperature_c=50) for second in range(60)]
    await keep_all(home, readings, is_settled=is_settled)
    span = (START - timedelta(hours=1), LATER)
    metrics = ("power_mw", "temperature_c")
    assert await exported(home, span=span, resolution=Resolution.MINUTE, metrics=metrics) == [
        ["time", "gpu", "readings", *(f"{name}_{part}" for name in sorted(metrics, reverse=True) for part in PARTS)],
        ["2026-03-01T11:59:00Z", "B", "30", "50", "50", "50", "0", "14.5", "29"],
        ["2026-03-01T12:00:00Z", "B", "30", "50", "50", "50", "30", "44.5", "59"],
    ]
    hours = await exported(home, span=span, resolution=Resolution.HOUR)
    assert [row[:3] for row in hours[1:]] == [
        ["2026-03-01T11:00:00Z", "B", "30"],
        ["2026-03-01T12:00:00Z", "B", "30"],
    ]


PARTS = ("min", "mean", "max")


async def test_all_metrics_are_there_and_who_counted_the_energy(home: Home) -> None:
    own, added_up = {"energy_mj": 7}, {"energy_mj": 9, "energy_source": EnergySource.INTEGRATED}
    await keep_all(home, [reading(0, **own), reading(1, **added_up), reading(2)])
    table = await exported(home, metrics=())
    assert [name for name in table[0] if name != "energy_source"] == ["time", "gpu", *(m.name for m in METRICS)]
    at = table[0].index("energy_mj")
    assert table[0][at + 1] == "energy_source"
    assert [row[at : at + 2] for row in table[1:]] == [["7", "counter"], ["9", "integrated"], ["", ""]]
    (minute,) = (await exported(home, metrics=("energy_mj",), resolution=Resolution.HOUR, span=(EARLY, LATER)))[1:]
    assert minute[-1] == "mixed"


EARLY = START - timedelta(days=1)


@pytest.mark.parametrize(
    ("ages_days", "expected"), [((0,), 1), ((3,), 60), ((30,), 3600), ((200, 0), 3600), ((5000, 0), 3600)]
)
async def test_auto_suits_the_span(home: Home, ages_days: Sequence[int], expected: int) -> None:
    end = START + timedelta(seconds=30)
    await keep_all(home, [reading(10 - age * 86_400, power_mw=1) for age in (*ages_days, 0)], is_settled=True)
    table = await exported(home, span=(START - timedelta(days=6000), end), resolution=Resolution.AUTO)
    times = [datetime.fromisoformat(row[0]) for row in table[1:]]
    assert len(times) == len({*ages_days, 0})
    assert [int(at.timestamp()) % expected for at in times] == [0] * len(times)
    assert ("power_mw_mean" in table[0]) == (expected > 1)


async def test_auto_is_not_so_fine_that_the_begin_is_forgotten(home: Home) -> None:
    await keep_all(home, [reading(second, power_mw=1) for second in range(3000)], is_settled=True)
    connection = sqlite3.connect(home.telemetry_db)
    connection.execute("DELETE FROM seconds")
    connection.commit()
    connection.close()
    table = await exported(home, span=(START, START + timedelta(seconds=3000)), resolution=Resolution.AUTO)
    assert len(table) == 51


async def test_it_is_read_by_another_process_while_this_one_writes(home: Home) -> None:
    database = Database(home.telemetry_db, migrations.TELEMETRY, durable=False)
    await database.open()
    history = History(database, lambda _: ())
    await history.append([reading(second, power_mw=second) for second in range(600)])
    program = (
        "import asyncio, sys\nfrom datetime import *\nfrom pathlib import Path\n"
        "from argentum_desktop.app.history_export import Resolution, export_history\n"
        "from argentum_desktop.paths import Home\n"
        "span = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)\n"
        "asked = Home(Path(sys.argv[1])), ['B'], *span, Resolution.SECOND, ['power_mw'], sys.stdout\n"
        "asyncio.run(export_history(*asked))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", program, str(home.root)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        said = asyncio.create_task(asyncio.to_thread(child.communicate))
        minute = 10
        while not said.done():
            await history.append([reading(minute * 60 + second, power_mw=second) for second in range(60)])
            minute += 1
        out, _ = await said
    assert child.returncode == 0
    times = [line.split(",")[0] for line in out.split()[1:]]
    assert len(times) >= 600
    assert times == sorted(set(times))
    await database.close()


async def test_what_cannot_be_asked_is_said_in_words(home: Home) -> None:
    with pytest.raises(StoreError, match="There is no history"):
        await exported(home)
    assert not home.telemetry_db.exists()
    await keep_all(home, [reading(0, "A", power_mw=5), reading(0, "B")])
    with pytest.raises(BadInputError, match="no history of a card C") as error:
        await exported(home, "A", "C")
    assert error.value.remedy == "There are A, B."
    with pytest.raises(BadInputError, match="no metric heat") as error:
        await exported(home, metrics=("power_mw", "heat"))
    assert "power_mw" in error.value.remedy
    with pytest.raises(BadInputError, match="ends before it begins"):
        await exported(home, span=(LATER, START))


async def test_a_damaged_or_newer_file_is_said_and_left(home: Home) -> None:
    await keep_all(home, [reading(0, power_mw=5)])
    sound = home.telemetry_db.read_bytes()
    home.telemetry_db.write_bytes(b"\xff" * 100 + sound[100:])
    with pytest.raises(StoreError, match="is damaged") as error:
        await exported(home)
    assert "Start the application" in error.value.remedy
    assert home.telemetry_db.read_bytes() == b"\xff" * 100 + sound[100:]
    home.telemetry_db.write_bytes(sound)
    connection = sqlite3.connect(home.telemetry_db)
    for version, words in ((9, "newer version"), (0, "older version")):
        connection.execute(f"PRAGMA user_version = {version}")
        with pytest.raises(StoreError, match=words):
            await exported(home)
    connection.close()
    assert [entry.name for entry in home.root.glob("history.db*")] == ["history.db"]


def command(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    own = [sys.executable, "-m", "argentum_desktop", "--home", str(home.root), "history", "export", *words]
    return subprocess.run(own, capture_output=True, text=True)


async def test_the_command_writes_a_whole_file_or_none(home: Home, tmp_path: Path) -> None:
    await keep_all(home, [reading(second, power_mw=5 + second) for second in range(3)])
    file = tmp_path / "a folder" / "readings.csv"
    refused = command(home, "--csv", str(file))
    assert (refused.returncode, "cannot be written" in refused.stderr) == (2, True)
    file.parent.mkdir()
    done = command(home, "--gpu", "B", "--metric", "power_mw", "--resolution", "second", "--csv", str(file))
    assert (done.returncode, done.stderr) == (0, "3 rows.\n")
    assert file.read_text("utf-8").splitlines()[-1] == "2026-03-01T11:59:32Z,B,7"
    unknown = command(home, "--gpu", "C", "--csv", str(file))
    assert (unknown.returncode, "There are B." in unknown.stderr) == (2, True)
    assert file.read_text("utf-8").count("\n") == 4  # as it was
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_the_command_takes_times_as_people_write_them(home: Home) -> None:
    await keep_all(home, [reading(second, power_mw=5) for second in range(3)])
    shown = command(home, "--from", "2026-03-01T11:59:31Z", "--to", "2026-03-01T11:59:32+00:00", "--metric", "power_mw")
    assert shown.stdout.splitlines() == ["time,gpu,power_mw", "2026-03-01T11:59:31Z,B,5"]
    wrong = command(home, "--from", "yesterday")
    assert wrong.returncode == 2
    assert "is not a time such as" in wrong.stderr
    assert "Traceback" not in wrong.stderr
