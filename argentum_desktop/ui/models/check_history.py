"""The finished checks of a card, of which two can be ticked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QPersistentModelIndex, Qt, Signal

from argentum_desktop.domain.health import HealthReport
from argentum_desktop.ui import words
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.models.table import Index, RowsModel

REASON_COLUMN = 4
_TICK_COLUMN = 0


class CheckHistoryModel(RowsModel[HealthReport]):
    """Newest first. A third tick takes the oldest tick away; ticks stay when a new check arrives.

    Attributes:
        now: the time by which "today" is told.
    """

    ticked_changed = Signal()
    right_columns = (3,)

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime | None = None
        self._ticked: list[str] = []

    @property
    def ticked(self) -> tuple[HealthReport, ...]:
        """At most two, newest first."""
        return tuple(report for report in self.rows if report.report_id in self._ticked)

    def show_rows(self, rows: Sequence[HealthReport]) -> None:
        super().show_rows(rows)
        self._ticked = [known for known in self._ticked if any(report.report_id == known for report in rows)]
        self.ticked_changed.emit()

    def titles(self) -> Sequence[str]:
        return self.tr("When"), self.tr("Kind"), self.tr("Grade"), self.tr("Confidence"), self.tr("Why")

    def cells(self, row: HealthReport) -> Sequence[str]:
        graded = texts.grade(row.appraisal.grade)
        return (
            # Held together, or a narrow column would break it and cut off the time.
            texts.when(row.ended_at, self.now or row.ended_at).replace(" ", words.NBSP),
            texts.mode_title(row.mode),
            self.tr("{grade}, simulated").format(grade=graded) if row.is_simulated else graded,
            words.percent(row.appraisal.confidence_percent),
            row.appraisal.reason,
        )

    def flags(self, index: Index) -> Qt.ItemFlag:
        known = super().flags(index)
        return known | Qt.ItemFlag.ItemIsUserCheckable if self._has_tick(index) else known

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.CheckStateRole and self._has_tick(index):
            is_ticked = self.rows[index.row()].report_id in self._ticked
            return Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or isinstance(index, QPersistentModelIndex):
            return False
        self.tick(index.row(), is_ticked=Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def _has_tick(self, index: Index) -> bool:
        return index.isValid() and index.column() == _TICK_COLUMN and len(self.rows) > 1

    def tick(self, row: int, *, is_ticked: bool) -> None:
        report_id = self.rows[row].report_id
        self._ticked = [known for known in self._ticked if known != report_id]
        if is_ticked:
            self._ticked = [*self._ticked[-1:], report_id]
        self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 0), [Qt.ItemDataRole.CheckStateRole])
        self.ticked_changed.emit()
