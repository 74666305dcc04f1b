"""The first page: what the cards do, how they are and what they bring."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout

from argentum_desktop.agent.status import Status
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.charts.earnings import EarningsPanel
from argentum_desktop.ui.charts.temperature import TemperaturePanel
from argentum_desktop.ui.owner_actions import running
from argentum_desktop.ui.pages.page import Page
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.columns import Columns
from argentum_desktop.ui.widgets.empty_state import EmptyState
from argentum_desktop.ui.widgets.gpu_card import GpuCard
from argentum_desktop.ui.widgets.notices import NoticeStack
from argentum_desktop.ui.widgets.scrolled import scrolled
from argentum_desktop.ui.widgets.tiles import OverviewTiles

# The agent's notice that explains an empty list of cards.
NO_CARD_CODES = ("no-card", "no-cards", "no-gpu")
_LEAST_CARD_WIDTH = 380
_LEAST_PANEL_WIDTH = 340


class OverviewPage(Page):
    """Notices, figures, cards, charts, from top to bottom; `check_wanted` tells the card whose health is asked for."""

    icon_name = "overview"
    check_wanted = Signal(str)

    def __init__(self, bridge: Bridge, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.notices = NoticeStack(theme)
        self.tiles = OverviewTiles()
        self.cards = Columns(_LEAST_CARD_WIDTH, 2)
        self.no_card = EmptyState(theme, "card")
        self.temperature = TemperaturePanel(bridge, theme)
        self.earnings = EarningsPanel(bridge, theme)
        self._card_of: dict[str, GpuCard] = {}
        charts = Columns(_LEAST_PANEL_WIDTH, 2, stretches=(3, 2))
        charts.place((self.temperature, self.earnings))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(self.title(), (self.notices, self.tiles, self.cards, self.no_card, charts)))

    def title(self) -> str:
        return self.tr("Overview")

    def show_status(self, status: Status) -> None:
        self.tiles.show_status(status)
        self._show_cards(status)
        self.temperature.show_status(status)
        self.earnings.show_status(status)

    def _show_cards(self, status: Status) -> None:
        names = words.card_names(status.cards)
        if list(names) != list(self._card_of):
            self._card_of = {gpu_id: self._new_card() for gpu_id in names}
            self.cards.place(tuple(self._card_of.values()))
        jobs = {job.lease_id: job for job in running(status.jobs)}
        for card in status.cards:
            gpu_id = card.gpu.gpu_id
            job = jobs.get(card.lease_id or "")
            self._card_of[gpu_id].show_card(card, names[gpu_id], job, status)
        self.cards.setVisible(bool(status.cards))
        self.no_card.setVisible(not status.cards)
        explained = [notice for notice in status.notices if notice.code in NO_CARD_CODES and not status.cards]
        self.notices.show_notices([notice for notice in status.notices if notice not in explained])
        if not status.cards:
            self.no_card.show_words(
                self.tr("No card found"),
                explained[0].message
                if explained
                else self.tr("No driver of a graphics card answers on this computer."),
                explained[0].remedy
                if explained
                else self.tr(
                    "Install the driver of your card's maker and start Argentum again; it looks once more by itself."
                ),
            )

    def _new_card(self) -> GpuCard:
        card = GpuCard(self._theme)
        card.check_wanted.connect(self.check_wanted)
        return card
