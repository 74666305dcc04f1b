"""Setting a card's power limit: over NVML, a compiled library; over hwmon, a tree; simulated; and every refusal."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_sysfs
import pytest
from fake_nvml import build
from fake_nvml.build import FakeNvml, card
from fake_sysfs import FakeSysfs

from argentum_desktop.gpus import power_limits
from argentum_desktop.gpus.linux.amd import amd_source
from argentum_desktop.gpus.linux.intel import intel_source
from argentum_desktop.gpus.nvidia.source import NvidiaSource
from argentum_desktop.gpus.sensor import SensorProcess
from argentum_desktop.gpus.sensor_wire import Discover, GetPowerLimit, SetPowerLimit
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.gpus.source import GpuSource
from argentum_desktop.gpus.windows.source import WindowsSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def only(source: GpuSource) -> str:
    (gpu,) = source.discover().gpus
    return gpu.gpu_id


def nvidia(fake: FakeNvml, *lines: str, **changes: object) -> tuple[NvidiaSource, str]:
    fake.follow(card(0, **changes), *lines)
    source = NvidiaSource(fake.library)
    return source, only(source)


def test_nvidia_takes_a_limit_and_the_reading_shows_it(fake_nvml: FakeNvml) -> None:
    source, gpu_id = nvidia(fake_nvml)
    assert source.power_limit_mw(gpu_id) == 350_000
    assert source.set_power_limit(gpu_id, 280_000) == ""
    assert source.power_limit_mw(gpu_id) == 280_000
    assert source.read(NOW)[0].power_limit_mw == 280_000
    source.close()
    assert source.set_power_limit(gpu_id, 280_000) == power_limits.NO_SUCH_CARD


def test_what_nvidias_driver_was_told_outlives_the_process(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    source, gpu_id = nvidia(fake_nvml, power_limit_file=tmp_path / "limit")
    source.set_power_limit(gpu_id, 280_000)
    source.close()
    source.discover()
    assert source.power_limit_mw(gpu_id) == 280_000
    source.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4, power_limits.NO_PERMISSION),
        (3, power_limits.NOT_HERE),
        (13, power_limits.NOT_HERE),
        (999, "The card's driver refuses to change its power limit"),
    ],
)
def test_nvidias_refusals_in_words(fake_nvml: FakeNvml, code: int, words: str) -> None:
    source, gpu_id = nvidia(fake_nvml, f"card 0 error nvmlDeviceSetPowerManagementLimit {code}")
    assert source.set_power_limit(gpu_id, 280_000).startswith(words)
    assert source.power_limit_mw(gpu_id) == 350_000
    source.close()


@pytest.mark.parametrize(
    ("power_mw", "bounds"), [(99_999, "from 100 W to 400 W"), (400_001, "from 100 W to 400 W"), (0, "above zero")]
)
def test_a_limit_beyond_the_cards_range_is_refused(fake_nvml: FakeNvml, power_mw: int, bounds: str) -> None:
    source, gpu_id = nvidia(fake_nvml)
    assert bounds in source.set_power_limit(gpu_id, power_mw)
    assert source.power_limit_mw(gpu_id) == 350_000
    source.close()


def test_a_card_that_tells_no_limit_or_is_lost(fake_nvml: FakeNvml) -> None:
    source, gpu_id = nvidia(fake_nvml, power_limit=None)
    assert source.power_limit_mw(gpu_id) is None
    assert source.set_power_limit(gpu_id, 200_000) == power_limits.NOT_HERE
    source.close()
    source, gpu_id = nvidia(fake_nvml, lost_after=40)
    for second in range(20):
        source.read(NOW + timedelta(seconds=second))
    assert source.set_power_limit(gpu_id, 200_000) == power_limits.NO_SUCH_CARD
    assert source.power_limit_mw(gpu_id) is None
    source.close()


def test_amd_takes_a_limit_in_its_file(tmp_path: Path) -> None:
    tree = FakeSysfs(tmp_path / "tree")
    device = fake_sysfs.add_rdna(tree)
    source = amd_source(tree.root)
    gpu_id = only(source)
    file = device.folder / "hwmon/hwmon2/power1_cap"
    assert source.power_limit_mw(gpu_id) == 250_000
    assert source.set_power_limit(gpu_id, 200_000) == ""
    assert file.read_text() == "200000000\n"
    assert source.read(NOW + timedelta(minutes=1))[0].power_limit_mw == 200_000
    assert "at most 312 W" in source.set_power_limit(gpu_id, 320_000)
    device.write({"hwmon/hwmon2/power1_cap_min": 150_000_000})
    assert "from 150 W to 312 W" in source.set_power_limit(gpu_id, 100_000)
    assert source.power_limit_mw(gpu_id) == 200_000


def test_intel_takes_the_limit_that_is_switched_on(tmp_path: Path) -> None:
    tree = FakeSysfs(tmp_path / "tree")
    device = fake_sysfs.add_arc_xe(tree)
    source = intel_source(tree.root)
    gpu_id = only(source)
    assert source.power_limit_mw(gpu_id) == 170_000
    assert source.set_power_limit(gpu_id, 120_000) == ""
    assert (device.folder / "hwmon/hwmon2/power2_max").read_text() == "120000000\n"
    assert (device.folder / "hwmon/hwmon2/power1_max").read_text() == "0\n"


def test_a_limit_that_may_not_be_written_or_is_not_there(tmp_path: Path) -> None:
    tree = FakeSysfs(tmp_path / "tree")
    device = fake_sysfs.add_rdna(tree)
    source = amd_source(tree.root)
    gpu_id = only(source)
    file = device.folder / "hwmon/hwmon2/power1_cap"
    device.write({"power/runtime_status": "suspended"})
    assert source.set_power_limit(gpu_id, 200_000) == power_limits.ASLEEP
    device.write({"power/runtime_status": "active"})
    file.unlink()
    assert source.set_power_limit(gpu_id, 200_000) == power_limits.NOT_HERE
    assert not file.exists()
    file.mkdir()
    assert source.set_power_limit(gpu_id, 200_000).startswith("The card's driver refuses")
    device.folder.joinpath("driver").unlink()
    assert source.set_power_limit(gpu_id, 200_000) == power_limits.NO_SUCH_CARD
    apu = FakeSysfs(tmp_path / "apu")
    fake_sysfs.add_apu(apu)
    integrated = amd_source(apu.root)
    assert integrated.set_power_limit(only(integrated), 10_000) == power_limits.NOT_HERE


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_ordinary_account_is_told_so() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        tree = FakeSysfs(Path(folder) / "tree")
        fake_sysfs.add_rdna(tree)
        source = amd_source(tree.root)
        gpu_id = only(source)
        os.seteuid(65534)
        try:
            assert source.set_power_limit(gpu_id, 200_000) == power_limits.NO_PERMISSION
        finally:
            os.seteuid(0)
        assert source.power_limit_mw(gpu_id) == 250_000


def test_a_simulated_card_obeys_and_stays_cooler() -> None:
    warm, cool = SimulatedSource(1), SimulatedSource(1)
    assert cool.power_limit_mw("SIM-0") == 350_000
    assert cool.set_power_limit("SIM-0", 200_000) == ""
    for source in (warm, cool):
        source.set_load("SIM-0", 100, 0)
        readings = [source.read(NOW + timedelta(seconds=second))[0] for second in range(400)]
        source.last = readings[-1]  # type: ignore[attr-defined]
    assert cool.last.power_limit_mw == 200_000  # type: ignore[attr-defined]
    assert (cool.last.power_mw or 0) < 205_000 < (warm.last.power_mw or 0)  # type: ignore[attr-defined]
    assert (cool.last.temperature_c or 0) + 10 < (warm.last.temperature_c or 0)  # type: ignore[attr-defined]
    assert "from 105 W to 350 W" in cool.set_power_limit("SIM-0", 100_000)
    assert cool.set_power_limit("SIM-9", 200_000) == power_limits.NO_SUCH_CARD
    assert cool.power_limit_mw("SIM-9") is None


def test_windows_own_words() -> None:
    assert WindowsSource().set_power_limit("GPU-1", 200_000) == power_limits.NO_SUCH_CARD
    assert WindowsSource().power_limit_mw("GPU-1") is None


def test_the_sensor_asks_the_source_that_lists_the_card(fake_nvml: FakeNvml) -> None:
    fake_nvml.follow(card(0))
    simulated = SimulatedSource(1)
    process = SensorProcess((NvidiaSource(fake_nvml.library), simulated), simulated)
    assert process.answer(SetPowerLimit(1, "SIM-0", 200_000)).refusal == power_limits.NO_SUCH_CARD
    listed = [gpu.gpu_id for report in process.answer(Discover(2)).reports for gpu in report.gpus]
    assert len(listed) == 2
    for number, gpu_id in enumerate(listed):
        assert process.answer(GetPowerLimit(3, gpu_id)).power_limit_mw == 350_000
        assert process.answer(SetPowerLimit(4, gpu_id, 200_000 + number)).refusal == ""
        assert process.answer(GetPowerLimit(5, gpu_id)).power_limit_mw == 200_000 + number
    assert process.answer(GetPowerLimit(6, "GPU-unknown")).power_limit_mw is None
    process.close()
