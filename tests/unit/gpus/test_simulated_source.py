"""The simulated card behaves as a card does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.reading import Absence, Reading, ThrottleReason
from argentum_desktop.errors import BadInputError
from argentum_desktop.gpus.simulated.builds import NAMED, SLOWDOWN_C
from argentum_desktop.gpus.simulated.plan import CardPlan, Scenario
from argentum_desktop.gpus.simulated.source import SimulatedSource

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def watch(source: SimulatedSource, first_s: int, last_s: int) -> list[Reading]:
    return [source.read(NOW + timedelta(seconds=second))[0] for second in range(first_s, last_s)]


def test_it_never_hides_what_it_is() -> None:
    for gpu in SimulatedSource(8).discover().gpus:
        assert gpu.vendor is Vendor.SIMULATED
        assert gpu.is_simulated
        assert "simulated" in gpu.label.lower()
        assert gpu.label.endswith("(simulated)")
        assert gpu.gpu_id.startswith("SIM-")


def test_under_load_it_warms_up_like_a_first_order_body() -> None:
    source = SimulatedSource(1)
    idle = watch(source, 0, 60)[-1]
    source.set_load("SIM-0", 100, 8 * 2**30)
    rows = watch(source, 60, 660)
    temperatures = [row.temperature_c or 0 for row in rows]
    assert (idle.temperature_c or 0) < 40
    assert temperatures[5] < temperatures[30] < temperatures[90]
    assert temperatures[30] - temperatures[0] > 2 * (temperatures[120] - temperatures[90])
    assert 65 < temperatures[-1] < SLOWDOWN_C
    assert max(temperatures[-120:]) - min(temperatures[-120:]) <= 2
    assert (rows[-1].fan_percent or 0) > 50
    assert rows[-1].memory_used_bytes == 8 * 2**30 + 340 * 2**20
    assert rows[-1].throttle_reasons == (ThrottleReason.POWER_LIMIT,)


def test_power_clock_and_heat_follow_the_load_down_again() -> None:
    source = SimulatedSource(1)
    source.set_load("SIM-0", 100, 0)
    busy = watch(source, 0, 300)[-1]
    source.set_load("SIM-0", 0, 0)
    rest = watch(source, 300, 900)
    assert (busy.power_mw or 0) > 330_000
    assert (rest[8].power_mw or 0) < 30_000
    assert (busy.clock_sm_mhz or 0) > 3 * (rest[1].clock_sm_mhz or 0)
    assert (rest[1].temperature_c or 0) > (rest[-1].temperature_c or 0) + 30
    assert rest[-1].fan_percent == 0
    assert rest[-1].utilization_percent == 0


def test_the_counter_is_the_integral_of_the_power() -> None:
    source = SimulatedSource(1)
    source.set_load("SIM-0", 60, 0)
    rows = watch(source, 0, 301)
    counted = (rows[-1].energy_mj or 0) - (rows[0].energy_mj or 0)
    assert counted == pytest.approx(sum(row.power_mw or 0 for row in rows[1:]), rel=0.02)


def test_the_same_seed_gives_the_same_card_and_another_does_not() -> None:
    def rows(seed: int) -> list[Reading]:
        source = SimulatedSource(1, seed)
        source.set_load("SIM-0", 70, 0)
        return watch(source, 0, 60)

    assert rows(5) == rows(5)
    assert rows(5) != rows(6)


def test_no_load_makes_it_break_physics() -> None:
    source = SimulatedSource(4)
    for index in range(4):
        source.set_load(f"SIM-{index}", 100, 2**60)
    for second in range(0, 7200, 60):
        for gpu, reading in zip(source.discover().gpus, source.read(NOW + timedelta(seconds=second)), strict=True):
            assert 20 <= (reading.temperature_c or 0) <= 95
            assert (reading.power_mw or 0) <= 1.03 * (gpu.power_limit_mw or 0)
            assert (reading.memory_used_bytes or 0) <= (gpu.memory_total_bytes or 0)
            assert 0 <= (reading.fan_percent or 0) <= 100


def test_a_card_for_players_has_no_error_counters_and_one_for_work_has() -> None:
    usual, workstation, server, integrated = (
        SimulatedSource(0, scenario=Scenario((CardPlan(NAMED[name]),))).read(NOW)[0]
        for name in ("24 GB", "workstation", "server", "integrated")
    )
    assert usual.absent["ecc_corrected"] is usual.absent["retired_pages_sbe"] is Absence.NOT_SUPPORTED
    assert usual.absent["remapped_rows_failed"] is Absence.NOT_SUPPORTED
    assert (usual.pcie_replays, usual.xid_events, usual.processes) == (0, (), ())
    assert (workstation.ecc_corrected, workstation.remapped_rows_failed) == (0, 0)
    assert set(workstation.absent) == {"retired_pages_sbe", "retired_pages_dbe", "retired_pages_pending"}
    assert (server.ecc_uncorrected, server.retired_pages_pending) == (0, 0)
    assert server.absent["fan_percent"] is server.absent["fan_rpm"] is Absence.NOT_SUPPORTED
    assert integrated.absent["pcie_width"] is Absence.NOT_SUPPORTED


def test_the_link_sleeps_while_the_card_rests() -> None:
    source = SimulatedSource(4)
    resting = source.read(NOW)
    assert [(reading.pcie_generation, reading.pcie_width) for reading in resting] == [(1, 16), (1, 16), (1, 16), (1, 8)]
    source.set_load("SIM-3", 50, 0)
    assert source.read(NOW)[3].pcie_generation == 4


def test_a_clock_that_is_set_back_does_no_harm() -> None:
    source = SimulatedSource(1)
    first = source.read(NOW)[0]
    second = source.read(NOW - timedelta(hours=1))[0]
    assert second.energy_mj == first.energy_mj


@pytest.mark.parametrize(
    ("gpu_id", "percent", "memory"), [("SIM-1", 5, 0), ("SIM-0", 101, 0), ("SIM-0", -1, 0), ("SIM-0", 5, -1)]
)
def test_an_impossible_load_is_refused(gpu_id: str, percent: int, memory: int) -> None:
    with pytest.raises(BadInputError):
        SimulatedSource(1).set_load(gpu_id, percent, memory)
