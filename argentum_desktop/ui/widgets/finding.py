"""One finding of a check: its sign, what was found, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from argentum_desktop.domain.health import CheckResult
from argentum_desktop.ui import theme
from argentum_desktop.ui.health import texts
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_12, SPACE_16
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.verdict_glyph import VerdictGlyph


class Finding(QWidget):
    """Title and value in one line, words below, the remedy below these."""

    def __init__(self, theme_: Theme, check: CheckResult) -> None:
        super().__init__()
        value = texts.amount(check.value, check.unit) if check.value is not None else ""
        self.setAccessibleName(f"{check.title}: {texts.verdict(check.verdict)}")
        self.setAccessibleDescription(" ".join(filter(None, (value, check.words, check.remedy))))
        head = QHBoxLayout()
        head.setSpacing(SPACE_16)
        head.addWidget(label(theme.BODY_STRONG, check.title, wraps=True), 1)
        head.addWidget(label(theme.BODY_STRONG, value), 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addLayout(head)
        for words, is_muted in ((check.words, True), (check.remedy, False)):
            if words:
                text.addWidget(label(theme.BODY, words, muted=is_muted, wraps=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_12)
        row.addWidget(VerdictGlyph(theme_, check.verdict), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)
