"""Cards that come, go, fall off the bus and come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from benches import BenchWithClock, a_bench
from quiet_log import ExpectLog
from samples import GPU, lease, reading

from argentum_desktop.agent.cards_watch import CardsWatch, with_lost
from argentum_desktop.agent.notices import NoticeBoard
from argentum_desktop.domain.gpu import Gpu, GpuState, SourceReport, Vendor
from argentum_desktop.gpus.watched_sensor import CardsFound
from argentum_desktop.telemetry.sampler import ReadingsTaken

PLACED = replace(GPU, pci_address="0000:01:00.0")
OTHER = Gpu("GPU-2", "GeForce RTX 3090", Vendor.NVIDIA, pci_address="0000:02:00.0")
ON_THE_BUS = Gpu(
    "PCI-0000:01:00.0-10de:2786",
    "NVIDIA card 10de:2786",
    Vendor.NVIDIA,
    state=GpuState.IGNORED,
    problem="Not listed.",
    pci_address="0000:01:00.0",
)


def report(*gpus: Gpu, problem: str = "", remedy: str = "") -> SourceReport:
    return SourceReport(Vendor.NVIDIA, gpus, problem, remedy)


def known(*gpus: Gpu) -> dict[str, Gpu]:
    return {gpu.gpu_id: gpu for gpu in gpus}


def test_what_is_listed_is_taken_as_it_is() -> None:
    assert with_lost({}, [report(PLACED, OTHER)]) == known(PLACED, OTHER)


def test_a_card_that_is_not_listed_any_more_is_lost_and_the_other_stays() -> None:
    gpus = with_lost(known(PLACED, OTHER), [report(OTHER)])
    assert gpus[OTHER.gpu_id] == OTHER
    assert gpus[PLACED.gpu_id].state is GpuState.LOST
    assert "power cables" in gpus[PLACED.gpu_id].remedy


def test_a_lost_card_that_the_bus_still_knows_is_shown_once_under_its_own_name() -> None:
    gpus = with_lost(known(PLACED), [report(ON_THE_BUS)])
    assert [(gpu.name, gpu.state) for gpu in gpus.values()] == [(PLACED.name, GpuState.LOST)]


def test_it_stays_lost_over_further_lists_and_is_well_again_when_it_comes_back() -> None:
    once = with_lost(known(PLACED, OTHER), [report(OTHER)])
    twice = with_lost(once, [report(OTHER)])
    assert twice == once
    assert with_lost(twice, [report(PLACED, OTHER)]) == known(PLACED, OTHER)


def test_a_card_that_never_answered_is_not_called_lost() -> None:
    assert with_lost(known(ON_THE_BUS), [report()]) == {}


def test_another_card_in_its_place_takes_its_place() -> None:
    new = replace(OTHER, pci_address=PLACED.pci_address)
    assert with_lost(known(PLACED), [report(new)]) == known(new)


@pytest.mark.parametrize("state", [GpuState.PASSED_THROUGH, GpuState.NO_DRIVER])
def test_a_card_that_its_owner_gave_away_is_not_lost(state: GpuState) -> None:
    given = replace(ON_THE_BUS, state=state, problem="It is set aside.")
    assert with_lost(known(PLACED), [report(given)]) == known(given)


def test_where_the_driver_says_why_its_words_are_told() -> None:
    gpus = with_lost(known(PLACED), [report(problem="The driver was updated.", remedy="Restart the computer.")])
    assert (gpus[PLACED.gpu_id].problem, gpus[PLACED.gpu_id].remedy) == (
        "The driver was updated.",
        "Restart the computer.",
    )


class Run:
    """A job on the first card."""

    def __init__(self) -> None:
        self.lease = lease()
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class Stand:
    def __init__(self, here: BenchWithClock) -> None:
        self.bench = here.bench
        self.notices = NoticeBoard()
        self.runs: list[Run] = []
        self.watch = CardsWatch(here.bench, None, self.notices, lambda: self.runs)  # type: ignore[arg-type, return-value]

    def find(self, *reports: SourceReport) -> None:
        self.bench.events.publish(CardsFound(reports))

    def told(self) -> list[str]:
        return [notice.message for notice in self.notices.all()]


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with a_bench(tmp_path, gpus={}, readings={}) as here:
        yield Stand(here)


async def test_the_owner_is_told_of_a_lost_card_until_it_is_back(stand: Stand) -> None:
    stand.find(report(PLACED, OTHER))
    assert stand.told() == []
    stand.find(report(OTHER))
    assert stand.told() == ["GeForce RTX 4070: The card no longer answers its driver."]
    assert stand.bench.readings[PLACED.gpu_id].is_lost
    stand.find(report(PLACED, OTHER))
    assert stand.told() == []
    stand.bench.events.publish(ReadingsTaken((reading(temperature_c=50),)))
    assert not stand.bench.readings[PLACED.gpu_id].is_lost


@pytest.mark.parametrize(
    "now",
    [
        report(replace(ON_THE_BUS, state=GpuState.PASSED_THROUGH)),
        report(replace(OTHER, pci_address=PLACED.pci_address)),
        report(),
    ],
    ids=["given to a virtual machine", "another card in its place", "not there at all"],
)
async def test_a_job_has_lost_its_card_whatever_became_of_it(stand: Stand, now: SourceReport) -> None:
    stand.find(report(PLACED))
    stand.runs.append(Run())
    stand.find(now)
    assert stand.bench.readings[PLACED.gpu_id].is_lost
    assert stand.runs[0].woken == 1


async def test_a_notice_of_a_lost_card_goes_when_another_takes_its_place(stand: Stand) -> None:
    stand.find(report(PLACED))
    stand.find(report())
    assert "GeForce RTX 4070: The card no longer answers its driver." in stand.told()
    stand.find(report(replace(OTHER, pci_address=PLACED.pci_address)))
    assert stand.told() == []


async def test_a_computer_whose_only_card_cannot_work_says_why(stand: Stand) -> None:
    stand.find(report(ON_THE_BUS))
    assert stand.told() == ["NVIDIA card 10de:2786: Not listed."]
    stand.find(report(PLACED))
    assert stand.told() == []


async def test_a_computer_without_any_says_so(stand: Stand) -> None:
    stand.find(report())
    assert stand.told() == ["No card was found in this computer."]


async def test_an_error_that_the_card_reports_stands_in_the_log(stand: Stand, expect_log: ExpectLog) -> None:
    expect_log("GeForce RTX 4070 reported the error 79")
    stand.find(report(PLACED))
    stand.bench.events.publish(ReadingsTaken((reading(xid_events=(79,)),)))
