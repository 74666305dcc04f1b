"""Running and past jobs, newest first, and what each of them wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QPlainTextEdit,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from argentum_desktop.agent.status import JobView, Status
from argentum_desktop.errors import ArgentumError
from argentum_desktop.ui import theme, words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.models.jobs import TIME_COLUMN, JobsModel
from argentum_desktop.ui.pages.page import Page
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16, SPACE_24
from argentum_desktop.ui.widgets.empty_state import EmptyState
from argentum_desktop.ui.widgets.labels import ElidedLabel, label

_JOBS = 200
_LOG_BYTES = 64 * 1024
_NARROW_PX = 800
_REFRESH = timedelta(seconds=2)


class JobsPage(Page):
    """A table, and below it the chosen job in words with the end of its log."""

    icon_name = "jobs"

    def __init__(self, bridge: Bridge, theme_: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._asked_at: datetime | None = None
        self._log_of = ""
        self.model = JobsModel()
        self.table = self._table()
        self.reason = label(theme.BODY, muted=True, wraps=True)
        self.facts = label(theme.LABEL, muted=True)
        self.log_title = ElidedLabel(theme.TITLE)
        self.log = QPlainTextEdit(readOnly=True)
        self.empty = EmptyState(theme_, "jobs")
        self.empty.show_words(
            self.tr("No job yet"),
            self.tr("Each job that runs on your cards is listed here, with what it earned and why it ended."),
            self.tr("Argentum takes the next suitable one by itself while it is not paused."),
        )
        self.parts = self._arrange()
        self._show_jobs(())

    def title(self) -> str:
        return self.tr("Jobs")

    def show_status(self, status: Status) -> None:
        if self._asked_at is not None and status.taken_at - self._asked_at < _REFRESH:
            return
        self._asked_at = status.taken_at
        self.model.now = status.taken_at
        self._bridge.start(
            self._bridge.call(self._bridge.service.recent_jobs, _JOBS),
            parent=self,
            success=self._show_jobs,
            failure=self._show_problem,
        )

    def _show_jobs(self, jobs: Sequence[JobView]) -> None:
        self.model.show_jobs(jobs)
        self.empty.setVisible(not jobs)
        self.parts.setVisible(bool(jobs))
        if jobs and not self.table.currentIndex().isValid():
            # A new job moved the rows: the choice stays with the job, not with its place.
            self.table.selectRow(self.model.row_of(self._log_of) or 0)
        self._show_chosen()

    def _show_chosen(self, _current: QModelIndex | None = None, _previous: QModelIndex | None = None) -> None:
        job = self.model.job(self.table.currentIndex().row())
        if job is None:
            return
        self.log_title.setText(job.title)
        self.facts.setText(self._facts(job))
        self.reason.setText(job.reason)
        self.reason.setVisible(bool(job.reason))
        if job.lease_id != self._log_of:
            self._log_of = job.lease_id
            self.log.setPlainText(self.tr("Reading the log …"))
        self._bridge.start(self._load_log(job.lease_id), parent=self, failure=self._show_log_problem)

    async def _load_log(self, lease_id: str) -> None:
        text = await self._bridge.call(self._bridge.service.log_tail, lease_id, _LOG_BYTES)
        if lease_id != self._log_of or text == self.log.toPlainText():
            return
        bar = self.log.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        self.log.setPlainText(text or self.tr("This job has written nothing."))
        if follows:
            bar.setValue(bar.maximum())

    def _facts(self, job: JobView) -> str:
        parts = (
            words.duration(job.elapsed_s),
            words.money_per_hour(job.price_per_hour),
            words.time_left(job),
            "" if job.exit_code is None else self.tr("exit code {code}").format(code=job.exit_code),
        )
        return " · ".join(filter(None, parts))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where it is narrow the name of the job needs the room; the time stands below as well.
        self.table.setColumnHidden(TIME_COLUMN, self.width() < _NARROW_PX)

    def _show_problem(self, error: ArgentumError) -> None:
        self.reason.setText(str(error))
        self.reason.setVisible(True)

    def _show_log_problem(self, error: ArgentumError) -> None:
        self.log.setPlainText(str(error))

    def _table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName(self.tr("Jobs"))
        table.setFont(theme.font(theme.BODY))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(36)
        header = table.horizontalHeader()
        header.setFont(theme.font(theme.LABEL))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentRowChanged.connect(self._show_chosen)
        return table

    def _arrange(self) -> QWidget:
        self.log.setAccessibleName(self.tr("Log of the chosen job"))
        self.log.setFont(theme.font(theme.LABEL_MONO))
        top, bottom = QFrame(), QFrame()
        for frame, inner in ((top, (self.table,)), (bottom, (self.log_title, self.facts, self.reason, self.log))):
            frame.setProperty("role", "card")
            column = QVBoxLayout(frame)
            column.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_12)
            column.setSpacing(SPACE_8)
            for widget in inner:
                column.addWidget(widget)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.setHandleWidth(SPACE_12)
        parts.setChildrenCollapsible(False)
        parts.addWidget(top)
        parts.addWidget(bottom)
        parts.setSizes([340, 260])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE_24, 0, SPACE_24, SPACE_24)
        outer.addWidget(self.empty, 0)
        outer.addWidget(parts, 1)
        return parts
