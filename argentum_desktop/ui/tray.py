"""The icon in the tray: the state at a glance, and the few things that are wanted without opening anything."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from argentum_desktop.agent.status import AgentState, Status
from argentum_desktop.clock import Clock
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.check_menu import CheckMenu
from argentum_desktop.ui.owner_actions import OwnerActions, running
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.tray_icon import NOTCHES, tray_icon

_LOOK_WHILE_MISSING_MS = 2_000
_LOOK_WHILE_THERE_MS = 15_000
_SENTENCE_LENGTH = 64


class TrayController(QObject):
    """Owns the icon and its menu.

    `availability_changed` tells whether there is a tray: the window takes over where there is none.

    Args:
        on_open: the owner wants the window.
        on_quit: the owner wants the application to end.
        icon: the one that is in the tray already.
        on_check: the owner wants to know a card's health; called with its id.
    """

    availability_changed = Signal(bool)

    def __init__(
        self,
        bridge: Bridge,
        theme: Theme,
        clock: Clock,
        on_open: Callable[[], None],
        on_quit: Callable[[], None],
        icon: QSystemTrayIcon | None = None,
        on_check: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_open = on_open
        self._shown: tuple[AgentState, int] | None = None
        self._actions = OwnerActions(bridge, clock)
        self._actions.setParent(self)
        self.menu = QMenu()
        self.sentence = QAction(self.tr("Starting …"), self.menu, enabled=False)
        self.earnings = QAction("", self.menu, enabled=False)
        self.pause_menu = QMenu(self.tr("Pause"), self.menu)
        self._actions.fill_pause_menu(self.pause_menu)
        self.resume = self._entry(self.tr("Resume"), self._actions.resume)
        self.stop = self._entry(self.tr("Stop jobs now …"), self._actions.stop_jobs)
        self.check = CheckMenu(self.menu, on_check or (lambda _: on_open()))
        self.open = self._entry(self.tr("Open Argentum"), on_open)
        self.quit = self._entry(self.tr("Quit Argentum"), on_quit)
        self._fill_menu()
        self._is_available = QSystemTrayIcon.isSystemTrayAvailable()
        self.icon = self._make_icon(icon)
        self._look = QTimer(self)
        self._look.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._look.timeout.connect(self._look_for_tray)
        self._pace()
        bridge.status_changed.connect(self.show_status)
        theme.changed.connect(self._redraw)
        if bridge.latest is not None:
            self.show_status(bridge.latest)

    @property
    def is_available(self) -> bool:
        return self._is_available

    def show_status(self, status: Status) -> None:
        """Say it in the tool tip and the menu, and draw it when the picture differs."""
        sentence = words.plain(status.sentence)
        is_long = len(sentence) > _SENTENCE_LENGTH
        self.sentence.setText(words.without_mnemonic(sentence[: _SENTENCE_LENGTH - 1] + "…" if is_long else sentence))
        self.earnings.setText(self.tr("Today: {amount} net").format(amount=words.money(status.today.net)))
        is_paused = status.state is AgentState.PAUSED
        self.pause_menu.menuAction().setVisible(not is_paused)
        self.resume.setVisible(is_paused)
        self.stop.setEnabled(bool(running(status.jobs)))
        self.check.show_cards(status.cards)
        tip = f"Argentum: {sentence}"
        if self.icon.toolTip() != tip:
            self.icon.setToolTip(tip)
        look = (status.state, status.taken_at.minute % NOTCHES if status.state is AgentState.WORKING else 0)
        if look != self._shown:
            self._shown = look
            self._redraw()

    def close(self) -> None:
        """Take the icon out of the tray."""
        self._look.stop()
        self.icon.hide()

    def _make_icon(self, known: QSystemTrayIcon | None = None) -> QSystemTrayIcon:
        made = known or QSystemTrayIcon(tray_icon(AgentState.STARTING))
        made.setParent(self)
        made.setContextMenu(self.menu)
        made.setToolTip("Argentum")
        made.activated.connect(self._activated)
        made.show()
        return made

    def _redraw(self) -> None:
        state, notch = self._shown or (AgentState.STARTING, 0)
        self.icon.setIcon(tray_icon(state, notch=notch))

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._on_open()

    def _look_for_tray(self) -> None:
        is_available = QSystemTrayIcon.isSystemTrayAvailable()
        if is_available == self._is_available:
            return
        self._is_available = is_available
        if is_available:
            # An icon made before the desktop's tray was there is never registered with it; a new one is.
            tip = self.icon.toolTip()
            self.icon.hide()
            self.icon.deleteLater()
            self.icon = self._make_icon()
            self.icon.setToolTip(tip)
            self._redraw()
        self._pace()
        self.availability_changed.emit(is_available)

    def _pace(self) -> None:
        self._look.start(_LOOK_WHILE_THERE_MS if self._is_available else _LOOK_WHILE_MISSING_MS)

    def _entry(self, text: str, act: Callable[[], None]) -> QAction:
        action = QAction(text, self.menu)
        # `triggered` has an argument of its own that nobody here wants.
        action.triggered.connect(lambda: act())  # noqa: PLW0108
        return action

    def _fill_menu(self) -> None:
        self.menu.addActions([self.sentence, self.earnings])
        self.menu.addSeparator()
        self.menu.addMenu(self.pause_menu)
        self.menu.addActions([self.resume, self.stop])
        self.menu.addActions(self.check.entries)
        self.menu.addSeparator()
        self.menu.addActions([self.open, self.quit])
        self.resume.setVisible(False)
        self.stop.setEnabled(False)
