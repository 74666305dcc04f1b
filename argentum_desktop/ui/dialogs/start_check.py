"""Before a check: what will happen to the card and to the computer. Asked every time, for a check is rare."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from argentum_desktop.domain.health import CheckMode
from argentum_desktop.ui import theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_12, SPACE_16, SPACE_24
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.segments import Segments

MODES = (CheckMode.QUICK, CheckMode.FULL, CheckMode.PASSIVE)
_WIDTH = 480


class StartCheckDialog(QDialog):
    """Offers the three kinds of check; `mode` is the one that is chosen."""

    def __init__(self, parent: QWidget | None, card_name: str, mode: CheckMode) -> None:
        super().__init__(parent)
        self.mode = mode
        self.setWindowTitle("Argentum")
        question = self.tr("Check the health of {card}?").format(card=card_name)
        self.setAccessibleName(question)
        choices = (
            (self.tr("Quick, 1 min"), self.tr("quick, one minute")),
            (self.tr("Full, 10 min"), self.tr("full, ten minutes")),
            (self.tr("Counters only"), self.tr("counters only, without a load")),
        )
        self.modes = Segments(self.tr("Kind of check"), choices, MODES.index(mode))
        self.points: tuple[QLabel, ...] = tuple(label(theme.BODY, wraps=True) for _ in self._said())
        self.start = QPushButton(self.tr("&Start the check"))
        self._arrange(label(theme.TITLE, question, wraps=True))
        self.modes.chosen.connect(self._choose)
        for one in self.modes.buttons():
            one.setAutoDefault(False)
        self._choose(MODES.index(mode))
        self.modes.buttons()[MODES.index(mode)].setFocus()

    def _choose(self, index: int) -> None:
        self.mode = MODES[index]
        said = self._said()
        for number, point in enumerate(self.points):
            point.setText(said[number] if number < len(said) else "")
            point.setVisible(number < len(said))
        self.setAccessibleDescription(" ".join(said))
        self.adjustSize()

    def _said(self) -> Sequence[str]:
        if self.mode is CheckMode.PASSIVE:
            return (
                self.tr("Argentum reads what the card has counted itself: errors, retired memory, its connection."),
                self.tr("The card is not put to work, and it takes a few seconds."),
            )
        span = self.tr("a minute") if self.mode is CheckMode.QUICK else self.tr("ten minutes")
        return (
            self.tr(
                "The card works at full load for {span}. It may get loud and warm, and the screen may stutter."
            ).format(span=span),
            self.tr("It is off the market meanwhile, and back afterwards by itself."),
            self.tr(
                "The check stops by itself 2 °C before the card would slow itself down. You can cancel at any moment."
            ),
            self.tr("The computer must be on mains power."),
            self.tr(
                "A power supply that is too weak for the card may switch the computer off: save your work first. "
                "Take any overclock off, or it will be judged with the card."
            ),
        )

    def _arrange(self, question: QLabel) -> None:
        self.start.setProperty("role", "primary")
        self.start.setFont(theme.font(theme.BODY_STRONG))
        buttons = QDialogButtonBox()
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        self.way_out = buttons.addButton(self.tr("&Not now"), QDialogButtonBox.ButtonRole.RejectRole)
        # Return and Escape alike leave the card alone.
        self.start.setAutoDefault(False)
        self.way_out.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_24, SPACE_24, SPACE_24, SPACE_16)
        column.setSpacing(SPACE_8)
        column.addWidget(question)
        column.addWidget(self.modes, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(SPACE_8)
        for point in self.points:
            column.addWidget(point)
        column.addSpacing(SPACE_12)
        column.addWidget(buttons)
        self.setFixedWidth(_WIDTH)
