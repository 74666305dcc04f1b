"""Joining Windows' adapters and devices, its problem codes in words, and what counts as integrated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from argentum_desktop.domain.gpu import GpuKind, GpuState, Vendor
from argentum_desktop.gpus.discovery import PciCard
from argentum_desktop.gpus.windows.cards import AdapterFacts, describe_cards, kind_of
from argentum_desktop.gpus.windows.d3dkmt import HYBRID_DISCRETE, HYBRID_INTEGRATED, PARAVIRTUALIZED, pci_address
from argentum_desktop.gpus.windows.devices import DisplayDevice
from argentum_desktop.gpus.windows.dxgi import Adapter
from argentum_desktop.gpus.windows.problems import words_for_device

GIB = 2**30
ADAPTER = Adapter(0xC0DE, "NVIDIA GeForce RTX 3090", 0x10DE, 0x2204, 0x403B1458, 24 * GIB)
DEVICE = DisplayDevice(
    "NVIDIA GeForce RTX 3090", 0x10DE, 0x2204, "1458:403b", "0000:01:00.0", "nvlddmkm", "32.0.15.8097"
)


def test_a_card_is_known_by_its_place_and_what_it_is() -> None:
    working, idle = describe_cards([AdapterFacts(ADAPTER, "0000:01:00.0", is_integrated=False)], [DEVICE])
    assert idle == ()
    gpu = working[0][0]
    assert gpu.gpu_id == "PCI-0000:01:00.0-10de:2204-1458:403b"
    assert (gpu.vendor, gpu.kind, gpu.state) == (Vendor.NVIDIA, GpuKind.DISCRETE, GpuState.READY)
    assert (gpu.pci_address, gpu.pci_id, gpu.pci_subsystem) == ("0000:01:00.0", "10de:2204", "1458:403b")
    assert (gpu.driver, gpu.driver_version) == ("nvlddmkm", "32.0.15.8097")


def test_a_card_that_works_and_one_like_it_that_does_not_are_told_apart_by_their_places() -> None:
    broken = replace(DEVICE, pci_address="0000:02:00.0", problem=43)
    working, idle = describe_cards([AdapterFacts(ADAPTER, "0000:01:00.0")], [broken, DEVICE])
    assert [gpu.pci_address for gpu, _ in working] == ["0000:01:00.0"]
    assert [(gpu.pci_address, gpu.state) for gpu in idle] == [("0000:02:00.0", GpuState.IGNORED)]


def test_without_a_place_the_adapter_takes_the_first_device_of_its_kind_that_works() -> None:
    broken = replace(DEVICE, pci_address="0000:02:00.0", problem=43)
    other_board = replace(DEVICE, pci_address="0000:03:00.0", subsystem="10de:1467")
    working, idle = describe_cards([AdapterFacts(ADAPTER)], [broken, other_board, DEVICE])
    assert [gpu.gpu_id for gpu, _ in working] == ["PCI-0000:01:00.0-10de:2204-1458:403b"]
    assert [gpu.pci_address for gpu in idle] == ["0000:02:00.0", "0000:03:00.0"]


def test_twins_without_a_place_have_ids_of_their_own() -> None:
    twins = [AdapterFacts(ADAPTER), AdapterFacts(replace(ADAPTER, luid=2))]
    working, idle = describe_cards(twins, [replace(DEVICE, pci_address=None, problem=43)])
    ids = [gpu.gpu_id for gpu, _ in working] + [gpu.gpu_id for gpu in idle]
    assert ids == [f"PCI-unknown{number}-10de:2204-1458:403b" for number in range(3)]


def test_one_card_under_two_names_of_windows_is_one_card() -> None:
    twice = [AdapterFacts(ADAPTER, "0000:01:00.0"), AdapterFacts(replace(ADAPTER, luid=2), "0000:01:00.0")]
    working, idle = describe_cards(twice, [DEVICE])
    assert ([adapter.luid for _, adapter in working], idle) == ([0xC0DE], ())


def test_the_screen_of_a_virtual_machine_is_no_card_to_work_with() -> None:
    screen = replace(ADAPTER, name="VMware SVGA 3D", vendor_id=0x15AD, device_id=0x405)
    ((gpu, _),) = describe_cards([AdapterFacts(screen)], [])[0]
    assert (gpu.kind, gpu.state) == (GpuKind.VIRTUAL, GpuState.IGNORED)
    assert gpu.problem
    assert gpu.remedy


def test_the_screen_of_a_servers_service_processor_is_not_listed() -> None:
    assert describe_cards([], [replace(DEVICE, vendor_id=0x1A03, service="BasicDisplay")]) == ((), ())


@pytest.mark.parametrize(
    ("vendor", "address", "gib", "bits", "is_integrated", "kind"),
    [
        (0x10DE, "0000:01:00.0", 24, 0, False, GpuKind.DISCRETE),
        (0x1002, "0000:0b:00.0", 64, 0, True, GpuKind.INTEGRATED),  # a processor that was given much memory
        (0x8086, "0000:00:02.0", 1, 0, None, GpuKind.INTEGRATED),
        (0x8086, "0000:03:00.0", 16, 0, None, GpuKind.DISCRETE),
        (0x1002, "0000:0b:00.0", 0.25, 0, None, GpuKind.INTEGRATED),
        (0x1002, "0000:0b:00.0", 4, HYBRID_INTEGRATED, None, GpuKind.INTEGRATED),
        (0x10DE, "0000:01:00.0", 0.25, HYBRID_DISCRETE, None, GpuKind.DISCRETE),
        (0x10DE, "0000:01:00.0", 24, HYBRID_INTEGRATED, False, GpuKind.DISCRETE),  # DXCore counts more
        (0x10DE, "unknown0", 24, PARAVIRTUALIZED, False, GpuKind.VIRTUAL),
        (0x1414, "unknown0", 0, 0, None, GpuKind.VIRTUAL),
    ],
)
def test_what_has_memory_of_its_own(
    vendor: int, address: str, gib: float, bits: int, is_integrated: bool | None, kind: GpuKind
) -> None:
    assert kind_of(PciCard(address, vendor, 0x2204), int(gib * GIB), bits, is_integrated) is kind


@pytest.mark.parametrize(
    ("bus", "slot", "function", "address"),
    [
        (1, 0, 0, "0000:01:00.0"),
        (0x0002_C1, 0x1F, 7, "0002:c1:1f.7"),  # the domain stands above the bus's eight bits
        (0xFFFF_FFFF, 0, 0, None),
        (1, 32, 0, None),
        (1, 0, 8, None),
    ],
)
def test_a_place_on_the_bus(bus: int, slot: int, function: int, address: str | None) -> None:
    assert pci_address(bus, slot, function) == address


@pytest.mark.parametrize(
    ("problem", "service", "state", "words"),
    [
        (43, "nvlddmkm", GpuState.IGNORED, "Windows has stopped the card because it reported problems (code 43)."),
        (28, "", GpuState.NO_DRIVER, "Windows has no driver for the card (code 28)."),
        (22, "amdkmdag", GpuState.IGNORED, "The card is switched off in Windows (code 22)."),
        (777, "amdkmdag", GpuState.IGNORED, "Windows cannot use the card (code 777)."),
        (0, "BasicDisplay", GpuState.NO_DRIVER, "Windows uses its basic display driver for the card."),
        (0, "", GpuState.NO_DRIVER, "Windows has no driver for the card."),
        (0, "nvlddmkm", GpuState.IGNORED, "The driver nvlddmkm runs and does not offer the card to programs."),
    ],
)
def test_why_a_card_cannot_be_used(problem: int, service: str, state: GpuState, words: str) -> None:
    found = words_for_device(problem, service, is_given_away=False)
    assert found[:2] == (state, words)
    assert found[2].endswith(".")


def test_every_code_has_words_and_a_remedy() -> None:
    for problem in range(1, 60):
        _, words, remedy = words_for_device(problem, "driver", is_given_away=False)
        assert words.endswith(f" (code {problem}).")
        assert remedy.endswith(".")


def test_a_card_that_a_virtual_machine_has() -> None:
    assert words_for_device(0, "pci", is_given_away=True)[0] is GpuState.PASSED_THROUGH
