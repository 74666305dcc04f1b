"""The tray's way to a health check: one entry where there is one card, a menu of them where there are several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from argentum_desktop.agent.status import CardStatus
from argentum_desktop.domain.gpu import GpuState
from argentum_desktop.ui import words


class CheckMenu(QObject):
    """`entries` go into the tray's menu; of the two only one is seen, or none while there is no card.

    Args:
        on_check: called with the id of the card whose health is asked for.
    """

    def __init__(self, menu: QMenu, on_check: Callable[[str], None]) -> None:
        super().__init__(menu)
        self._on_check = on_check
        self._names: dict[str, str] = {}
        self.single = QAction(self.tr("Check health …"), menu)
        self.single.triggered.connect(lambda: self._on_check(next(iter(self._names))))
        self.several = QMenu(self.tr("Check health"), menu)
        self.entries: Sequence[QAction] = (self.single, self.several.menuAction())
        self._show_entries()

    def show_cards(self, cards: tuple[CardStatus, ...]) -> None:
        """Offer those that answer."""
        ready = {card.gpu.gpu_id for card in cards if card.gpu.state is GpuState.READY}
        names = {gpu_id: name for gpu_id, name in words.card_names(cards).items() if gpu_id in ready}
        if names != self._names:
            self._names = names
            self._show_entries()

    def _show_entries(self) -> None:
        self.several.clear()
        for gpu_id, name in self._names.items():
            action = QAction(words.without_mnemonic(name), self.several)
            action.triggered.connect(lambda _=False, gpu_id=gpu_id: self._on_check(gpu_id))
            self.several.addAction(action)
        self.single.setVisible(len(self._names) == 1)
        self.several.menuAction().setVisible(len(self._names) > 1)
