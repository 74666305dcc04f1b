"""The sensor as a real child process over trees as Linux shows them under /sys."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_sysfs
import msgspec
import psutil
import pytest
from fake_nvml import build
from fake_nvml.build import FakeNvml
from fake_sysfs import FakeSysfs

from argentum_desktop.domain.gpu import GpuKind, GpuState, Vendor
from argentum_desktop.gpus.linux.amd import amd_source
from argentum_desktop.gpus.sensor import SensorProcess
from argentum_desktop.gpus.sensor_wire import Answer, Discover, Read, Request

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[2]


class Child:
    """The child, asked line by line as the service does."""

    def __init__(self, tree: FakeSysfs, *arguments: str) -> None:
        command = [sys.executable, "-m", "argentum_desktop.gpus.sensor", "--sysfs", str(tree.root), *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=REPOSITORY)
        self._number = 0

    def ask(self, request: Request) -> Answer:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(request) + b"\n")
        self.process.stdin.flush()
        return msgspec.json.decode(self.process.stdout.readline(), type=Answer)

    def discover(self) -> Answer:
        return self.ask(Discover(1))

    def read(self, after_s: float = 0.0) -> Answer:
        return self.ask(Read(2, NOW + timedelta(seconds=after_s)))

    def end(self) -> str:
        """Close its input; returns what it complained of."""
        _, complaints = self.process.communicate(timeout=10)
        return complaints.decode()


@pytest.fixture
def tree(tmp_path: Path) -> FakeSysfs:
    return FakeSysfs(tmp_path / "root")


@pytest.fixture
def children() -> Iterator[list[Child]]:
    running: list[Child] = []
    yield running
    for child in running:
        assert child.end() == ""


def start(children: list[Child], tree: FakeSysfs, *arguments: str) -> Child:
    children.append(Child(tree, *arguments))
    return children[-1]


def states(answer: Answer) -> list[tuple[Vendor, str, GpuState]]:
    return [(gpu.vendor, gpu.pci_id or "", gpu.state) for report in answer.reports for gpu in report.gpus]


def test_every_card_of_a_mixed_machine_is_listed_and_the_ready_ones_are_read(
    tree: FakeSysfs, children: list[Child]
) -> None:
    fake_sysfs.add_rdna(tree)
    fake_sysfs.add_apu(tree)
    tree.add("0000:04:00.0", "8086:56a0", "i915", fake_sysfs.hwmon({"name": "i915", "temp1_input": 49_000}))
    tree.add("0000:09:00.0", "10de:1b80", None)
    tree.add("0000:0a:00.0", "10de:2204", "vfio-pci")
    child = start(children, tree)
    answer = child.discover()
    assert states(answer) == [
        (Vendor.NVIDIA, "10de:1b80", GpuState.IGNORED),
        (Vendor.NVIDIA, "10de:2204", GpuState.PASSED_THROUGH),
        (Vendor.AMD, "1002:73bf", GpuState.READY),
        (Vendor.AMD, "1002:1638", GpuState.READY),
        (Vendor.INTEL, "8086:56a0", GpuState.READY),
    ]
    assert [report.problem for report in answer.reports] == ["", "", ""]
    assert [reading.temperature_c for reading in child.read().readings] == [61, 43, 49]


def test_a_machine_with_an_amd_card_speaks_of_the_amd_card_only(tree: FakeSysfs, children: list[Child]) -> None:
    fake_sysfs.add_rdna(tree)
    answer = start(children, tree).discover()
    assert [report.problem for report in answer.reports] == ["", ""]
    assert states(answer) == [(Vendor.AMD, "1002:73bf", GpuState.READY)]


def test_a_machine_without_any_list_keeps_the_drivers_words(tmp_path: Path, children: list[Child]) -> None:
    (tmp_path / "root").mkdir()
    tree = FakeSysfs(tmp_path / "other")
    tree.root = tmp_path / "root"
    (report,) = start(children, tree).discover().reports
    assert report.problem == "No NVIDIA driver is installed."


def test_nvml_and_the_bus_agree_on_a_card(tree: FakeSysfs, children: list[Child], fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(build.card(0, pci="00000000:0A:00.0"))
    tree.add("0000:0a:00.0", "10de:2204", "nvidia", subsystem="1462:3884")
    tree.add("0000:0b:00.0", "10de:1b80", None)
    fake_sysfs.add_rdna(tree)
    child = start(children, tree, "--library", str(fake_nvml.library))
    first, second, third = (gpu for report in child.discover().reports for gpu in report.gpus)
    assert (first.state, first.pci_address, first.driver) == (GpuState.READY, "0000:0a:00.0", "nvidia")
    assert (second.state, second.pci_id) == (GpuState.IGNORED, "10de:1b80")
    assert third.kind is GpuKind.DISCRETE
    assert [reading.temperature_c for reading in child.read().readings] == [61, 61]


def test_a_card_that_two_sources_list_is_listed_and_read_once(tree: FakeSysfs) -> None:
    fake_sysfs.add_rdna(tree)
    process = SensorProcess([amd_source(tree.root), amd_source(tree.root)])
    assert len(states(process.answer(Discover(1)))) == 1
    assert len(process.answer(Read(2, NOW)).readings) == 1


def test_what_comes_and_goes_makes_the_list_outdated(tree: FakeSysfs, children: list[Child]) -> None:
    fake_sysfs.add_rdna(tree)
    child = start(children, tree)
    child.discover()
    assert not child.read(0).is_outdated
    fake_sysfs.add_polaris(tree)
    assert not child.read(1).is_outdated
    assert child.read(5).is_outdated
    assert child.read(6).is_outdated
    assert len(states(child.discover())) == 2
    assert not child.read(12).is_outdated


def test_a_card_that_is_pulled_is_lost_and_the_list_outdated(tree: FakeSysfs, children: list[Child]) -> None:
    fake_sysfs.add_rdna(tree)
    fake_sysfs.add_polaris(tree)
    child = start(children, tree)
    child.discover()
    tree.pull("0000:03:00.0")
    answer = child.read()
    assert [reading.is_lost for reading in answer.readings] == [True, False]
    assert answer.is_outdated


def test_the_child_holds_only_what_the_machine_needs(tree: FakeSysfs) -> None:
    """Modules are memory: an Intel machine does not carry AMD's, one without a card neither."""
    program = (
        "import sys, argparse; from pathlib import Path; from argentum_desktop.gpus import sensor\n"
        "options = sensor._parse(['--sysfs', sys.argv[1]])\n"
        "sensor._sources(options, None, sensor._bus(options.sysfs))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('argentum_desktop.gpus.')))\n"
        "print(*({'asyncio', 'numpy', 'tomlkit', 'PySide6', 'pynvml'} & set(sys.modules)))\n"
    )

    def loaded() -> Sequence[str]:
        done = subprocess.run(
            [sys.executable, "-c", program, str(tree.root)], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        ours, heavy = done.stdout.split("\n")[:2]
        assert heavy == ""
        return [name.removeprefix("argentum_desktop.gpus.") for name in ours.split()]

    assert not {"linux.amd", "linux.intel", "linux.names"} & set(loaded())
    fake_sysfs.add_arc_xe(tree)
    assert "linux.intel" in loaded()
    assert "linux.amd" not in loaded()


def test_eight_amd_cards_fit_into_the_memory_of_a_sensor(tree: FakeSysfs, children: list[Child]) -> None:
    for number in range(8):
        files = {
            **fake_sysfs.RDNA,
            **fake_sysfs.hwmon(fake_sysfs.RDNA_HWMON),
            "unique_id": f"5d3a2b1c0f9e8d{number:02d}",
        }
        files["gpu_metrics"] = fake_sysfs.metrics_v1_3()
        tree.add(f"0000:{0x20 + number:02x}:00.0", "1002:73bf", "amdgpu", files)
    child = start(children, tree)
    assert len(states(child.discover())) == 8
    for second in range(20):
        assert len(child.read(second).readings) == 8
    assert psutil.Process(child.process.pid).memory_info().rss < 25 * 2**20
