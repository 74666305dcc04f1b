"""How often an NVIDIA card is asked what, and what stands in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_nvml import build
from fake_nvml.build import NOT_ON_GEFORCE, FakeNvml, card, server_card

from argentum_desktop.domain.reading import Absence, Reading
from argentum_desktop.gpus.nvidia.pauses import is_time_again
from argentum_desktop.gpus.nvidia.source import NvidiaSource

fake_nvml = build.fake_nvml

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EACH_SECOND = (
    "nvmlDeviceGetTemperatureV",
    "nvmlDeviceGetUtilizationRates",
    "nvmlDeviceGetMemoryInfo_v2",
    "nvmlDeviceGetCurrentClocksEventReasons",
)
OFTEN = (
    "nvmlDeviceGetEnforcedPowerLimit",
    "nvmlDeviceGetFanSpeed",
    "nvmlDeviceGetFanSpeedRPM",
    "nvmlDeviceGetCurrPcieLinkGeneration",
    "nvmlDeviceGetCurrPcieLinkWidth",
    "nvmlDeviceGetComputeRunningProcesses_v3",
)


class Watched:
    """A source over the fake driver, read at given seconds, and the calls that each reading cost."""

    def __init__(self, fake: FakeNvml, calls: Path) -> None:
        self.fake = fake
        self.calls = calls
        self.source = NvidiaSource(fake.library)

    def follow(self, *parts: str) -> None:
        self.fake.follow(f"calls {self.calls}", *parts)
        self.source.discover()

    def read(self, *seconds: float) -> list[Reading]:
        """The first card's reading at each of these seconds."""
        self.calls.unlink(missing_ok=True)
        return [self.source.read(NOW + timedelta(seconds=second))[0] for second in seconds]

    def cost(self, *seconds: float) -> Counter[str]:
        self.read(*seconds)
        return Counter(self.calls.read_text().split())


@pytest.fixture
def watched(fake_nvml: FakeNvml, tmp_path: Path) -> Iterator[Watched]:
    found = Watched(fake_nvml, tmp_path / "calls.txt")
    yield found
    found.source.close()


def test_a_second_costs_seven_calls_and_one_for_events(watched: Watched) -> None:
    watched.follow(card(0))
    watched.read(0)
    cost = watched.cost(1)
    assert cost.total() == 8
    assert cost["nvmlDeviceGetFieldValues"] == 1
    assert cost["nvmlEventSetWait_v2"] == 1
    assert cost["nvmlDeviceGetClockInfo"] == 2
    assert all(cost[function] == 1 for function in EACH_SECOND)


def test_what_changes_slowly_is_asked_seldom(watched: Watched) -> None:
    watched.follow(server_card(0))
    watched.read(0)
    cost = watched.cost(*range(1, 61))
    assert {cost[function] for function in EACH_SECOND} == {60}
    assert {cost[function] for function in OFTEN if "Fan" not in function} == {12}
    assert cost["nvmlDeviceGetFanSpeed"] == 0  # it has none, and said so
    assert cost["nvmlDeviceGetFieldValues"] == 60 + 2  # errors, pages and rows come in one call


def test_what_changes_at_once_is_asked_as_often_as_a_health_check_wants(watched: Watched) -> None:
    watched.follow(card(0, temperature=[50, 51, 52, 53]))
    assert [reading.temperature_c for reading in watched.read(0, 0.25, 0.5, 0.75)] == [50, 51, 52, 53]


def test_nothing_is_carried_on_where_all_is_wanted_anew(watched: Watched) -> None:
    watched.follow(card(0, fan=[40, 50], replays=[7, 8]))
    before = watched.read(0)[0]
    (carried, *_) = watched.read(1)
    (anew, *_) = watched.source.read(NOW + timedelta(seconds=2), all_anew=True)
    assert [(r.fan_percent, r.pcie_replays) for r in (before, carried, anew)] == [(40, 7), (40, 7), (50, 8)]


def test_ticks_that_are_a_little_early_or_late_change_nothing(watched: Watched) -> None:
    watched.follow(card(0))
    watched.read(0)
    cost = watched.cost(*(second + (0.02 if second % 2 else -0.02) for second in range(1, 61)))
    assert cost["nvmlDeviceGetFanSpeed"] == 12


def test_the_last_value_stands_in_between(watched: Watched) -> None:
    watched.follow(card(0, fan=[40, 50], replays=[7, 8]))
    readings = watched.read(*range(35))
    assert [reading.fan_percent for reading in readings[:6]] == [40, 40, 40, 40, 40, 50]
    assert [reading.pcie_replays for reading in readings[29:32]] == [7, 8, 8]


def test_what_is_not_supported_is_asked_again_after_minutes(watched: Watched) -> None:
    watched.follow(card(0, fan=None))
    watched.read(0)
    assert watched.cost(*range(1, 299))["nvmlDeviceGetFanSpeed"] == 0
    assert watched.cost(301)["nvmlDeviceGetFanSpeed"] == 1


def test_a_better_way_that_was_turned_down_is_tried_again_after_minutes(watched: Watched) -> None:
    watched.follow(card(0, power_instant=[0, 251_500]))
    powers = [reading.power_mw for reading in watched.read(0, 1, 299, 301)]
    assert powers == [240_000, 240_000, 240_000, 251_500]


def test_an_error_is_asked_again_soon(watched: Watched) -> None:
    watched.follow(server_card(0), "card 0 field_error 5 999")
    assert watched.read(0)[0].absent["ecc_corrected"] is Absence.ERROR
    assert watched.cost(*range(1, 11))["nvmlDeviceGetFieldValues"] == 10 + 2


def test_a_clock_that_is_set_back_stops_nothing(watched: Watched) -> None:
    watched.follow(card(0, fan=[40, 50]))
    first, second = watched.read(0, -86_400)
    assert (first.fan_percent, second.fan_percent) == (40, 50)


def test_a_driver_that_dies_leaves_no_old_values(watched: Watched) -> None:
    watched.follow(server_card(0, fails_after="90 999"))
    *_, last = watched.read(*range(12))
    assert {name: why for name, why in last.absent.items() if why is Absence.NOT_SUPPORTED}.keys() <= {
        "temperature_hotspot_c",
        "fan_percent",
        "fan_rpm",
    }
    assert last.absent["ecc_corrected"] is last.absent["pcie_width"] is Absence.ERROR
    assert (last.ecc_corrected, last.pcie_width, last.processes) == (None, None, ())


def test_one_value_that_fails_is_no_reason_to_doubt_the_others(watched: Watched) -> None:
    watched.follow(card(0), "card 0 error nvmlDeviceGetTemperatureV 999")
    *_, last = watched.read(0, 1, 2)
    assert last.absent.keys() == NOT_ON_GEFORCE | {"temperature_c"}
    assert last.fan_percent == 63


@pytest.mark.parametrize(
    ("last_s", "is_so"), [(None, True), (-3, False), (-4.4, False), (-4.6, True), (-5, True), (1, True)]
)
def test_when_it_is_time_again(last_s: float | None, is_so: bool) -> None:
    last = None if last_s is None else NOW + timedelta(seconds=last_s)
    assert is_time_again(last, NOW, 5.0) is is_so
