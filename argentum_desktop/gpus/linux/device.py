"""One card's folder in /sys, under its PCI address: is it still there, is it awake, and how is it connected?"""

from __future__ import annotations

from pathlib import Path

from argentum_desktop.gpus.linux.files import (
    first_bytes,
    hexadecimal_or_none,
    link_name,
    names_in,
    number_or_none,
    read_bytes,
    text_or_none,
)
from argentum_desktop.gpus.linux.gauges import Gauge

# What the kernel writes for each generation (drivers/pci/pci.h, PCIE_SPEED2STR), up to the unit.
_GENERATIONS = {"2.5": 1, "5.0": 2, "5": 2, "8.0": 3, "8": 3, "16.0": 4, "16": 4, "32.0": 5, "32": 5, "64.0": 6}
# What a device that is gone from the bus reads as.
_ALL_ONES = b"\xff\xff\xff\xff"


class Device:
    """A PCI function that a driver has."""

    def __init__(self, folder: Path, driver: str) -> None:
        self.folder = folder
        self.driver = driver
        self._driver_link = folder / "driver"
        self._power_file = folder / "power" / "runtime_status"

    @property
    def is_unbound(self) -> bool:
        """Its folder is gone, or its driver has let it go."""
        return link_name(self._driver_link) != self.driver

    @property
    def is_off_the_bus(self) -> bool:
        """The folder is there and the card answers nothing but ones; asked only when something failed."""
        try:
            return first_bytes(self.folder / "config", len(_ALL_ONES)) == _ALL_ONES
        except OSError:
            return False

    @property
    def is_asleep(self) -> bool:
        """The kernel has cut its power for want of work (Documentation/power/runtime_pm.rst).

        Reading its sensors would wake it, or fail on kernels that leave it asleep: neither tells more than this.
        """
        return text_or_none(self._power_file) == "suspended"

    @property
    def drm_node(self) -> Path | None:
        """The folder of its drm node, as in drm/card0: i915 keeps files there."""
        cards = [name for name in names_in(self.folder / "drm") if name.startswith("card") and "-" not in name]
        return self.folder / "drm" / cards[0] if cards else None


class Link:
    """The PCIe link between the slot and the card.

    A card may hang on a switch of its own, to which it is always connected in full: what counts is the switch's upper
    port. It bears the card's vendor, and is no port of the processor or the board, which stand right under the bus.
    """

    def __init__(self, device: Path) -> None:
        port = device.resolve()
        vendor = hexadecimal_or_none(port / "vendor")
        while self._is_port(port.parent, vendor) and not port.parent.parent.name.startswith("pci"):
            port = port.parent
        self._port = port

    @staticmethod
    def _is_port(folder: Path, vendor: int | None) -> bool:
        is_bridge = (text_or_none(folder / "class") or "").startswith("0x0604")
        return is_bridge and hexadecimal_or_none(folder / "vendor") == vendor

    def gauges(self) -> tuple[Gauge, Gauge]:
        return (
            Gauge("pcie_generation", self._port / "current_link_speed", generation),
            Gauge("pcie_width", self._port / "current_link_width"),
        )

    @property
    def generation_max(self) -> int | None:
        """What card and slot could do together."""
        ends = [self._generation(folder / "max_link_speed") for folder in (self._port, self._port.parent)]
        return min((end for end in ends if end is not None), default=None)

    @property
    def width_max(self) -> int | None:
        """What card and slot could do together."""
        ends = [number_or_none(folder / "max_link_width", 1, 32) for folder in (self._port, self._port.parent)]
        return min((end for end in ends if end is not None), default=None)

    @staticmethod
    def _generation(file: Path) -> int | None:
        try:
            return generation(read_bytes(file))
        except (OSError, ValueError):
            return None


def generation(content: bytes) -> int:
    """From a speed as in "16.0 GT/s PCIe".

    Raises:
        ValueError: it is no speed of any generation, as in "Unknown".
    """
    speed = content.decode("ascii").split()
    if len(speed) < 2 or speed[0] not in _GENERATIONS or speed[1] != "GT/s":
        raise ValueError("no speed of a link")
    return _GENERATIONS[speed[0]]
