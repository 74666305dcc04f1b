"""All checks of one report."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QIcon

from argentum_desktop.domain.health import CheckResult
from argentum_desktop.ui import words
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.models.table import RowsModel
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.verdict_glyph import verdict_icon

WORDS_COLUMN = 3


class ChecksModel(RowsModel[CheckResult]):
    """In the order they are given."""

    right_columns = (1, 2)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        theme.changed.connect(self.recolor)

    def titles(self) -> Sequence[str]:
        return self.tr("Check"), self.tr("Value"), self.tr("Passes at"), self.tr("What was found")

    def cells(self, row: CheckResult) -> Sequence[str]:
        value = "" if row.value is None else texts.amount(row.value, row.unit)
        return row.title, value, texts.threshold(row.threshold, row.unit), row.words

    def spoken(self, row: CheckResult, column: int) -> str:
        said = super().spoken(row, column)
        return f"{said}: {texts.verdict(row.verdict)}" if column == 0 else said

    def decoration(self, row: CheckResult, column: int) -> QIcon | None:
        return verdict_icon(self._theme, row.verdict) if column == 0 else None

    def tip(self, row: CheckResult) -> str:
        basis = self.tr("Threshold: {basis}").format(basis=row.basis) if row.basis else ""
        return words.plain("\n".join(filter(None, (texts.verdict(row.verdict), row.remedy, basis))))
