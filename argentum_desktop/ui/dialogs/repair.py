"""What was done to a card, in the owner's words, for its passport."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from argentum_desktop.ui import theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16, SPACE_24
from argentum_desktop.ui.widgets.labels import label

MOST_CHARACTERS = 500
_WIDTH = 480


class RepairDialog(QDialog):
    """`words` holds what was written, 1 to 500 characters; it cannot be accepted otherwise."""

    def __init__(self, parent: QWidget | None, card_name: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Argentum")
        question = self.tr("What was done to {card}?").format(card=card_name)
        detail = self.tr(
            "For example: new thermal paste and pads, a fan replaced. It is written into the card's passport, "
            "signed with the date, and cannot be taken out again."
        )
        self.setAccessibleName(question)
        self.setAccessibleDescription(detail)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName(question)
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(110)
        self.text.textChanged.connect(self._count)
        self.left = label(theme.LABEL, muted=True)
        self.save = QPushButton(self.tr("&Write it down"))
        self.save.setProperty("role", "primary")
        self.save.setFont(theme.font(theme.BODY_STRONG))
        buttons = QDialogButtonBox()
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.tr("&Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_24, SPACE_24, SPACE_24, SPACE_16)
        column.setSpacing(SPACE_8)
        column.addWidget(label(theme.TITLE, question, wraps=True))
        column.addWidget(label(theme.BODY, detail, muted=True, wraps=True))
        column.addWidget(self.text)
        column.addWidget(self.left)
        column.addSpacing(SPACE_12)
        column.addWidget(buttons)
        self.setFixedWidth(_WIDTH)
        self._count()

    @property
    def words(self) -> str:
        return self.text.toPlainText().strip()

    def _count(self) -> None:
        length = len(self.words)
        self.save.setEnabled(1 <= length <= MOST_CHARACTERS)
        if length > MOST_CHARACTERS:
            self.left.setText(self.tr("%n character(s) too many", "", length - MOST_CHARACTERS))
        else:
            self.left.setText(self.tr("{n} of {most} characters").format(n=length, most=MOST_CHARACTERS))
