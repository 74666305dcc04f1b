"""Compiles the stand-in for Windows' libraries and writes the scenarios it follows."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "fake_windows.c"
NAMES = ("dxgi.dll", "dxcore.dll", "gdi32.dll", "pdh.dll", "setupapi.dll", "cfgmgr32.dll")
STRICT = ("-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror")
GIB = 2**30
COUNTERS = "counter memory\ncounter engine\ncounter process"
RX_6800, RTX_3090 = 0xBEEF, 0x1_0000_C0DE


def compile_with(compiler: str, source: Path, target: Path, *flags: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [compiler, *STRICT, *flags, "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def put_into_place(library: Path, folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """The one library under each of the names by which Windows has it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        os.link(library, folder / name)
    return folder


def card(luid: int, **changes: object) -> str:
    """The lines of a sound card with what the display kernel says of it; None takes a value away."""
    values: dict[str, object] = {
        "name": "AMD Radeon RX 6800",
        "vendor": 0x1002,
        "device": 0x73BF,
        "subsystem": 0x0E3A1DA2,
        "dedicated": 16 * GIB,
        "integrated": 0,
        "bus": 0x0A,
        "temperature": 614,
        "fan": 1420,
        "fan_max": 3300,
        "warning": 1100,
        "memory_hz": 2_000_000_000,
        "node_hz": 2_105_400_000,
    }
    return _lines(f"card {luid:#x}", {**values, **changes})


def device(index: int, **changes: object) -> str:
    """The lines of the same card in Windows' list of devices."""
    values: dict[str, object] = {
        "ids": r"PCI\VEN_1002&DEV_73BF&SUBSYS_0E3A1DA2&REV_C1;PCI\VEN_1002&DEV_73BF&CC_0300",
        "service": "amdkmdag",
        "name": "AMD Radeon RX 6800",
        "version": "32.0.21025.1024",
        "bus": 0x0A,
        "address": 0,
    }
    return _lines(f"device {index}", {**values, **changes})


def rows(luid: int) -> str:
    """What the performance counters say of a card with two processes: one draws and decodes, one computes."""
    name = f"luid_0x{luid >> 32:08X}_0x{luid & 0xFFFF_FFFF:08X}_phys_0"
    return f"""
row memory {name} {3 * GIB}
row process pid_4711_{name} {2 * GIB}
row process pid_812_{name} {GIB // 2}
row engine pid_812_{name}_eng_0_engtype_3D 11.4
row engine pid_4711_{name}_eng_0_engtype_3D 2.2
row engine pid_812_{name}_eng_2_engtype_VideoDecode 31
row engine pid_4711_{name}_eng_5_engtype_Compute_0 87.6
"""


def _lines(start: str, values: dict[str, object]) -> str:
    return "".join(f"{start} {key} {value}\n" for key, value in values.items() if value is not None)


class FakeWindows:
    """The libraries in their folder, and the scenario that they read."""

    def __init__(self, library: Path, folder: Path, scenario_file: Path) -> None:
        self.library = library
        self.folder = folder
        self.scenario_file = scenario_file

    def follow(self, *parts: str) -> None:
        self.scenario_file.write_text("\n".join(parts) + "\n", encoding="utf-8")

    def live(self) -> int:
        """How much was handed out and not given back."""
        return int(ctypes.CDLL(str(self.folder / NAMES[0])).fake_live())


@functools.cache
def _compiled_once(folder: Path) -> Path:
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail("No C compiler: install gcc to build the stand-in for Windows' libraries.")
    return compile_with(compiler, SOURCE, folder / "fake_windows.so", "-shared", "-fPIC")


@pytest.fixture
def fake_windows(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeWindows]:
    """Windows' libraries on Linux; at the end nothing that they handed out may be left."""
    if sys.platform != "linux":
        pytest.skip("the stand-in for Windows' libraries is built for Linux")
    library = _compiled_once(tmp_path_factory.getbasetemp() / "fake_windows")
    fake = FakeWindows(library, put_into_place(library, tmp_path / "System32"), tmp_path / "scenario.txt")
    fake.follow()
    monkeypatch.setenv("FAKE_WINDOWS_SCENARIO", str(fake.scenario_file))
    yield fake
    assert fake.live() == 0
