"""Which of the adapters that can be computed on is the card that was meant. Pure.

The library that computes names no place on the bus, so its list is laid beside Vulkan's own, which does. Both come from
the same call of the Vulkan loader and keep its order; the library leaves out what it cannot use. Where the two lists
cannot be laid side by side without a doubt, nothing is chosen: a grade for the wrong card is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from argentum_desktop.domain.reading import PROCESSES, Reading
from argentum_desktop.domain.stress import AdapterType, StressEnd
from argentum_desktop.health.stress.vulkan.device import VulkanDevice, plain
from argentum_desktop.health.stress.wire import Wanted

VULKAN, D3D12 = "Vulkan", "D3D12"
BACKENDS = (VULKAN, D3D12)
"""What may compute, the better one first: a D3D12 adapter cannot be told from its twin. OpenGL never."""


@dataclass(frozen=True)
class Match:
    """The adapter that was meant.

    Attributes:
        index: of the adapter in the list that was given.
        backend: "Vulkan" or "D3D12".
        device: the same one in Vulkan's list; None for a D3D12 adapter.
    """

    index: int
    backend: str
    adapter_type: AdapterType
    device: VulkanDevice | None = None


@dataclass(frozen=True)
class NoMatch:
    """Why no adapter is chosen: `WRONG_CARD` or `NO_ENGINE`, and one sentence for the owner."""

    end: StressEnd
    words: str


@dataclass(frozen=True)
class _Candidate:
    """An adapter that may compute, and the same one in Vulkan's list."""

    index: int
    backend: str
    vendor_id: int
    device_id: int
    name: str
    adapter_type: AdapterType
    device: VulkanDevice | None = None

    @property
    def pci_address(self) -> str | None:
        return self.device.pci_address if self.device else None

    @property
    def key(self) -> tuple[int, int, str]:
        return self.vendor_id, self.device_id, self.name


def choose(
    adapters: Sequence[Mapping[str, object]], devices: Sequence[VulkanDevice], wanted: Wanted
) -> Match | NoMatch:
    """The adapter that is the wanted card.

    Args:
        adapters: what wgpu says of each adapter (`GPUAdapter.info`), in the order of its list.
        devices: Vulkan's own list, from `vulkan_devices`; empty where there is no Vulkan.
    """
    refusals = []
    for backend in BACKENDS:
        if wanted.backend not in {"", backend}:
            continue
        candidates = [
            _candidate(index, backend, info)
            for index, info in enumerate(adapters)
            if info.get("backend_type") == backend and _may_compute(info, wanted)
        ]
        answer = _among_vulkan(candidates, devices, wanted) if backend == VULKAN else _only_one(candidates, wanted)
        if isinstance(answer, Match):
            return answer
        refusals.append(answer)
    # A doubt says more than an absence: of the two it is the one that the owner can do something about.
    doubts = [refusal for refusal in refusals if refusal.end is StressEnd.WRONG_CARD]
    return (doubts or [_no_engine(wanted)])[0]


def confirmed_by(readings: Iterable[Reading], pid: int, gpu_id: str) -> bool | None:
    """Whether the driver's lists of processes show that the load of this process ran on this card.

    Args:
        readings: of all cards, while the load was on.

    Returns:
        None where they do not tell: there is no list, it shows nobody at all, or it shows the process on two cards.
    """
    is_here = is_elsewhere = shows_others = False
    for reading in readings:
        if PROCESSES in reading.absent:
            continue
        pids = {process.pid for process in reading.processes}
        if reading.gpu_id != gpu_id:
            is_elsewhere |= pid in pids
        else:
            is_here |= pid in pids
            shows_others |= bool(pids)
    if is_here:
        return None if is_elsewhere else True
    # A list that is always empty may be one that hides processes: nothing is concluded from it alone.
    return False if is_elsewhere or shows_others else None


def _among_vulkan(candidates: Sequence[_Candidate], devices: Sequence[VulkanDevice], wanted: Wanted) -> Match | NoMatch:
    placed = _laid_beside(candidates, devices)
    if placed is None:
        return NoMatch(
            StressEnd.WRONG_CARD,
            "Vulkan listed its devices in two ways that do not fit together, so it cannot be said which is this card.",
        )
    return _at_its_place([found for found in placed if _fits(found, wanted)], placed, wanted)


def _laid_beside(candidates: Sequence[_Candidate], devices: Sequence[VulkanDevice]) -> list[_Candidate] | None:
    """Each candidate with its device, or None where the lists disagree on number or order of what both list."""
    keys = {found.key for found in candidates}
    usable = [device for device in devices if (device.vendor_id, device.device_id, device.name) in keys]
    if [found.key for found in candidates] != [(one.vendor_id, one.device_id, one.name) for one in usable]:
        return None
    return [replace(found, device=device) for found, device in zip(candidates, usable, strict=True)]


def _at_its_place(fitting: Sequence[_Candidate], everyone: Sequence[_Candidate], wanted: Wanted) -> Match | NoMatch:
    place = _normal(wanted.pci_address)
    if place is not None:
        for found in fitting:  # two drivers of one card list it twice: the first is the one the system prefers
            if _normal(found.pci_address) == place:
                return _match(found)
        other = next((found for found in everyone if _normal(found.pci_address) == place), None)
        if other is not None:
            words = f"The driver says that {_name(wanted)} is at {place}, and Vulkan shows {other.name} there."
            return NoMatch(StressEnd.WRONG_CARD, words)
    unplaced = [found for found in fitting if place is None or found.pci_address is None]
    if len(unplaced) == 1:
        return _match(unplaced[0])
    if unplaced:
        words = f"There are {len(unplaced)} cards like {_name(wanted)}, and Vulkan does not tell which is which."
        return NoMatch(StressEnd.WRONG_CARD, words)
    if fitting:
        words = f"Vulkan shows {_name(wanted)} at {fitting[0].pci_address}, and its driver says {place}."
        return NoMatch(StressEnd.WRONG_CARD, words)
    return _no_engine(wanted)


def _only_one(candidates: Sequence[_Candidate], wanted: Wanted) -> Match | NoMatch:
    """DirectX names no place on the bus, so there must be a single card of these ids."""
    fitting = [found for found in candidates if _fits(found, wanted)]
    if len(fitting) > 1:
        words = f"There are {len(fitting)} cards like {_name(wanted)}, and DirectX does not tell which is which."
        return NoMatch(StressEnd.WRONG_CARD, words)
    return _match(fitting[0]) if fitting else _no_engine(wanted)


def _fits(found: _Candidate, wanted: Wanted) -> bool:
    """Whether what is known of the wanted card is true of this one."""
    if wanted.vendor_id:
        return (found.vendor_id, found.device_id) == (wanted.vendor_id, wanted.device_id)
    if wanted.pci_address is not None:
        return _normal(found.pci_address) == _normal(wanted.pci_address)
    # Nothing is known of it: only a program that was explicitly allowed may be meant.
    return wanted.allow_software and found.adapter_type is AdapterType.CPU


def _may_compute(info: Mapping[str, object], wanted: Wanted) -> bool:
    return wanted.allow_software or _type(info) is not AdapterType.CPU


def _candidate(index: int, backend: str, info: Mapping[str, object]) -> _Candidate:
    return _Candidate(
        index=index,
        backend=backend,
        vendor_id=_number(info.get("vendor_id")),
        device_id=_number(info.get("device_id")),
        name=plain(str(info.get("device", ""))),
        adapter_type=_type(info),
    )


def _type(info: Mapping[str, object]) -> AdapterType:
    try:
        return AdapterType(str(info.get("adapter_type")))
    except ValueError:
        return AdapterType.UNKNOWN


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _normal(address: str | None) -> str | None:
    """0000:0a:00.0 from any spelling of it: some drivers write the domain with eight digits, or in capitals."""
    if address is None:
        return None
    domain, _, rest = address.lower().partition(":")
    return f"{domain.lstrip('0'):0>4}:{rest}"


def _match(found: _Candidate) -> Match:
    return Match(found.index, found.backend, found.adapter_type, found.device)


def _no_engine(wanted: Wanted) -> NoMatch:
    return NoMatch(
        StressEnd.NO_ENGINE,
        f"No Vulkan or DirectX 12 driver here can compute on {_name(wanted)}: install its maker's current driver.",
    )


def _name(wanted: Wanted) -> str:
    return wanted.name or "this card"
