"""What every source of cards must do: NVML through pynvml, against a compiled library, and the simulation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from fake_nvml import build

from argentum_desktop.domain.reading import METRIC_NAMES, Reading
from argentum_desktop.gpus.nvidia.source import NvidiaSource
from argentum_desktop.gpus.sensor_wire import Answer
from argentum_desktop.gpus.simulated import SimulatedSource
from argentum_desktop.gpus.source import GpuSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VALUES = (*METRIC_NAMES, "energy_mj")


@pytest.fixture(params=["nvidia", "nvidia that knows little", "simulated"])
def source(request: pytest.FixtureRequest) -> Iterator[GpuSource]:
    if request.param == "simulated":
        yield SimulatedSource(2)
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
    assert len({gpu.gpu_id for gpu in report.gpus}) == 2
    assert all(gpu.name and gpu.vendor is report.vendor for gpu in report.gpus)
    assert all(gpu.memory_total_bytes for gpu in report.gpus)


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
            assert (getattr(reading, name) is None) == (name in reading.absent), name
        if "throttle_reasons" in reading.absent:
            assert reading.throttle_reasons == ()
        assert set(reading.absent) <= {*VALUES, "throttle_reasons"}


def test_values_are_plausible(source: GpuSource) -> None:
    totals = {gpu.gpu_id: gpu.memory_total_bytes or 0 for gpu in source.discover().gpus}
    for reading in source.read(NOW):
        assert 0 < (reading.temperature_c or 0) < 110
        assert 0 < (reading.power_mw or 0) < 1_000_000
        assert 0 < (reading.memory_used_bytes or 0) <= totals[reading.gpu_id]
        assert 0 < (reading.clock_sm_mhz or 0) < 5000


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


def test_closing_twice_does_no_harm_and_listing_again_opens_it(source: GpuSource) -> None:
    first = source.discover()
    source.close()
    source.close()
    assert source.discover() == first
