"""All cards of the machine out of what the vendors list and what is on the bus."""

from __future__ import annotations

from dataclasses import replace

import pytest

from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, SourceReport, Vendor
from argentum_desktop.gpus.discovery import PciCard, all_cards, doubles

NVIDIA = Gpu("GPU-1", "RTX", Vendor.NVIDIA, pci_address="0000:01:00.0")
AMD = Gpu("GPU-2", "RX", Vendor.AMD, pci_address="0000:03:00.0")
NO_NVIDIA = SourceReport(Vendor.NVIDIA, (), "No NVIDIA driver is installed.", "Install it.")


def card(pci_id: str, driver: str | None = None, address: str = "0000:01:00.0") -> PciCard:
    vendor, device = pci_id.split(":")
    return PciCard(address, int(vendor, 16), int(device, 16), "1458:3702", driver)


def listed(reports: tuple[SourceReport, ...]) -> list[Gpu]:
    return [gpu for report in reports for gpu in report.gpus]


def only(pci: PciCard, *reports: SourceReport) -> Gpu:
    (gpu,) = listed(all_cards(reports, [pci], lambda _: "A card"))
    return gpu


def test_of_two_that_list_a_card_the_first_counts() -> None:
    other = Gpu("WIN-1", "Same card", Vendor.NVIDIA, pci_address="0000:01:00.0")
    reports = (SourceReport(Vendor.NVIDIA, (NVIDIA,)), SourceReport(Vendor.OTHER, (other, replace(AMD), NVIDIA)))
    assert doubles(reports) == (frozenset(), frozenset({"WIN-1", "GPU-1"}))
    assert listed(all_cards(reports)) == [NVIDIA, AMD]


def test_cards_without_an_address_are_not_taken_for_each_other() -> None:
    cards = tuple(Gpu(f"GPU-{n}", "RTX", Vendor.NVIDIA) for n in range(3))
    reports = (SourceReport(Vendor.NVIDIA, cards[:2]), SourceReport(Vendor.OTHER, cards[2:]))
    assert listed(all_cards(reports)) == list(cards)


def test_a_listed_card_learns_what_the_bus_knows_of_it() -> None:
    known = replace(NVIDIA, driver="nvidia", pci_id="10de:2204")
    (gpu,) = listed(all_cards([SourceReport(Vendor.NVIDIA, (known,))], [card("10de:ffff", "other")]))
    assert (gpu.pci_id, gpu.pci_subsystem, gpu.driver) == ("10de:2204", "1458:3702", "nvidia")
    (gpu,) = listed(all_cards([SourceReport(Vendor.NVIDIA, (NVIDIA,))], [card("10de:2204", "nvidia")]))
    assert (gpu.pci_id, gpu.driver) == ("10de:2204", "nvidia")


def test_a_card_that_a_virtual_machine_has_is_listed_as_such() -> None:
    gpu = only(card("10de:2204", "vfio-pci"), NO_NVIDIA)
    assert gpu == Gpu(
        gpu_id="PCI-0000:01:00.0-10de:2204-1458:3702",
        name="A card",
        vendor=Vendor.NVIDIA,
        state=GpuState.PASSED_THROUGH,
        problem="It is set aside for a virtual machine (driver vfio-pci).",
        remedy="Shut the virtual machine down and give the card back to its own driver.",
        pci_address="0000:01:00.0",
        pci_id="10de:2204",
        pci_subsystem="1458:3702",
        driver="vfio-pci",
    )


@pytest.mark.parametrize(
    ("pci_id", "driver", "state", "problem", "remedy"),
    [
        ("10de:2204", None, GpuState.NO_DRIVER, "No driver runs", "NVIDIA's driver and"),
        ("10de:2204", "nouveau", GpuState.NO_DRIVER, "free driver nouveau", "NVIDIA's driver and"),
        ("10de:1b80", "nouveau", GpuState.NO_DRIVER, "free driver nouveau", "580 driver, the last one for Pascal"),
        ("10de:2204", "nvidia", GpuState.IGNORED, "does not list it", "seat"),
        ("10de:1b80", None, GpuState.IGNORED, "after 580 leave Pascal cards out", "NVIDIA's 580 driver"),
        ("10de:13c2", None, GpuState.IGNORED, "Maxwell", "NVIDIA's 580 driver"),
        ("10de:1db4", None, GpuState.IGNORED, "Volta", "NVIDIA's 580 driver"),
        ("10de:15f8", None, GpuState.IGNORED, "Pascal", "NVIDIA's 580 driver"),
        ("10de:1187", None, GpuState.IGNORED, "Kepler", "NVIDIA's 470 driver"),
        ("10de:1e04", None, GpuState.NO_DRIVER, "No driver runs", "NVIDIA's driver and"),
        ("1002:73bf", None, GpuState.NO_DRIVER, "No driver runs", "amdgpu"),
        ("1002:6798", "radeon", GpuState.NO_DRIVER, "radeon", "amdgpu.si_support=1"),
        ("1002:73bf", "amdgpu", GpuState.IGNORED, "AMD driver amdgpu has this card", "seat"),
        ("8086:56a0", None, GpuState.NO_DRIVER, "No driver runs", "Update Linux"),
        ("1ed5:0200", "mtgpu", GpuState.IGNORED, "cannot read cards of this maker", ""),
        ("1234:1111", "bochs-drm", GpuState.IGNORED, "virtual machine", "real card"),
        ("1af4:1050", None, GpuState.IGNORED, "virtual machine", "real card"),
    ],
)
def test_a_card_that_no_driver_lists_says_why_and_what_helps(
    pci_id: str, driver: str | None, state: GpuState, problem: str, remedy: str
) -> None:
    gpu = only(card(pci_id, driver))
    assert gpu.state is state
    assert problem in gpu.problem
    assert remedy in gpu.remedy


def test_a_driver_that_says_what_ails_it_is_believed() -> None:
    report = SourceReport(Vendor.NVIDIA, (), "The driver was updated.", "Restart.")
    (result,) = all_cards([report], [card("10de:2204", "nvidia")])
    assert (result.gpus[0].state, result.gpus[0].problem, result.gpus[0].remedy) == (
        GpuState.IGNORED,
        "The driver was updated.",
        "Restart.",
    )
    assert result.problem == ""  # once is enough


def test_one_card_of_two_that_is_ignored_stands_beside_the_other() -> None:
    report = SourceReport(Vendor.NVIDIA, (NVIDIA,), "No answer for card 2 of 2.", "Restart.")
    pascal = card("10de:1b80", None, "0000:02:00.0")
    (result,) = all_cards([report], [card("10de:2204", "nvidia"), pascal])
    assert [gpu.state for gpu in result.gpus] == [GpuState.READY, GpuState.IGNORED]
    assert result.problem == "No answer for card 2 of 2."


def test_words_about_a_vendor_that_is_not_here_are_dropped() -> None:
    amd = SourceReport(Vendor.AMD, (AMD,))
    reports = all_cards([NO_NVIDIA, amd], [card("1002:73bf", "amdgpu", "0000:03:00.0")])
    assert [report.problem for report in reports] == ["", ""]
    assert [gpu.gpu_id for gpu in listed(reports)] == ["GPU-2"]


@pytest.mark.parametrize("cards", [None, [], [card("1a03:2000", "ast")], [card("1234:1111", "bochs-drm")]])
def test_words_about_a_driver_stay_where_no_real_card_is_known(cards: list[PciCard] | None) -> None:
    assert all_cards([NO_NVIDIA], cards)[0] == NO_NVIDIA


def test_words_about_present_cards_stay() -> None:
    (first, _) = all_cards(
        [SourceReport(Vendor.NVIDIA, (NVIDIA,), "One is silent."), SourceReport(Vendor.AMD, ())],
        [card("10de:2204", "nvidia")],
    )
    assert first.problem == "One is silent."


def test_screens_of_service_processors_and_wsl_are_passed_over() -> None:
    assert (
        listed(all_cards([], [card("1a03:2000", "ast"), card("102b:0538", "mgag200"), card("1414:008e", "dxgkrnl")]))
        == []
    )


def test_kinds() -> None:
    assert only(card("1b36:0100", "qxl")).kind is GpuKind.VIRTUAL
    assert only(card("8086:46a6", None, "0000:00:02.0")).kind is GpuKind.INTEGRATED
    assert only(card("8086:56a0", None, "0000:04:00.0")).kind is GpuKind.DISCRETE


def test_a_card_without_an_address_may_be_the_one_on_the_bus() -> None:
    report = SourceReport(Vendor.NVIDIA, (replace(NVIDIA, pci_address=None),))
    assert len(listed(all_cards([report], [card("10de:2204", "nvidia")]))) == 1


def test_nothing_is_added_twice_when_asked_twice() -> None:
    cards = [card("10de:1b80"), card("1002:73bf", "vfio-pci", "0000:03:00.0")]
    assert all_cards([NO_NVIDIA], cards) == all_cards([NO_NVIDIA], cards)
    assert len({gpu.gpu_id for gpu in listed(all_cards([NO_NVIDIA], cards))}) == 2
