"""Windows' PCI bus for whoever joins the lists of cards: who is here, and whether that has changed."""

from __future__ import annotations

from datetime import datetime

from argentum_desktop.gpus.discovery import PciCard
from argentum_desktop.gpus.windows.source import WindowsSource

LOOK_EVERY_S = 5.0


class WindowsBus:
    """Tells what `WindowsSource` found: every card on the bus is in its list already, with its reason."""

    def __init__(self, source: WindowsSource) -> None:
        self.source = source
        self._looked_at: datetime | None = None

    def cards(self) -> tuple[PciCard, ...]:
        """The cards of the last `discover`, in order of their address."""
        cards = [
            PciCard(each.pci_address, each.vendor_id, each.device_id, each.subsystem or None, each.service or None)
            for each in self.source.devices
            if each.pci_address is not None
        ]
        return tuple(sorted(cards, key=lambda card: card.address))

    def name(self, card: PciCard) -> str:
        names = {each.pci_address: each.name for each in self.source.devices}
        return names.get(card.address) or f"Graphics card {card.pci_id}"

    def remember(self) -> None:
        """Nothing to do here: the source remembers at each `discover` what it found."""
        self._looked_at = None

    def has_changed(self, now: datetime) -> bool:
        """Whether cards or drivers came or went since then; looked at every few seconds only."""
        if self._looked_at is not None and 0 <= (now - self._looked_at).total_seconds() < LOOK_EVERY_S:
            return False
        self._looked_at = now
        return self.source.is_outdated()
