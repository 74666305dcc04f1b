"""The cards on the PCI bus, whoever drives them, and whether that has changed."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from argentum_desktop.gpus.discovery import PciCard
from argentum_desktop.gpus.linux.files import (
    hexadecimal_or_none,
    link_name,
    names_in,
    text_or_none,
)

DEVICES = "sys/bus/pci/devices"
# Display controllers: VGA 0x0300, 3D 0x0302, others 0x0380 (PCI Code and ID Assignment Specification).
_DISPLAY_CLASS = "0x03"
_DRIVER_MODULES = ("nvidia", "nouveau", "amdgpu", "xe", "i915")
LOOK_EVERY_S = 5.0


class PciBus:
    """The machine's PCI devices.

    Args:
        root: "/", or where a tree of the same form lies.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._devices = root / DEVICES
        self._displays: dict[str, bool] = {}  # by address: a device's class never changes
        self._looked_at: datetime | None = None
        self._state: tuple[object, ...] = ()

    @property
    def is_there(self) -> bool:
        return self._devices.is_dir()

    def folder(self, card: PciCard) -> Path:
        return self._devices / card.address

    def cards(self) -> tuple[PciCard, ...]:
        """The display controllers, in order of their address."""
        return tuple(self._describe(address) for address in self._display_addresses())

    def name(self, card: PciCard) -> str:
        """What a card that no driver names is called."""
        from argentum_desktop.gpus.linux.names import card_name

        revision = hexadecimal_or_none(self.folder(card) / "revision")
        return card_name(self._root, card.vendor, card.device, revision)

    def remember(self) -> None:
        """Take what is there now as what was listed."""
        self._looked_at = None
        self._state = self._look()

    def has_changed(self, now: datetime) -> bool:
        """Whether cards or drivers came or went since `remember`; looked at every few seconds only."""
        if self._looked_at is not None and 0 <= (now - self._looked_at).total_seconds() < LOOK_EVERY_S:
            return False
        self._looked_at = now
        return self._look() != self._state

    def _look(self) -> tuple[object, ...]:
        """Who is there and driven by whom, and which drivers are loaded, in what version and since when."""
        bound = tuple(self._holder(address) for address in self._display_addresses())
        loaded = tuple(self._module(name) for name in _DRIVER_MODULES)
        return bound, loaded, text_or_none(self._root / "proc/driver/nvidia/version", 200)

    def _holder(self, address: str) -> tuple[object, ...]:
        """A card's driver, and how far it has come: the link is there seconds before the sensors are."""
        folder = self._devices / address
        return address, link_name(folder / "driver"), *names_in(folder / "drm"), *names_in(folder / "hwmon")

    def _module(self, name: str) -> tuple[int, str | None]:
        """A loaded driver: its folder's number is another one each time it is loaded anew."""
        folder = self._root / "sys/module" / name
        try:
            number = os.stat(folder).st_ino  # noqa: PTH116 - asked every few seconds
        except OSError:
            return 0, None
        return number, text_or_none(folder / "version") or text_or_none(folder / "srcversion")

    def _display_addresses(self) -> list[str]:
        addresses = names_in(self._devices)
        known = self._displays
        self._displays = {
            address: known[address] if address in known else self._is_display(address) for address in addresses
        }
        return [address for address in addresses if self._displays[address]]

    def _is_display(self, address: str) -> bool:
        return (text_or_none(self._devices / address / "class") or "").startswith(_DISPLAY_CLASS)

    def _describe(self, address: str) -> PciCard:
        folder = self._devices / address
        maker, model = (hexadecimal_or_none(folder / name) for name in ("subsystem_vendor", "subsystem_device"))
        return PciCard(
            address=address,
            vendor=hexadecimal_or_none(folder / "vendor") or 0,
            device=hexadecimal_or_none(folder / "device") or 0,
            subsystem=None if maker is None or model is None else f"{maker:04x}:{model:04x}",
            driver=link_name(folder / "driver"),
        )
