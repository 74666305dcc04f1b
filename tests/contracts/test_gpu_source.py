"""What every source of cards must do: NVML against a compiled library, AMD's and Intel's over /sys, the simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import fake_sysfs
import msgspec
import pytest
from fake_nvml import build
from fake_sysfs import FakeSysfs

from argentum_desktop.domain.gpu import GpuState, Vendor
from argentum_desktop.domain.reading import METRIC_BY_NAME, PROCESSES, VALUES, XID_EVENTS, Absence, Reading
from argentum_desktop.gpus.linux.amd import amd_source
from argentum_desktop.gpus.linux.intel import intel_source
from argentum_desktop.gpus.linux.source import SysfsSource
from argentum_desktop.gpus.nvidia.source import NvidiaSource
from argentum_desktop.gpus.power_limits import NO_SUCH_CARD
from argentum_desktop.gpus.sensor_wire import Answer
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.gpus.source import GpuSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _amd(tree: FakeSysfs) -> SysfsSource:
    fake_sysfs.add_rdna(tree)
    tree.add("0000:0a:00.0", "1002:73bf", "amdgpu", {**fake_sysfs.RDNA, "unique_id": "5d3a2b1c0f9e8d7d"})
    return amd_source(tree.root)


def _amd_old(tree: FakeSysfs) -> SysfsSource:
    fake_sysfs.add_polaris(tree)
    return amd_source(tree.root)


def _amd_integrated(tree: FakeSysfs) -> SysfsSource:
    fake_sysfs.add_apu(tree)
    return amd_source(tree.root)


def _amd_server(tree: FakeSysfs) -> SysfsSource:
    fake_sysfs.add_rdna(tree, gpu_metrics=fake_sysfs.metrics_v1_8(2**40, (0, 1, 2, 3, 4)))
    return amd_source(tree.root)


def _amd_broken(tree: FakeSysfs) -> SysfsSource:
    device = fake_sysfs.add_rdna(tree)
    for file in sorted((device.folder / "hwmon/hwmon2").iterdir()):
        file.write_bytes(b"\xff" * 50)
    device.write({"gpu_metrics": b"\xff" * 50, "unique_id": b"\xff", "gpu_busy_percent": 101})
    return amd_source(tree.root)


def _intel_xe(tree: FakeSysfs) -> SysfsSource:
    fake_sysfs.add_arc_xe(tree)
    return intel_source(tree.root)


def _intel_i915(tree: FakeSysfs) -> SysfsSource:
    fake_sysfs.add_arc_i915(tree)
    tree.add("0000:00:02.0", "8086:46a6", "i915")
    return intel_source(tree.root)


TREES: dict[str, Callable[[FakeSysfs], SysfsSource]] = {
    "amd": _amd,
    "amd, old": _amd_old,
    "amd, integrated": _amd_integrated,
    "amd, server": _amd_server,
    "amd, broken": _amd_broken,
    "intel, xe": _intel_xe,
    "intel, i915": _intel_i915,
}


@pytest.fixture(params=["nvidia", "nvidia that knows little", "simulated", *TREES])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GpuSource]:
    if request.param == "simulated":
        yield SimulatedSource(2)
        return
    if request.param in TREES:
        yield TREES[request.param](FakeSysfs(tmp_path / "tree"))
        return
    fake = request.getfixturevalue("fake_nvml")
    little = dict.fromkeys(("fan", "energy", "power_instant", "throttle", "utilization", "slowdown", "pci"))
    changes = little if request.param == "nvidia that knows little" else {}
    fake.follow(build.card(0, **changes), build.card(1, **changes))
    nvidia = NvidiaSource(fake.library)
    yield nvidia
    nvidia.close()


def test_cards_have_distinct_ids_and_names(source: GpuSource) -> None:
    report = source.discover()
    assert (report.problem, report.remedy) == ("", "")
    assert report.gpus
    assert len({gpu.gpu_id for gpu in report.gpus}) == len(report.gpus)
    for gpu in report.gpus:
        assert gpu.name
        assert gpu.vendor is report.vendor
        assert gpu.state is GpuState.READY
        assert gpu.memory_total_bytes is None or gpu.memory_total_bytes > 0
        assert set(gpu.sources) <= set(VALUES)


def test_listing_twice_gives_the_same_cards(source: GpuSource) -> None:
    assert source.discover() == source.discover()


def test_there_is_one_reading_a_card_in_the_order_of_the_list(source: GpuSource) -> None:
    ids = [gpu.gpu_id for gpu in source.discover().gpus]
    for second in range(3):
        now = NOW + timedelta(seconds=second)
        readings = source.read(now)
        assert [reading.gpu_id for reading in readings] == ids
        assert all(reading.taken_at == now for reading in readings)


def test_a_value_is_there_or_its_absence_is_explained(source: GpuSource) -> None:
    source.discover()
    for reading in source.read(NOW):
        for name in VALUES:
            value = getattr(reading, name)
            if name in METRIC_BY_NAME:
                assert (value is None) == (name in reading.absent), name
            elif name in reading.absent:
                assert value == (), name
        assert set(reading.absent) <= set(VALUES)


def test_values_are_plausible(source: GpuSource) -> None:
    totals = {gpu.gpu_id: gpu.memory_total_bytes for gpu in source.discover().gpus}
    source.read(NOW)
    for reading in source.read(NOW + timedelta(seconds=1)):
        for name, metric in METRIC_BY_NAME.items():
            value = getattr(reading, name)
            assert value is None or metric.is_plausible(value), name
        if reading.temperature_c is not None:
            assert 0 < reading.temperature_c < 110
        if reading.memory_used_bytes is not None:
            assert reading.memory_used_bytes <= (totals[reading.gpu_id] or 2**50)


def test_nobody_invents_what_only_others_have(source: GpuSource) -> None:
    """XID numbers are NVIDIA's; a list of processes that misses some is none."""
    report = source.discover()
    if report.vendor in {Vendor.AMD, Vendor.INTEL}:
        for reading in source.read(NOW):
            assert reading.absent[XID_EVENTS] is Absence.NOT_SUPPORTED
            assert reading.absent[PROCESSES] is Absence.NOT_SUPPORTED


def test_the_energy_counter_never_falls(source: GpuSource) -> None:
    source.discover()
    rows = [source.read(NOW + timedelta(seconds=second)) for second in range(4)]
    for earlier, later in pairwise(rows):
        for one, other in zip(earlier, later, strict=True):
            if one.energy_mj is not None:
                assert other.energy_mj is not None
                assert other.energy_mj >= one.energy_mj


def test_everything_survives_the_way_through_the_pipe(source: GpuSource) -> None:
    answer = Answer(7, reports=(source.discover(),), readings=tuple(source.read(NOW)))
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer
    assert all(isinstance(reading, Reading) for reading in answer.readings)


def test_a_power_limit_is_set_and_set_back_or_refused_in_words(source: GpuSource) -> None:
    for gpu in source.discover().gpus:
        own_mw = source.power_limit_mw(gpu.gpu_id)
        if own_mw is None:
            assert source.set_power_limit(gpu.gpu_id, 150_000)
            continue
        assert source.set_power_limit(gpu.gpu_id, own_mw * 9 // 10) == ""
        assert source.power_limit_mw(gpu.gpu_id) == own_mw * 9 // 10
        for impossible_mw in (0, -1):
            assert source.set_power_limit(gpu.gpu_id, impossible_mw).endswith(".")
        assert source.set_power_limit(gpu.gpu_id, own_mw) == ""
        assert source.power_limit_mw(gpu.gpu_id) == own_mw
    assert source.set_power_limit("GPU-nobody-has", 150_000) == NO_SUCH_CARD
    assert source.power_limit_mw("GPU-nobody-has") is None


def test_closing_twice_does_no_harm_and_listing_again_opens_it(source: GpuSource) -> None:
    first = source.discover()
    source.close()
    source.close()
    assert source.discover() == first
