"""Which adapter is the card that was meant: found where it can be known, refused with words where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import reading

from argentum_desktop.domain.reading import PROCESSES, Absence, GpuProcess
from argentum_desktop.domain.stress import AdapterType, StressEnd
from argentum_desktop.health.stress.matching import Match, NoMatch, choose, confirmed_by
from argentum_desktop.health.stress.vulkan.device import VulkanDevice
from argentum_desktop.health.stress.wire import Wanted

RTX_3090 = (0x10DE, 0x2204, "NVIDIA GeForce RTX 3090")
RX_6800 = (0x1002, 0x73BF, "AMD Radeon RX 6800 (RADV NAVI21)")
LAVAPIPE = (0x10005, 0, "llvmpipe (LLVM 15.0.6, 256 bits)")
WANTED = Wanted("0000:0a:00.0", 0x10DE, 0x2204, "GeForce RTX 3090")


def wanted_at(place: str | None, backend: str = "") -> Wanted:
    return Wanted(place, WANTED.vendor_id, WANTED.device_id, WANTED.name, backend)


def device(kind: tuple[int, int, str] = RTX_3090, address: str | None = "0000:0a:00.0") -> VulkanDevice:
    vendor, number, name = kind
    made = AdapterType.CPU if kind is LAVAPIPE else AdapterType.DISCRETE
    return VulkanDevice(name, vendor, number, made, (1, 3, 0), pci_address=address)


def adapter(kind: tuple[int, int, str] = RTX_3090, backend: str = "Vulkan") -> dict[str, object]:
    vendor, number, name = kind
    return {
        "vendor_id": vendor,
        "device_id": number,
        "device": name,
        "adapter_type": "CPU" if kind is LAVAPIPE else "DiscreteGPU",
        "backend_type": backend,
    }


def refusal(answer: Match | NoMatch, end: StressEnd) -> str:
    assert isinstance(answer, NoMatch)
    assert answer.end is end
    assert answer.words.endswith(".")
    return answer.words


def test_the_only_card_is_found_by_its_place_and_ids() -> None:
    assert choose([adapter()], [device()], WANTED) == Match(0, "Vulkan", AdapterType.DISCRETE, device())


def test_of_two_equal_cards_the_one_at_the_place_is_taken() -> None:
    devices = [device(address="0000:03:00.0"), device(address="0000:0a:00.0")]
    match = choose([adapter(), adapter()], devices, WANTED)
    assert isinstance(match, Match)
    assert match.index == 1
    assert match.device is devices[1]


def test_what_a_name_ends_in_is_no_difference() -> None:
    spaced = (*RTX_3090[:2], f"{RTX_3090[2]} \n")
    assert isinstance(choose([adapter(spaced)], [device()], WANTED), Match)


@pytest.mark.parametrize("spelling", ["0000:0a:00.0", "00000000:0A:00.0", "0:0a:00.0"])
def test_the_place_is_the_same_however_it_is_written(spelling: str) -> None:
    assert isinstance(choose([adapter()], [device()], wanted_at(spelling)), Match)


def test_other_backends_between_do_not_move_the_index() -> None:
    adapters = [adapter(backend="OpenGL"), adapter(RX_6800), adapter(), adapter(backend="D3D12")]
    match = choose(adapters, [device(RX_6800, "0000:03:00.0"), device()], WANTED)
    assert isinstance(match, Match)
    assert (match.index, match.backend) == (2, "Vulkan")


def test_a_device_that_cannot_be_computed_on_may_be_missing_from_the_adapters() -> None:
    old = (0x8086, 0x0412, "Intel(R) HD Graphics 4600 (HSW GT2)")
    match = choose([adapter()], [device(old, "0000:00:02.0"), device()], WANTED)
    assert isinstance(match, Match)
    assert match.device == device()


@pytest.mark.parametrize(
    ("adapters", "devices"),
    [
        # Another order: what stands at the same place of both lists differs.
        ([adapter(), adapter(RX_6800)], [device(RX_6800, "0000:03:00.0"), device()]),
        # Which of two equal ones is missing cannot be known.
        ([adapter()], [device(address="0000:03:00.0"), device()]),
        # One that Vulkan itself does not list.
        ([adapter(), adapter()], [device()]),
        ([adapter()], []),
    ],
)
def test_lists_that_disagree_choose_nobody(adapters: Sequence[Any], devices: Sequence[VulkanDevice]) -> None:
    assert "two ways" in refusal(choose(adapters, devices, WANTED), StressEnd.WRONG_CARD)


def test_two_equal_cards_without_places_cannot_be_told_apart() -> None:
    devices = [device(address=None), device(address=None)]
    assert "2 cards like GeForce RTX 3090" in refusal(
        choose([adapter(), adapter()], devices, WANTED), StressEnd.WRONG_CARD
    )


def test_one_card_without_a_place_is_known_by_its_ids() -> None:
    assert isinstance(choose([adapter()], [device(address=None)], WANTED), Match)
    assert isinstance(choose([adapter()], [device()], wanted_at(None)), Match)


def test_a_place_that_disagrees_is_refused() -> None:
    words = refusal(choose([adapter()], [device(address="0000:0b:00.0")], WANTED), StressEnd.WRONG_CARD)
    assert "0000:0b:00.0" in words
    assert "0000:0a:00.0" in words


def test_another_card_at_the_place_is_named() -> None:
    words = refusal(choose([adapter(RX_6800)], [device(RX_6800)], WANTED), StressEnd.WRONG_CARD)
    assert "RX 6800" in words


def test_a_card_that_two_drivers_list_is_one_card() -> None:
    proprietary = (*RX_6800[:2], "AMD Radeon RX 6800")
    wanted = Wanted("0000:03:00.0", *RX_6800[:2], "Radeon RX 6800")
    adapters = [adapter(RX_6800), adapter(proprietary)]
    devices = [device(RX_6800, "0000:03:00.0"), device(proprietary, "0000:03:00.0")]
    match = choose(adapters, devices, wanted)
    assert isinstance(match, Match)
    assert match.index == 0


def test_software_is_taken_only_where_it_is_allowed() -> None:
    adapters, devices = [adapter(LAVAPIPE, "OpenGL"), adapter(LAVAPIPE)], [device(LAVAPIPE, None)]
    refusal(choose(adapters, devices, WANTED), StressEnd.NO_ENGINE)
    refusal(choose(adapters, devices, Wanted(name="llvmpipe")), StressEnd.NO_ENGINE)
    refusal(choose(adapters, devices, Wanted(vendor_id=0x10005, name="llvmpipe")), StressEnd.NO_ENGINE)
    match = choose(adapters, devices, Wanted(name="llvmpipe", allow_software=True))
    assert isinstance(match, Match)
    assert (match.index, match.adapter_type) == (1, AdapterType.CPU)


def test_allowed_software_is_not_mistaken_for_a_known_card() -> None:
    adapters, devices = [adapter(LAVAPIPE)], [device(LAVAPIPE, None)]
    wanted = Wanted(WANTED.pci_address, *RTX_3090[:2], allow_software=True)
    assert "install its maker's current driver" in refusal(choose(adapters, devices, wanted), StressEnd.NO_ENGINE)


def test_opengl_is_never_taken() -> None:
    refusal(choose([adapter(backend="OpenGL")], [device()], WANTED), StressEnd.NO_ENGINE)
    software = Wanted(allow_software=True)
    refusal(choose([adapter(LAVAPIPE, "OpenGL")], [device(LAVAPIPE, None)], software), StressEnd.NO_ENGINE)


def test_directx_needs_a_single_card_of_these_ids() -> None:
    one = choose([adapter(backend="D3D12"), adapter(RX_6800, "D3D12")], [], WANTED)
    assert one == Match(0, "D3D12", AdapterType.DISCRETE, None)
    two = choose([adapter(backend="D3D12"), adapter(backend="D3D12")], [], WANTED)
    assert "2 cards like GeForce RTX 3090" in refusal(two, StressEnd.WRONG_CARD)


def test_a_backend_that_is_asked_for_is_the_only_one() -> None:
    adapters = [adapter(), adapter(backend="D3D12")]
    match = choose(adapters, [device()], wanted_at(WANTED.pci_address, "D3D12"))
    assert isinstance(match, Match)
    assert match.index == 1
    refusal(choose([adapter()], [device()], wanted_at(WANTED.pci_address, "D3D12")), StressEnd.NO_ENGINE)


def test_a_card_of_which_nothing_is_known_is_not_guessed() -> None:
    refusal(choose([adapter()], [device()], Wanted(name="GeForce RTX 3090")), StressEnd.NO_ENGINE)


def test_answers_without_sense_choose_nobody() -> None:
    nonsense: list[dict[str, object]] = [{}, {"backend_type": "Vulkan"}, {"backend_type": "D3D12", "vendor_id": "x"}]
    answer = choose(nonsense, [], WANTED)
    assert isinstance(answer, NoMatch)


KINDS = st.sampled_from([RTX_3090, RX_6800, LAVAPIPE])
PLACES = st.sampled_from([None, "0000:03:00.0", "0000:0a:00.0"])


@given(
    listed=st.lists(st.tuples(KINDS, PLACES), max_size=5),
    usable=st.lists(KINDS, max_size=5),
    backend=st.sampled_from(["Vulkan", "D3D12", "OpenGL"]),
    place=PLACES,
)
def test_whatever_is_listed_the_chosen_one_never_contradicts_what_is_known(
    listed: list[tuple[Any, str | None]], usable: list[Any], backend: str, place: str | None
) -> None:
    adapters = [adapter(kind, backend) for kind in usable]
    answer = choose(adapters, [device(kind, at) for kind, at in listed], wanted_at(place))
    if isinstance(answer, NoMatch):
        assert answer.words
        return
    chosen = adapters[answer.index]
    assert (chosen["vendor_id"], chosen["device_id"]) == RTX_3090[:2]
    assert backend == answer.backend
    assert backend != "OpenGL"
    if answer.device is None:
        assert usable.count(RTX_3090) == 1
    else:
        assert (answer.device.vendor_id, answer.device.device_id) == RTX_3090[:2]
        assert place is None or answer.device.pci_address in {None, place}
        # Never one of several that nothing tells apart.
        if None in {place, answer.device.pci_address}:
            alike = [at for kind, at in listed if kind == RTX_3090 and (place is None or at is None)]
            assert len(alike) == 1


def listing(gpu_id: str, *pids: int) -> Any:
    return reading(gpu_id=gpu_id, processes=tuple(GpuProcess(pid, None, is_compute=True) for pid in pids))


def unlisted(gpu_id: str) -> Any:
    return reading(gpu_id=gpu_id, absent={PROCESSES: Absence.NOT_SUPPORTED})


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([listing("A", 7)], True),
        ([listing("A"), listing("A", 5, 7)], True),
        ([listing("A", 7), listing("B", 5)], True),
        ([listing("A", 7), listing("B", 7)], None),  # on both: it proves nothing
        ([listing("B", 7)], False),
        ([listing("A", 5), listing("B", 7)], False),
        ([unlisted("A"), listing("B", 7)], False),
        ([listing("A", 5)], False),  # the list shows others, and never us
        ([listing("A")], None),  # a list that may be hiding everybody
        ([unlisted("A")], None),
        ([listing("B", 5)], None),
        ([], None),
    ],
)
def test_the_drivers_lists_confirm_or_contradict(readings: Any, expected: bool | None) -> None:
    assert confirmed_by(readings, 7, "A") is expected
