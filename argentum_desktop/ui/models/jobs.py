"""The table of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from argentum_desktop.agent.status import JobView
from argentum_desktop.ui import words

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
TIME_COLUMN = 3
# Time and money stand right, so that their digits stand under each other.
_RIGHT_COLUMNS = range(3, 5)


class JobsModel(QAbstractTableModel):
    """One row a job. Rows keep their place while a job runs, so a selection stays where it is.

    Attributes:
        now: the time by which "today" is told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime | None = None
        self._jobs: Sequence[JobView] = ()

    def show_jobs(self, jobs: Sequence[JobView]) -> None:
        if [job.lease_id for job in jobs] == [job.lease_id for job in self._jobs]:
            changed = [row for row, job in enumerate(jobs) if job != self._jobs[row]]
            self._jobs = jobs
            for row in changed:
                self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))
            return
        self.beginResetModel()
        self._jobs = jobs
        self.endResetModel()

    def job(self, row: int) -> JobView | None:
        return self._jobs[row] if 0 <= row < len(self._jobs) else None

    def row_of(self, lease_id: str) -> int | None:
        return next((row for row, job in enumerate(self._jobs) if job.lease_id == lease_id), None)

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._jobs)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._titles())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles()[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        job = self.job(index.row())
        if job is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._cells(job)[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role == Qt.ItemDataRole.ToolTipRole and job.reason:
            return words.plain(job.reason)
        return None

    def _titles(self) -> tuple[str, ...]:
        return (
            self.tr("Job"),
            self.tr("State"),
            self.tr("Began"),
            self.tr("Time"),
            self.tr("Earned"),
            self.tr("Money is"),
        )

    def _cells(self, job: JobView) -> tuple[str, ...]:
        state = words.job_state(job)
        if job.outcome is None and job.progress_percent is not None:
            state = f"{state}, {words.percent(job.progress_percent)}"
        return (
            job.title,
            state,
            words.moment(job.accepted_at, self.now or job.accepted_at),
            words.duration(job.elapsed_s),
            words.money(job.earned),
            self.tr("settled") if job.is_settled else self.tr("accrued"),
        )


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT_COLUMNS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
