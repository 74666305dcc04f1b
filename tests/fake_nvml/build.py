"""Compiles the fake `libnvidia-ml.so.1` and writes the scenarios it follows."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake_nvml.c")
GIB = 2**30


def nvml_header_folder() -> Path:
    """Where `nvidia-nvml-dev` put NVIDIA's own header."""
    try:
        files = importlib.metadata.files("nvidia-nvml-dev") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.fail("nvidia-nvml-dev is not installed: NVIDIA's nvml.h is needed to build the fake driver library.")
    return next(Path(str(file.locate())).parent for file in files if file.name == "nvml.h")


def compile_plain(source: Path, library: Path, *flags: str) -> Path:
    """Compile one C file into a shared library."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail("No C compiler: install gcc to build the fake driver library.")
    library.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [compiler, "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", *flags, "-o", str(library), str(source)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return library


@functools.cache
def compiled(folder: Path, *flags: str) -> Path:
    """The library in this folder, compiled once a process."""
    strict = ("-O1", "-Wall", "-Wextra", "-Werror", "-I", str(nvml_header_folder()))
    return compile_plain(SOURCE, folder / "libnvidia-ml.so.1", *strict, *flags, "-Wl,-soname,libnvidia-ml.so.1")


def card(index: int, **changes: object) -> str:
    """The lines of a sound GeForce card; `changes` replaces values, None takes one away, a list becomes a series."""
    values: dict[str, object] = {
        "name": "NVIDIA GeForce RTX 3090",
        "uuid": f"GPU-0000000{index}-1111-2222-3333-444444444444",
        "pci": f"0000000{index}:0A:00.0",
        "vbios": "94.02.42.80.15",
        "brand": 5,
        "compute_capability": 86,
        "memory_total": 24 * GIB,
        "memory_used": 3 * GIB,
        "temperature": 61,
        "slowdown": 95,
        "shutdown": 98,
        "power": 240_000,
        "power_instant": 251_500,
        "power_limit": 350_000,
        "power_limit_default": 370_000,
        "power_limit_min": 100_000,
        "power_limit_max": 400_000,
        "energy": [10_000_000, 10_251_000, 10_502_000],
        "utilization": 97,
        "utilization_memory": 44,
        "clock_sm": 1815,
        "clock_memory": 9751,
        "fan": 63,
        "fan_rpm": 1890,
        "throttle": 0x4,
        "pcie_generation": 4,
        "pcie_generation_max": 4,
        "pcie_width": 16,
        "pcie_width_max": 16,
        "replays": 2,
        # Some GeForce cards answer success and zeros here; they mean nothing.
        "remapped_corrected": 0,
        "remapped_uncorrected": 0,
        "remapped_pending": 0,
        "remapped_failed": 0,
    }
    lines = []
    for key, value in {**values, **changes}.items():
        if value is None:
            continue
        words = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        lines.append(f"card {index} {key} {words}")
    return "\n".join(lines) + "\n"


# What such a card does not tell: nothing of it may ever be shown as a number.
NOT_ON_GEFORCE = frozenset(
    {
        "temperature_hotspot_c",
        "temperature_memory_c",
        "ecc_corrected",
        "ecc_uncorrected",
        "ecc_corrected_volatile",
        "ecc_uncorrected_volatile",
        "retired_pages_sbe",
        "retired_pages_dbe",
        "retired_pages_pending",
        "remapped_rows_correctable",
        "remapped_rows_uncorrectable",
        "remapped_rows_pending",
        "remapped_rows_failed",
    }
)


def server_card(index: int, **changes: object) -> str:
    """The lines of a sound card for servers: it has no fan and counts its memory's errors."""
    values: dict[str, object] = {
        "name": "NVIDIA A100-PCIE-40GB",
        "brand": 14,
        "serial": "1322621023456",
        "compute_capability": 80,
        "memory_total": 40 * GIB,
        "temperature_memory": 74,
        "memory_max": 95,
        "fan": None,
        "fan_rpm": None,
        "ecc_corrected": 12,
        "ecc_uncorrected": 1,
        "ecc_corrected_volatile": 3,
        "ecc_uncorrected_volatile": 0,
        "retired_sbe": 2,
        "retired_dbe": 1,
        "retired_pending": 1,
        "remapped_corrected": 4,
        "remapped_uncorrected": 1,
        "remapped_pending": 1,
        "remapped_failed": 0,
    }
    return card(index, **{**values, **changes})


class FakeNvml:
    """A compiled library and the scenario file that it reads."""

    def __init__(self, library: Path, scenario_file: Path) -> None:
        self.library = library
        self.scenario_file = scenario_file

    def follow(self, *parts: str, driver: str = "580.95.05") -> None:
        """Write the scenario; the next nvmlInit reads it."""
        self.scenario_file.write_text(f"driver {driver}\n" + "\n".join(parts) + "\n", encoding="utf-8")


def _fake(flags: tuple[str, ...], factory: pytest.TempPathFactory, folder: Path, patch: pytest.MonkeyPatch) -> FakeNvml:
    if sys.platform != "linux":
        pytest.skip("the fake driver library is built for Linux")
    kind = "old" if flags else "new"
    library = compiled(factory.getbasetemp() / f"nvml-{kind}", *flags)
    fake = FakeNvml(library, folder / "scenario.txt")
    patch.setenv("FAKE_NVML_SCENARIO", str(fake.scenario_file))
    patch.setenv("LD_LIBRARY_PATH", str(library.parent))
    return fake


@pytest.fixture
def fake_nvml(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """A driver library of today; children started from here load it by LD_LIBRARY_PATH."""
    return _fake((), tmp_path_factory, tmp_path, monkeypatch)


@pytest.fixture
def old_fake_nvml(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FakeNvml:
    """A driver library that exports only what there was in 2017."""
    return _fake(("-DOLD_DRIVER",), tmp_path_factory, tmp_path, monkeypatch)
