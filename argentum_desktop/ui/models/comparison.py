"""Two reports of a card, check by check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtGui import QIcon

from argentum_desktop.domain.health import CheckResult, HealthReport
from argentum_desktop.ui import words
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.models.table import RowsModel
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.verdict_glyph import verdict_icon

TITLE_COLUMN = 0
_THEN, _NOW = 1, 2


@dataclass(frozen=True)
class Pair:
    """One check in both reports; None where a report does not have it."""

    then: CheckResult | None
    now: CheckResult | None

    @property
    def title(self) -> str:
        known = self.now or self.then
        return known.title if known is not None else ""


def pairs(then: HealthReport, now: HealthReport) -> list[Pair]:
    """In the order of the newer report; what only the older one has comes last."""
    before = {check.check_id: check for check in then.checks}
    after = {check.check_id for check in now.checks}
    made = [Pair(before.get(check.check_id), check) for check in now.checks]
    return made + [Pair(check, None) for check in then.checks if check.check_id not in after]


class ComparisonModel(RowsModel[Pair]):
    """Then, now and the difference."""

    right_columns = (1, 2, 3)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._times = (self.tr("Then"), self.tr("Now"))
        theme.changed.connect(self.recolor)

    def show_reports(self, then: HealthReport, now: HealthReport, times: tuple[str, str]) -> None:
        """`times` stand above the columns."""
        self._times = times
        self.show_rows(pairs(then, now))

    def titles(self) -> Sequence[str]:
        return self.tr("Check"), *self._times, self.tr("Difference")

    def cells(self, row: Pair) -> Sequence[str]:
        return row.title, _said(row.then), _said(row.now), texts.difference(row.then, row.now)

    def spoken(self, row: Pair, column: int) -> str:
        said = super().spoken(row, column)
        check = self._check(row, column)
        return said if check is None else f"{said}: {texts.verdict(check.verdict)}"

    def decoration(self, row: Pair, column: int) -> QIcon | None:
        check = self._check(row, column)
        return None if check is None else verdict_icon(self._theme, check.verdict)

    def tip(self, row: Pair) -> str:
        return words.plain("\n".join(check.words for check in (row.then, row.now) if check is not None))

    @staticmethod
    def _check(row: Pair, column: int) -> CheckResult | None:
        return {_THEN: row.then, _NOW: row.now}.get(column)


def _said(check: CheckResult | None) -> str:
    if check is None:
        return words.UNKNOWN
    return texts.verdict(check.verdict) if check.value is None else texts.amount(check.value, check.unit)
