"""The cards one by one: how each is, what it was, how sound it is."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QVBoxLayout

from argentum_desktop.agent.status import CardStatus, Status
from argentum_desktop.domain.health import CheckMode, HealthReport
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.health.checkups import Checkups
from argentum_desktop.ui.health.comparison import Comparison
from argentum_desktop.ui.health.health_actions import HealthActions
from argentum_desktop.ui.owner_actions import running
from argentum_desktop.ui.pages.card_detail import CardDetail
from argentum_desktop.ui.pages.page import Page
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tokens import SPACE_24
from argentum_desktop.ui.widgets.card_choice import CardChoice
from argentum_desktop.ui.widgets.columns import Columns
from argentum_desktop.ui.widgets.empty_state import EmptyState
from argentum_desktop.ui.widgets.scrolled import scrolled

_LEAST_CHOICE_WIDTH = 220


class GpusPage(Page):
    """A list of cards; below it everything about the chosen one."""

    icon_name = "card"

    def __init__(self, bridge: Bridge, theme: Theme, checkups: Checkups, actions: HealthActions) -> None:
        super().__init__()
        self._theme = theme
        self._bridge = bridge
        self._actions = actions
        self._chosen = ""
        self._names: dict[str, str] = {}
        self._choice_of: dict[str, CardChoice] = {}
        self._group = QButtonGroup(self)
        self.choices = Columns(_LEAST_CHOICE_WIDTH, 4)
        self.detail = CardDetail(bridge, theme, checkups, can_export=actions.can_export)
        self.comparison = Comparison(theme)
        self.empty = EmptyState(theme, "card")
        self.empty.show_words(
            self.tr("No card found"),
            self.tr("Each graphics card is shown here with its temperature, its history and its health."),
            self.tr("Install the driver of your card's maker and start Argentum again; it looks once more by itself."),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(scrolled(self.title(), (self.choices, self.detail)))
        self._stack.addWidget(self.comparison)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.empty)
        outer.addWidget(self._stack, 1)
        self.empty.setVisible(False)
        self._connect()

    def title(self) -> str:
        return self.tr("GPUs")

    def show_status(self, status: Status) -> None:
        self.empty.setVisible(not status.cards)
        outer = self.layout()
        if outer is not None:
            margin = 0 if status.cards else SPACE_24
            outer.setContentsMargins(margin, 0, margin, margin)
        self._stack.setVisible(bool(status.cards))
        self._show_choices(status)
        card = self._card(status)
        if card is not None:
            self.detail.show_card(card, status)

    def choose(self, gpu_id: str) -> None:
        """Show this card from now on."""
        self._chosen = gpu_id
        self._close_comparison()
        if self._bridge.latest is not None:
            self.show_status(self._bridge.latest)

    def _card(self, status: Status) -> CardStatus | None:
        return next((card for card in status.cards if card.gpu.gpu_id == self._chosen), None)

    def _show_choices(self, status: Status) -> None:
        self._names = words.card_names(status.cards)
        if list(self._names) != list(self._choice_of):
            self._make_choices()
        if self._chosen not in self._names:
            self._chosen = next(iter(self._names), "")
            self._close_comparison()
        jobs = {job.lease_id: job for job in running(status.jobs)}
        for card in status.cards:
            gpu_id = card.gpu.gpu_id
            choice = self._choice_of[gpu_id]
            choice.show_card(card, self._names[gpu_id], jobs.get(card.lease_id or ""), status)
            choice.setChecked(gpu_id == self._chosen)

    def _make_choices(self) -> None:
        for choice in self._choice_of.values():
            self._group.removeButton(choice)
        self._choice_of = {gpu_id: CardChoice(self._theme) for gpu_id in self._names}
        for gpu_id, choice in self._choice_of.items():
            self._group.addButton(choice)
            choice.clicked.connect(lambda _=False, gpu_id=gpu_id: self.choose(gpu_id))
        self.choices.place(tuple(self._choice_of.values()))

    def _connect(self) -> None:
        actions, detail = self._actions, self.detail
        detail.health.check_wanted.connect(self._check)
        detail.health.cancel_wanted.connect(lambda: actions.cancel_check(self._chosen))
        detail.history.repair_wanted.connect(lambda: actions.note_repair(self._chosen, self._name))
        detail.history.export_wanted.connect(lambda: actions.export_passport(self._chosen, self._name))
        detail.history.compare_wanted.connect(self._compare)
        actions.done.connect(detail.history.say)
        self.comparison.closed.connect(self._close_comparison)

    @property
    def _name(self) -> str:
        return self._names.get(self._chosen, "")

    def _check(self, mode: CheckMode) -> None:
        self._actions.ask_to_check(self._chosen, self._name, mode)

    def _compare(self, then: HealthReport, now: HealthReport) -> None:
        status = self._bridge.latest
        card = None if status is None else self._card(status)
        if status is not None and card is not None:
            self._stack.setCurrentWidget(self.comparison)
            self.comparison.show_reports(then, now, status.taken_at, card.gpu.temperature_slowdown_c)

    def _close_comparison(self) -> None:
        if self._stack.currentWidget() is self.comparison:
            self._stack.setCurrentIndex(0)
            self.detail.history.compare.setFocus()
