"""The cards of Windows, asked by a real Windows Python: Wine's own libraries, and the stand-ins built for Windows."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import displays
import msgspec
import pytest
import wine
from displays import Display
from fake_windows import build
from fake_windows.build import COUNTERS, GIB, RTX_3090, RX_6800, FakeWindows, card, device, rows
from wine import ROOT, Wine, windows_path

from argentum_desktop.domain.gpu import GpuState, SourceReport
from argentum_desktop.domain.reading import VALUES, Absence, Reading
from argentum_desktop.gpus.sensor_wire import Answer, Discover, Read
from argentum_desktop.gpus.windows.source import WindowsSource

fake_windows = build.fake_windows
display = displays.display
pytestmark = pytest.mark.timeout(600)  # the first run fetches CPython for Windows and makes the prefix

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ASK = """
import json, sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from argentum_desktop.gpus.windows.source import WindowsSource
source = WindowsSource(Path(sys.argv[3]) if len(sys.argv) > 3 else None)
report = source.discover()
now = datetime.fromisoformat(sys.argv[2])
readings = [asdict(reading) for _ in range(2) for reading in source.read(now)]
outdated = source.is_outdated()
source.close()
source.close()
print(json.dumps({"report": asdict(report), "readings": readings, "outdated": outdated}, default=str))
"""
SERVE = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("argentum_desktop.gpus.sensor", run_name="__main__")
"""


@pytest.fixture(scope="module")
def windows() -> Iterator[Wine]:
    with wine.prepare().kept_running() as prepared:
        yield prepared


@pytest.fixture(scope="module")
def stand_ins(windows: Wine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in's libraries, built for Windows."""
    folder = tmp_path_factory.mktemp("windows")
    library = build.compile_with(wine.MINGW, build.SOURCE, folder / "fake.dll", "-D__USE_MINGW_ANSI_STDIO=1", "-shared")
    return build.put_into_place(library, folder / "System32")


def ask(windows: Wine, *more: str, **variables: str) -> dict[str, Any]:
    words = ("-c", ASK, windows_path(ROOT), NOW.isoformat(), *more)
    answer: dict[str, Any] = json.loads(windows.run(*words, **variables)[0])
    return answer


def ask_stand_ins(windows: Wine, fake: FakeWindows, stand_ins: Path) -> tuple[SourceReport, list[Reading], bool]:
    scenario = windows_path(fake.scenario_file)
    # Wine takes its own library for any file of the same name, unless it is told to look.
    overrides = "dxgi,dxcore,gdi32,pdh,setupapi,cfgmgr32=n,b;mscoree,mshtml,winedbg.exe="
    answer = ask(windows, windows_path(stand_ins), FAKE_WINDOWS_SCENARIO=scenario, WINEDLLOVERRIDES=overrides)
    report = msgspec.convert(answer["report"], SourceReport)
    return report, msgspec.convert(answer["readings"], list[Reading], strict=False), answer["outdated"]


def test_windows_and_linux_read_the_same_from_the_same_libraries(
    windows: Wine, fake_windows: FakeWindows, stand_ins: Path
) -> None:
    geforce = {"name": "NVIDIA GeForce RTX 3090", "vendor": 0x10DE, "device": 0x2204, "bus": 1, "dedicated": 24 * GIB}
    fake_windows.follow(
        *(card(RX_6800), card(RTX_3090, **geforce, performance=0), device(0)),
        *(device(1, bus=0x0B, status=0x400, problem=43), COUNTERS, rows(RX_6800), rows(RTX_3090), "id_list one"),
    )
    source = WindowsSource(fake_windows.folder)
    here = (source.discover(), [*source.read(NOW), *source.read(NOW)], source.is_outdated())
    source.close()
    assert ask_stand_ins(windows, fake_windows, stand_ins) == here
    assert [gpu.state for gpu in here[0].gpus] == [GpuState.READY, GpuState.READY, GpuState.IGNORED]


def test_libraries_that_answer_with_nonsense(windows: Wine, fake_windows: FakeWindows, stand_ins: Path) -> None:
    fake_windows.follow("garbage")
    report, readings, _ = ask_stand_ins(windows, fake_windows, stand_ins)
    assert report.gpus
    assert readings
    assert all(reading.temperature_c is None for reading in readings)


def test_a_fault_inside_a_library_costs_only_what_it_was_asked(
    windows: Wine, fake_windows: FakeWindows, stand_ins: Path
) -> None:
    fake_windows.follow(card(RX_6800), COUNTERS, rows(RX_6800), "crash")
    report, readings, _ = ask_stand_ins(windows, fake_windows, stand_ins)
    assert [gpu.name for gpu in report.gpus] == ["AMD Radeon RX 6800"]
    assert readings[0].temperature_c == 61
    assert readings[0].absent["utilization_percent"] is Absence.ERROR


def test_wines_own_libraries_without_a_display_give_one_sentence(windows: Wine) -> None:
    answer = ask(windows)
    assert answer["report"]["problem"] == "Windows does not tell which graphics adapters there are."
    assert answer["readings"] == []
    assert answer["outdated"] is False


def test_the_sensor_process_serves_on_windows(windows: Wine) -> None:
    wine.install(windows, f"msgspec=={importlib.metadata.version('msgspec')}")
    asked = b"\n".join(map(msgspec.json.encode, (Discover(1), Read(2, NOW)))).decode() + "\n"
    words = ("-c", SERVE)
    out, _ = windows.run(*words, windows_path(ROOT), given=asked)
    first, second = (msgspec.json.decode(line, type=Answer) for line in out.splitlines())
    assert (first.number, second.number, second.is_outdated) == (1, 2, False)
    assert any("Windows" in report.problem for report in first.reports)


@pytest.mark.display
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_wines_own_libraries_list_its_adapter_and_lack_the_rest(windows: Wine, display: Display) -> None:
    windows.end()  # whether Wine has a display is decided by the first program that it starts
    answer = ask(windows, DISPLAY=display.name)
    (gpu,) = answer["report"]["gpus"]
    assert (gpu["state"], answer["report"]["problem"], answer["outdated"]) == ("ready", "", False)
    assert gpu["name"]
    assert gpu["memory_total_bytes"] > 0
    assert len(answer["readings"]) == 2
    for reading in answer["readings"]:
        assert reading["absent"] == dict.fromkeys(VALUES, "not_supported")
