"""Compiles the stand-in for the Vulkan loader and writes the scenarios it follows."""

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

SOURCE = Path(__file__).with_name("fake_vulkan.c")
GIB = 2**30
STRICT = ("-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror")
PROPERTIES_2 = "instance VK_KHR_get_physical_device_properties2"
PCI, BUDGET = "VK_EXT_pci_bus_info", "VK_EXT_memory_budget"


def compile_with_header(source: Path, target: Path, *flags: str) -> Path:
    """Compile over Khronos' own header, or skip where there is none."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail("No C compiler: install gcc to build the stand-in for the Vulkan loader.")
    probe = subprocess.run(
        [compiler, "-E", "-include", "vulkan/vulkan.h", "-x", "c", "/dev/null"], capture_output=True, text=True
    )
    if probe.returncode != 0:
        pytest.skip("Khronos' vulkan.h is not here: install libvulkan-dev")
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([compiler, *STRICT, *flags, "-o", str(target), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def card(number: int, extensions: tuple[str, ...] = (PCI, BUDGET), **changes: object) -> str:
    """The lines of a sound card; None takes a value away."""
    values: dict[str, object] = {
        "name": "NVIDIA GeForce RTX 3090",
        "vendor": 0x10DE,
        "device": 0x2204,
        "type": 2,
        "api": "1.3",
        "driver": "NVIDIA",
        "info": "580.95.05",
        "pci": f"0:{number + 3:x}:0.0",
        **changes,
    }
    lines = [f"device {number} {key} {value}" for key, value in values.items() if value is not None]
    lines += [f"device {number} extension {name}" for name in extensions]
    lines += [f"device {number} heap {24 * GIB} 1 {23 * GIB} {GIB}", f"device {number} heap {32 * GIB} 0 {30 * GIB} 0"]
    return "\n".join(lines)


class FakeVulkan:
    """The compiled loader and the scenario that it reads."""

    def __init__(self, library: Path, scenario_file: Path) -> None:
        self.library = library
        self.scenario_file = scenario_file

    def follow(self, *parts: str) -> Path:
        """Write the scenario and return the library that plays it."""
        self.scenario_file.write_text("\n".join(parts) + "\n", encoding="utf-8")
        return self.library

    def live(self) -> int:
        """How many instances were opened and not closed."""
        return int(ctypes.CDLL(str(self.library)).fake_live())


@functools.cache
def _compiled_once(folder: Path) -> Path:
    return compile_with_header(SOURCE, folder / "libvulkan.so.1", "-shared", "-fPIC")


@pytest.fixture
def fake_vulkan(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeVulkan]:
    """A loader of our own; at the end nothing that it handed out may be left."""
    if sys.platform != "linux":
        pytest.skip("the stand-in for the Vulkan loader is built for Linux")
    library = _compiled_once(tmp_path_factory.getbasetemp() / "fake_vulkan")
    fake = FakeVulkan(library, tmp_path / "vulkan.txt")
    monkeypatch.setenv("FAKE_VULKAN_SCENARIO", str(fake.scenario_file))
    yield fake
    assert fake.live() == 0
