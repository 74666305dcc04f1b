"""A table that is as tall as its rows, for pages that scroll as a whole."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableView

from argentum_desktop.ui import theme
from argentum_desktop.ui.tokens import SPACE_8

_ROW = 34


class WholeTable(QTableView):
    """Rows grow with their words; `wide` is the column that takes what room is left."""

    def __init__(self, model: QAbstractTableModel, name: str, wide: int) -> None:
        super().__init__()
        self.setProperty("role", "whole")
        self.setModel(model)
        self.setAccessibleName(name)
        self.setFont(theme.font(theme.BODY))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(_ROW)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = self.horizontalHeader()
        header.setFont(theme.font(theme.LABEL))
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
        rows.sectionResized.connect(self.updateGeometry)
        model.modelReset.connect(self.updateGeometry)

    def sizeHintForColumn(self, column: int) -> int:
        # Qt forgets the style sheet's padding beside a tick.
        return super().sizeHintForColumn(column) + SPACE_8

    def sizeHint(self) -> QSize:
        return QSize(400, self.horizontalHeader().sizeHint().height() + self.verticalHeader().length() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resizeRowsToContents()
        self.updateGeometry()
