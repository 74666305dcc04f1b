"""What the owner can do about a card's health, the same from every page and from the tray."""

from __future__ import annotations

import re

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from argentum_desktop.domain.health import CheckMode
from argentum_desktop.errors import ArgentumError
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.dialogs.message import show_error
from argentum_desktop.ui.dialogs.opened import opened
from argentum_desktop.ui.dialogs.repair import RepairDialog
from argentum_desktop.ui.dialogs.save_file import ask_where_to_save
from argentum_desktop.ui.dialogs.start_check import StartCheckDialog
from argentum_desktop.ui.health.checkups import Checkups
from argentum_desktop.ui.health.passport_exporter import PassportExporter


class HealthActions(QObject):
    """Asks where something is at stake, then does it; a fault is shown over `window`. One question at a time."""

    done = Signal(str)
    """One sentence about what was done."""

    def __init__(
        self, bridge: Bridge, checkups: Checkups, window: QWidget, exporter: PassportExporter | None = None
    ) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._checkups = checkups
        self._window = window
        self._exporter = exporter
        self._is_asking = False

    @property
    def can_export(self) -> bool:
        return self._exporter is not None

    def ask_to_check(self, gpu_id: str, name: str, mode: CheckMode = CheckMode.QUICK) -> None:
        """Say what a check does to the card, and begin it when the owner agrees."""
        if not self._is_asking and self._checkups.running(gpu_id) is None:
            self._is_asking = True
            self._bridge.start(self._ask_to_check(gpu_id, name, mode), parent=self._window)

    def cancel_check(self, gpu_id: str) -> None:
        """At once and without a question: nothing is lost but a minute."""
        self._checkups.cancelling(gpu_id)
        self._bridge.start(self._cancel(gpu_id), parent=self._window)

    def note_repair(self, gpu_id: str, name: str) -> None:
        if not self._is_asking:
            self._is_asking = True
            self._bridge.start(self._note_repair(gpu_id, name), parent=self._window)

    def export_passport(self, gpu_id: str, name: str) -> None:
        if not self._is_asking and self._exporter is not None:
            self._is_asking = True
            self._bridge.start(self._export(self._exporter, gpu_id, name), parent=self._window)

    async def _ask_to_check(self, gpu_id: str, name: str, mode: CheckMode) -> None:
        dialog = StartCheckDialog(self._window, name, mode)
        try:
            if not await opened(dialog):
                return
            chosen = dialog.mode
        finally:
            self._is_asking = False
        self._checkups.begin(gpu_id)
        await self._bridge.call(self._bridge.service.start_check, gpu_id, chosen)
        await self._bridge.refresh()

    async def _cancel(self, gpu_id: str) -> None:
        try:
            await self._bridge.call(self._bridge.service.cancel_check, gpu_id)
        except ArgentumError as error:
            self._checkups.cancelling(gpu_id, is_so=False)
            await show_error(self._window, error)

    async def _note_repair(self, gpu_id: str, name: str) -> None:
        dialog = RepairDialog(self._window, name)
        try:
            if not await opened(dialog):
                return
            words = dialog.words
        finally:
            self._is_asking = False
        await self._bridge.call(self._bridge.service.note_repair, gpu_id, words)
        self.done.emit(self.tr("Written into the passport of {card}.").format(card=name))

    async def _export(self, exporter: PassportExporter, gpu_id: str, name: str) -> None:
        title = self.tr("Export the passport of {card}").format(card=name)
        kinds = (
            (self.tr("Page to read"), "html"),
            (self.tr("Document to print"), "pdf"),
            (self.tr("Data to verify"), "json"),
        )
        try:
            path = await ask_where_to_save(self._window, title, _file_name(name), kinds)
        finally:
            self._is_asking = False
        if path is not None:
            await exporter.export(gpu_id, path)
            self.done.emit(self.tr("The passport is in {path}.").format(path=path))


def _file_name(name: str) -> str:
    """`passport-geforce-rtx-3090`: letters and digits of any script, nothing that a file system could misread."""
    return "passport-" + re.sub(r"[\W_]+", "-", name.lower()).strip("-")
