"""What a card is: its driver, its place in the computer, its numbers. Each can be marked and copied."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel

from argentum_desktop.agent.status import CardStatus
from argentum_desktop.domain.gpu import Gpu
from argentum_desktop.domain.reading import Reading
from argentum_desktop.ui import theme, words
from argentum_desktop.ui.tokens import SPACE_4, SPACE_16, SPACE_24
from argentum_desktop.ui.widgets.labels import label
from argentum_desktop.ui.widgets.section import Section

_LEAST_COLUMN = 420
_LEAST_WIDTH = 300


class CardFacts(Section):
    """Names and values in one or two columns."""

    def __init__(self) -> None:
        super().__init__(self.tr("This card"))
        self._shown: Mapping[str, str] = {}
        self._labels: list[tuple[QLabel, QLabel]] = []
        self._columns = 0
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE_16)
        self._grid.setVerticalSpacing(SPACE_4)
        self.rows.addLayout(self._grid)

    def show_card(self, card: CardStatus) -> None:
        facts = self._facts(card)
        if not self._labels:
            self._labels = [(label(theme.LABEL, muted=True), label(theme.BODY)) for _ in facts]
            self._place()
        if facts == self._shown:
            return
        self._shown = facts
        for (name, value), (of, what) in zip(self._labels, facts.items(), strict=True):
            name.setText(of)
            value.setText(what)
            value.setAccessibleName(f"{of}: {what}")
            value.setToolTip(self.tr("The driver does not tell.") if what == words.UNKNOWN else "")
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def minimumSizeHint(self) -> QSize:
        # Otherwise two columns would keep the window from getting narrower.
        return QSize(_LEAST_WIDTH, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        columns = 2 if self.width() >= 2 * _LEAST_COLUMN else 1
        if columns == self._columns or not self._labels:
            return
        self._columns = columns
        per_column = -(-len(self._labels) // columns)
        for index, (name, value) in enumerate(self._labels):
            row, column = index % per_column, index // per_column * 3
            self._grid.addWidget(name, row, column)
            self._grid.addWidget(value, row, column + 1)
        self._grid.setColumnMinimumWidth(2, SPACE_24 if columns == 2 else 0)
        for column in (1, 4):
            self._grid.setColumnStretch(column, 1 if column == 1 or columns == 2 else 0)

    def _facts(self, card: CardStatus) -> Mapping[str, str]:
        gpu, reading = card.gpu, card.reading
        unknown = words.UNKNOWN
        return {
            self.tr("Driver"): " ".join(filter(None, (gpu.driver, gpu.driver_version))) or unknown,
            self.tr("Memory"): words.memory(gpu.memory_total_bytes),
            self.tr("Connection"): self._connection(gpu, reading),
            self.tr("Power limit"): self._power_limit(gpu, reading),
            self.tr("Slows itself down at"): words.temperature(gpu.temperature_slowdown_c),
            self.tr("VBIOS"): gpu.vbios_version or unknown,
            self.tr("PCI address"): gpu.pci_address or unknown,
            self.tr("PCI id"): gpu.pci_id or unknown,
            self.tr("Board maker's id"): gpu.pci_subsystem or unknown,
            self.tr("Serial number"): gpu.serial or unknown,
            self.tr("Id"): gpu.gpu_id,
        }

    def _connection(self, gpu: Gpu, reading: Reading | None) -> str:
        """`PCIe 4.0 × 16`, and what it could be where that is more."""
        generation = None if reading is None else reading.pcie_generation
        width = None if reading is None else reading.pcie_width
        most = gpu.pcie_generation_max, gpu.pcie_width_max
        if width is None or generation is None:
            return words.UNKNOWN if None in most else self._pcie(*most)
        now = self._pcie(generation, width)
        if None in most or most == (generation, width):
            return now
        return self.tr("{now} now, {most} at most").format(now=now, most=self._pcie(*most))

    def _pcie(self, generation: int | None, width: int | None) -> str:
        return self.tr("PCIe {generation}.0 × {width}").format(generation=generation, width=width)

    def _power_limit(self, gpu: Gpu, reading: Reading | None) -> str:
        limit = (reading.power_limit_mw if reading is not None else None) or gpu.power_limit_mw
        default = gpu.power_limit_default_mw
        if limit is None or default is None or limit == default:
            return words.power(limit)
        return self.tr("{limit}, made for {default}").format(limit=words.power(limit), default=words.power(default))
