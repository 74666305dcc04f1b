"""The finished checks of a card, two of which can be compared, and what belongs to its passport."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QModelIndex, Signal

from argentum_desktop.domain.health import HealthReport
from argentum_desktop.ui import theme
from argentum_desktop.ui.models.check_history import REASON_COLUMN, CheckHistoryModel
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.section import Section, button
from argentum_desktop.ui.widgets.whole_table import WholeTable


class CheckHistory(Section):
    """`chosen` tells the report to show, `compare_wanted` two: the older, then the newer."""

    chosen = Signal(object)
    compare_wanted = Signal(object, object)
    repair_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, *, can_export: bool) -> None:
        super().__init__(self.tr("Checks and passport"))
        self.model = CheckHistoryModel()
        self.compare = button(self.tr("Compare t&wo"), "small")
        self.repair = button(self.tr("&Note a repair …"), "small")
        self.export = button(self.tr("E&xport passport …"), "small")
        self.export.setVisible(can_export)
        for one in (self.compare, self.repair, self.export):
            self.head.addWidget(one)
        self.hint = label(theme.LABEL, muted=True, wraps=True)
        self.said = label(theme.BODY, wraps=True)
        self.said.setVisible(False)
        self.table = WholeTable(self.model, self.tr("Finished checks"), REASON_COLUMN)
        for part in (self.said, self.hint, self.table):
            self.rows.addWidget(part)
        self.model.ticked_changed.connect(self._show_ticks)
        self.table.activated.connect(self._choose)
        self.compare.clicked.connect(self._compare)
        self.repair.clicked.connect(self.repair_wanted)
        self.export.clicked.connect(self.export_wanted)
        self._show_ticks()

    def show_reports(self, reports: Sequence[HealthReport], now: datetime) -> None:
        self.model.now = now
        if list(reports) != list(self.model.rows):
            self.model.show_rows(reports)
        self.table.setVisible(bool(reports))
        self._show_ticks()

    def say(self, sentence: str) -> None:
        """What was just done; empty takes it away."""
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

    def _show_ticks(self) -> None:
        count, ticked = len(self.model.rows), len(self.model.ticked)
        self.compare.setEnabled(ticked == 2)
        self.compare.setVisible(count > 1)
        if not count:
            hint = self.tr("Each finished check is listed here and stays in the card's passport.")
        elif count == 1:
            hint = self.tr("From the second check on, two can be compared.")
        else:
            hint = self.tr("Tick two to compare them; press Return or click twice to see one.")
        self.hint.setText(hint)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.model.rows[index.row()])

    def _compare(self) -> None:
        if len(self.model.ticked) == 2:
            newer, older = self.model.ticked
            self.compare_wanted.emit(older, newer)
