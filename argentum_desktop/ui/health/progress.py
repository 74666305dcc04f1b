"""A check under way: what is being done now, how far it is, how warm the card is, and the way to end it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from argentum_desktop.ui import theme, words
from argentum_desktop.ui.charts.curve import CurveChart
from argentum_desktop.ui.health import curves, texts
from argentum_desktop.ui.health.checkups import Checkup
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_8, SPACE_16
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.meter import Meter
from argentum_desktop.ui.widgets.section import button

_CHART_HEIGHT = 220


class CheckupProgress(QWidget):
    """Shows one check; the button asks for its end."""

    cancel_wanted = Signal()

    def __init__(self, theme_: Theme) -> None:
        super().__init__()
        self.kind = label(theme.BODY_STRONG)
        self.left = label(theme.BODY_STRONG)
        self.words = label(theme.BODY, muted=True, wraps=True)
        self.bar = Meter(theme_, self.tr("Progress of the health check"), is_accented=True)
        self.chart = CurveChart(theme_, self.tr("Temperature since the check began"))
        self.chart.setMinimumHeight(_CHART_HEIGHT)
        self.cancel = button(self.tr("C&ancel the check"))
        self.cancel.clicked.connect(self.cancel_wanted)
        self._arrange()

    def show_checkup(self, checkup: Checkup) -> None:
        view = checkup.view
        self.kind.setText(texts.mode_title(view.mode))
        self.left.setText(
            self.tr("{span} left").format(span=words.duration(view.remaining_s))
            if view.remaining_s > 0
            else self.tr("almost done")
        )
        self.words.setText(view.words)
        self.bar.show_share(view.done_percent / 100)
        self.cancel.setText(self.tr("Cancelling …") if checkup.is_cancelling else self.tr("C&ancel the check"))
        self.cancel.setEnabled(not checkup.is_cancelling)
        if view.temperatures_c:
            curve = curves.live_curve(checkup, self.tr("Temperature"))
            length_s = curves.live_length_s(checkup)
            self.chart.show_curves([curve], length_s, curves.live_stages(checkup), view.limit_c)
        else:
            self.chart.show_message(self.tr("The card has not told its temperature yet."))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACE_8)
        head.addWidget(self.kind, 1)
        head.addWidget(self.left)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_16)
        foot.addWidget(self.cancel)
        foot.addWidget(
            label(theme.LABEL, self.tr("The card is off the market until the check ends."), muted=True, wraps=True), 1
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_8)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.words)
        column.addWidget(self.chart, 1)
        column.addLayout(foot)
        foot.setAlignment(self.cancel, Qt.AlignmentFlag.AlignLeft)
