"""What an NVIDIA card is: asked once, when the cards are listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argentum_desktop.domain.gpu import Gpu, GpuKind, Vendor
from argentum_desktop.gpus.nvidia.fields import FieldBatch
from argentum_desktop.gpus.nvidia.questions import FIELD_MEMORY_TEMPERATURE

_BRANDS_GEFORCE = frozenset({5, 15})  # NVML_BRAND_GEFORCE, _GEFORCE_RTX
_MODE_VGPU = 2  # NVML_GPU_VIRTUALIZATION_MODE_VGPU
_SHUTDOWN, _SLOWDOWN, _MEMORY_MAX = 0, 1, 2  # NVML_TEMPERATURE_THRESHOLD_*
_LONGEST_TEXT = 96
_NO_SERIALS = frozenset({"0", "N/A", "[N/A]", "Unknown"})

_HOTTEST_C, _MOST_MW, _MOST_BYTES, _NEWEST_PCIE, _MOST_LANES, _NEWEST_COMPUTE = 200, 5_000_000, 2**50, 10, 32, 99


class CardDescription:
    """Asks one card who it is. What it does not tell is None.

    Args:
        index: the driver's, for want of anything better; it is not the same after each start.
    """

    def __init__(self, nvml: Any, handle: Any, index: int) -> None:
        self._nvml = nvml
        self._handle = handle
        self._index = index
        self._name = self.text("nvmlDeviceGetName") or "NVIDIA card"

    @property
    def is_geforce(self) -> bool:
        brand = self._number("nvmlDeviceGetBrand", high=100)
        return "GeForce" in self._name if brand is None else brand in _BRANDS_GEFORCE

    def gpu(self, driver_version: str | None) -> Gpu:
        pci = self._pci()
        address, pci_id, subsystem = pci or (None, None, None)
        is_virtual = self._number("nvmlDeviceGetVirtualizationMode", high=100) == _MODE_VGPU
        serial = self.text("nvmlDeviceGetSerial")
        threshold = "nvmlDeviceGetTemperatureThreshold"
        return Gpu(
            gpu_id=self.text("nvmlDeviceGetUUID") or (f"PCI-{'-'.join(pci)}" if pci else f"NVIDIA-{self._index}"),
            name=self._name,
            vendor=Vendor.NVIDIA,
            kind=GpuKind.VIRTUAL if is_virtual else GpuKind.DISCRETE,
            memory_total_bytes=self._memory_bytes(),
            pci_address=address,
            pci_id=pci_id,
            pci_subsystem=subsystem,
            driver="nvidia",
            driver_version=driver_version,
            vbios_version=self.text("nvmlDeviceGetVbiosVersion"),
            serial=None if serial in _NO_SERIALS else serial,
            compute_capability=self._compute_capability(),
            power_limit_mw=self._number("nvmlDeviceGetEnforcedPowerLimit", high=_MOST_MW),
            power_limit_default_mw=self._number("nvmlDeviceGetPowerManagementDefaultLimit", high=_MOST_MW),
            temperature_slowdown_c=self._number(threshold, _SLOWDOWN, high=_HOTTEST_C),
            temperature_shutdown_c=self._number(threshold, _SHUTDOWN, high=_HOTTEST_C),
            temperature_memory_limit_c=self._number(threshold, _MEMORY_MAX, high=_HOTTEST_C),
            pcie_generation_max=self._number("nvmlDeviceGetMaxPcieLinkGeneration", high=_NEWEST_PCIE),
            pcie_width_max=self._number("nvmlDeviceGetMaxPcieLinkWidth", high=_MOST_LANES),
            sources=self._sources(),
        )

    def text(self, function: str) -> str | None:
        return driver_text(self._nvml, lambda: getattr(self._nvml, function)(self._handle))

    def _number(self, function: str, *arguments: int, high: int) -> int | None:
        return self._plausible(lambda: getattr(self._nvml, function)(self._handle, *arguments), high)

    def _plausible(self, call: Callable[[], Any], high: int) -> int | None:
        try:
            answer = int(call())
        except (self._nvml.NVMLError, ValueError):
            return None
        return answer if 1 <= answer <= high else None

    def _memory_bytes(self) -> int | None:
        nvml, card = self._nvml, self._handle
        return self._plausible(
            lambda: nvml.nvmlDeviceGetMemoryInfo(card, version=nvml.nvmlMemory_v2).total, _MOST_BYTES
        ) or self._plausible(lambda: nvml.nvmlDeviceGetMemoryInfo(card).total, _MOST_BYTES)

    def _compute_capability(self) -> str | None:
        try:
            major, minor = self._nvml.nvmlDeviceGetCudaComputeCapability(self._handle)
        except self._nvml.NVMLError:
            return None
        return f"{major}.{minor}" if 1 <= major <= _NEWEST_COMPUTE and 0 <= minor <= _NEWEST_COMPUTE else None

    def _sources(self) -> dict[str, str]:
        """NVML has one sensor of the chip; that of the memory only as a field, and only of some cards."""
        sources = {"temperature_c": "NVML GPU sensor"}
        batch = FieldBatch(self._nvml, (FIELD_MEMORY_TEMPERATURE,))
        if isinstance(answer := batch.ask(self._handle)[FIELD_MEMORY_TEMPERATURE], int) and answer:
            sources["temperature_memory_c"] = f"NVML field {FIELD_MEMORY_TEMPERATURE}"
        return sources

    def _pci(self) -> tuple[str, str, str] | None:
        """Its address on the bus, its ids and those of the board's maker."""
        try:
            info = self._nvml.nvmlDeviceGetPciInfo(self._handle)
            address = info.busId if isinstance(info.busId, str) else info.busId.decode("ascii")
            domain, _, rest = address.partition(":")
            domain = f"{int(domain, 16):04x}"  # NVML writes eight digits, everybody else four
        except (self._nvml.NVMLError, ValueError):  # ValueError: not the shape of an address, or not even text
            return None
        return f"{domain}:{rest.lower()}", _ids(info.pciDeviceId), _ids(info.pciSubSystemId)


def driver_text(nvml: Any, call: Callable[[], str]) -> str | None:
    """What a driver says is shown to the owner and written into lists: one line, printable, bounded."""
    try:
        answer = call()
    except (nvml.NVMLError, UnicodeDecodeError):
        return None
    return "".join(letter for letter in answer if letter.isprintable()).strip()[:_LONGEST_TEXT] or None


def _ids(number: int) -> str:
    """Vendor and device, as in 10de:2204: NVML has them in one number, the vendor below."""
    return f"{number & 0xFFFF:04x}:{number >> 16:04x}"
