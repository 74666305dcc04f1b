"""From what each vendor's driver lists to all cards of the machine: none twice, none passed over in silence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from argentum_desktop.domain.gpu import Gpu, GpuKind, GpuState, SourceReport, Vendor


@dataclass(frozen=True)
class PciCard:
    """A display controller on the PCI bus.

    Attributes:
        address: domain:bus:device.function, as in 0000:0a:00.0.
        subsystem: the board maker's vendor and device, as in 1458:403b.
        driver: who has it, as in nvidia, amdgpu, vfio-pci; None where nobody has.
    """

    address: str
    vendor: int
    device: int
    subsystem: str | None = None
    driver: str | None = None

    @property
    def pci_id(self) -> str:
        return f"{self.vendor:04x}:{self.device:04x}"

    @property
    def gpu_id(self) -> str:
        """Who it is where it has no number of its own: where it sits and what it is."""
        return "-".join(("PCI", self.address, self.pci_id, *((self.subsystem,) if self.subsystem else ())))


NVIDIA, AMD, INTEL = 0x10DE, 0x1002, 0x8086
VENDORS = {NVIDIA: Vendor.NVIDIA, AMD: Vendor.AMD, INTEL: Vendor.INTEL}
_MAKERS = {Vendor.NVIDIA: "NVIDIA", Vendor.AMD: "AMD", Vendor.INTEL: "Intel"}

# Screens of virtual machines: Bochs and QEMU, Cirrus, VMware, virtio, QXL, Hyper-V, VirtualBox, Xen (the PCI ID list).
VIRTUAL_VENDORS = frozenset({0x1234, 0x1013, 0x15AD, 0x1AF4, 0x1B36, 0x1414, 0x80EE, 0x5853})
# Screens of servers' service processors: ASPEED, Matrox G200, Silicon Motion, XGI, Huawei. Nobody means them by "card".
SERVICE_VENDORS = frozenset({0x1A03, 0x102B, 0x126F, 0x18CA, 0x19E5})
# Windows' graphics inside WSL: the cards behind it are listed by their own drivers.
_WSL_GRAPHICS = (0x1414, 0x008E)

_PASS_THROUGH_DRIVERS = frozenset({"vfio-pci", "pci-stub", "pciback", "xen-pciback"})
_FREE_NVIDIA_DRIVERS = frozenset({"nouveau", "nova_core", "nova-core", "nova_drm"})


@dataclass(frozen=True)
class _Generation:
    """Cards that newer drivers leave out, by their device ids (the PCI ID list)."""

    name: str
    last_branch: int
    devices: frozenset[int]


def _ids(*ranges: range) -> frozenset[int]:
    return frozenset().union(*ranges)


# NVIDIA's last driver branch for Maxwell, Pascal and Volta is 580, that for Kepler 470.
_LEFT_BEHIND = (
    _Generation("Kepler", 470, _ids(range(0x0FC0, 0x1040), range(0x1180, 0x1200), range(0x1280, 0x12C0))),
    _Generation("Maxwell", 580, _ids(range(0x1340, 0x1440), range(0x1600, 0x1680), range(0x1740, 0x1800))),
    _Generation("Pascal", 580, _ids(range(0x15F0, 0x1600), range(0x1720, 0x1730), range(0x1B00, 0x1D80))),
    _Generation("Volta", 580, _ids(range(0x1D80, 0x1E00))),
)

SCREEN_ONLY = ("It is the screen of a virtual machine and cannot compute.", "Give the virtual machine a real card.")
_STILL_SO = "Restart the computer; if it stays so, check the card's seat and its power cables."

_TAKE_AMDGPU = (
    "Start Linux with radeon.si_support=0 radeon.cik_support=0 amdgpu.si_support=1 amdgpu.cik_support=1; cards from "
    "before 2012 have no other driver."
)


def doubles(reports: Sequence[SourceReport]) -> tuple[frozenset[str], ...]:
    """For each report, the ids of cards that an earlier one lists already: the earlier one's readings count."""
    seen_ids: set[str] = set()
    seen_addresses: set[str] = set()
    result = []
    for report in reports:
        twice = {
            gpu.gpu_id for gpu in report.gpus if gpu.gpu_id in seen_ids or (gpu.pci_address or "") in seen_addresses
        }
        seen_ids.update(gpu.gpu_id for gpu in report.gpus)
        seen_addresses.update(gpu.pci_address for gpu in report.gpus if gpu.pci_address)
        result.append(frozenset(twice))
    return tuple(result)


def all_cards(
    reports: Sequence[SourceReport],
    cards: Sequence[PciCard] | None = None,
    name_of: Callable[[PciCard], str] = lambda card: f"Graphics card {card.pci_id}",
) -> tuple[SourceReport, ...]:
    """The reports without doubles, with the cards that no driver lists, without words about vendors that are not here.

    Args:
        cards: what is on the PCI bus; None where nobody can tell.
    """
    merged = [
        replace(report, gpus=tuple(gpu for gpu in report.gpus if gpu.gpu_id not in twice))
        for report, twice in zip(reports, doubles(reports), strict=True)
    ]
    if cards is None:
        return tuple(merged)
    by_address = {card.address: card for card in cards}
    merged = [
        replace(report, gpus=tuple(_with_pci_facts(gpu, by_address.get(gpu.pci_address or "")) for gpu in report.gpus))
        for report in merged
    ]
    listed = {gpu.pci_address for report in merged for gpu in report.gpus}
    present = {VENDORS.get(card.vendor, Vendor.OTHER) for card in cards if not _is_for_screens_only(card)}
    for vendor in dict.fromkeys(VENDORS.get(card.vendor, Vendor.OTHER) for card in cards):
        mine = [card for card in cards if VENDORS.get(card.vendor, Vendor.OTHER) is vendor]
        merged = _explain(merged, vendor, [card for card in mine if card.address not in listed], name_of)
    return tuple(_without_strangers_words(report, present) for report in merged)


def _with_pci_facts(gpu: Gpu, card: PciCard | None) -> Gpu:
    if card is None:
        return gpu
    return replace(
        gpu,
        pci_id=gpu.pci_id or card.pci_id,
        pci_subsystem=gpu.pci_subsystem or card.subsystem,
        driver=gpu.driver or card.driver,
    )


def _explain(
    reports: list[SourceReport], vendor: Vendor, unlisted: Sequence[PciCard], name_of: Callable[[PciCard], str]
) -> list[SourceReport]:
    """Add the cards that no driver lists, each with its reason, to their vendor's report."""
    index = next((index for index, report in enumerate(reports) if report.vendor is vendor), None)
    report = SourceReport(vendor, ()) if index is None else reports[index]
    if any(gpu.pci_address is None for gpu in report.gpus):
        return reports  # one of those without an address may be the very card
    wanted = [card for card in unlisted if not _is_left_out(card)]
    if not wanted:
        return reports
    told = tuple(_unlisted(card, report, name_of(card)) for card in wanted)
    if not report.gpus:  # every card says itself why it cannot work: the vendor's sentence would only say it again
        report = replace(report, problem="", remedy="")
    report = replace(report, gpus=(*report.gpus, *told))
    return [*reports, report] if index is None else [*reports[:index], report, *reports[index + 1 :]]


def _unlisted(card: PciCard, report: SourceReport, name: str) -> Gpu:
    state, problem, remedy = _why(card, report)
    return Gpu(
        gpu_id=card.gpu_id,
        name=name,
        vendor=report.vendor,
        kind=_kind(card),
        state=state,
        problem=problem,
        remedy=remedy,
        pci_address=card.address,
        pci_id=card.pci_id,
        pci_subsystem=card.subsystem,
        driver=card.driver,
    )


def _kind(card: PciCard) -> GpuKind:
    if card.vendor in VIRTUAL_VENDORS:
        return GpuKind.VIRTUAL
    return GpuKind.INTEGRATED if is_intel_integrated(card) else GpuKind.DISCRETE


def is_intel_integrated(card: PciCard) -> bool:
    """Intel's integrated graphics is device 2 of the first bus on every board; its cards sit behind a port."""
    return card.vendor == INTEL and card.address.endswith(":00:02.0")


def _why(card: PciCard, report: SourceReport) -> tuple[GpuState, str, str]:
    """Why a card is not listed, in words, and what would help."""
    if card.vendor in VIRTUAL_VENDORS:
        return GpuState.IGNORED, *SCREEN_ONLY
    if card.driver in _PASS_THROUGH_DRIVERS:
        return (
            GpuState.PASSED_THROUGH,
            f"It is set aside for a virtual machine (driver {card.driver}).",
            "Shut the virtual machine down and give the card back to its own driver.",
        )
    if report.vendor is Vendor.OTHER:
        return GpuState.IGNORED, "This application cannot read cards of this maker.", ""
    if card.vendor == NVIDIA:
        return _why_nvidia(card, report)
    if card.vendor == AMD:
        return _why_amd(card, report)
    if card.driver is None:
        words = (
            "No driver runs this card.",
            "Update Linux: its drivers i915 and xe know more cards with each version.",
        )
        return GpuState.NO_DRIVER, *words
    return _ignored(card, report)


def _why_nvidia(card: PciCard, report: SourceReport) -> tuple[GpuState, str, str]:
    generation = next((generation for generation in _LEFT_BEHIND if card.device in generation.devices), None)
    which = f"{generation.last_branch} driver, the last one for {generation.name} cards," if generation else "driver"
    remedy = f"Install NVIDIA's {which} and restart the computer."
    if card.driver in _FREE_NVIDIA_DRIVERS:
        return GpuState.NO_DRIVER, f"It runs with the free driver {card.driver}, which cannot compute.", remedy
    if card.driver is not None:
        return _ignored(card, report)
    if generation:
        problem = (
            f"No driver runs it; NVIDIA's drivers after {generation.last_branch} leave {generation.name} cards out."
        )
        return GpuState.IGNORED, problem, remedy
    return GpuState.NO_DRIVER, "No driver runs this card.", remedy


def _why_amd(card: PciCard, report: SourceReport) -> tuple[GpuState, str, str]:
    if card.driver == "radeon":
        problem = "It runs with the older driver radeon, which reports next to nothing."
        return GpuState.NO_DRIVER, problem, _TAKE_AMDGPU
    if card.driver is None:
        remedy = "Load Linux's driver amdgpu; a card newer than this Linux needs a newer one."
        return GpuState.NO_DRIVER, "No driver runs this card.", remedy
    return _ignored(card, report)


def _ignored(card: PciCard, report: SourceReport) -> tuple[GpuState, str, str]:
    """Its driver has it and it is not in the list: the vendor's own words where it has some."""
    if report.problem:
        return GpuState.IGNORED, report.problem, report.remedy
    maker = _MAKERS.get(report.vendor, "Its")
    return GpuState.IGNORED, f"{maker} driver {card.driver} has this card and does not list it.", _STILL_SO


def _is_for_screens_only(card: PciCard) -> bool:
    return card.vendor in VIRTUAL_VENDORS or card.vendor in SERVICE_VENDORS


def _is_left_out(card: PciCard) -> bool:
    return card.vendor in SERVICE_VENDORS or (card.vendor, card.device) == _WSL_GRAPHICS


def _without_strangers_words(report: SourceReport, present: set[Vendor]) -> SourceReport:
    """Drop "No NVIDIA driver is installed." where there are cards and none of them is NVIDIA's.

    Without any card on the bus the sentence stays: inside Windows' Linux the card is not on the bus at all.
    """
    if report.gpus or not report.problem or not present or report.vendor in present:
        return report
    return replace(report, problem="", remedy="")
