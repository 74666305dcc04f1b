"""The window: navigation, header and pages. It works only while it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from argentum_desktop.agent.status import Notice, Status
from argentum_desktop.clock import Clock
from argentum_desktop.errors import ArgentumError
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.dialogs.message import ask
from argentum_desktop.ui.header import Header
from argentum_desktop.ui.health.checkups import Checkups
from argentum_desktop.ui.health.health_actions import HealthActions
from argentum_desktop.ui.health.passport_exporter import PassportExporter
from argentum_desktop.ui.icons import application_icon
from argentum_desktop.ui.navigation import Navigation
from argentum_desktop.ui.owner_actions import OwnerActions
from argentum_desktop.ui.pages.gpus import GpusPage
from argentum_desktop.ui.pages.jobs import JobsPage
from argentum_desktop.ui.pages.overview import OverviewPage
from argentum_desktop.ui.pages.page import Page
from argentum_desktop.ui.theme import Theme
from argentum_desktop.ui.widgets.notices import NoticeStack

_LIVE_MS = 1000
_NO_TRAY = "no-tray"


class MainWindow(QWidget):
    """Closing it leaves Argentum in the tray; where there is no tray the owner is asked what closing means.

    Args:
        on_quit: called when the owner ends the application from here.
        exporter: writes passports into files; without one none is offered.
    """

    def __init__(
        self,
        bridge: Bridge,
        theme: Theme,
        clock: Clock,
        on_quit: Callable[[], None],
        exporter: PassportExporter | None = None,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._on_quit = on_quit
        self._has_tray = True
        self._is_asking = False
        self._is_ending = False
        self.actions_of_owner = OwnerActions(bridge, clock, self)
        checkups = Checkups(bridge, self)
        self.health_actions = HealthActions(bridge, checkups, self, exporter)
        self.overview = OverviewPage(bridge, theme)
        self.gpus = GpusPage(bridge, theme, checkups, self.health_actions)
        self.jobs = JobsPage(bridge, theme)
        self.pages: Sequence[Page] = (self.overview, self.gpus, self.jobs)
        self.header = Header(theme, self.actions_of_owner)
        self.navigation = Navigation(theme, self.pages)
        self._own_notices = NoticeStack(theme, is_calm=True)
        self._stack = QStackedWidget()
        self._live = QTimer(self)
        self._live.setInterval(_LIVE_MS)
        self._live.timeout.connect(self._ask_status)
        # The window itself is focused first, so that the focus ring waits for the first Tab.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setWindowTitle("Argentum")
        self.setWindowIcon(application_icon())
        self.setMinimumSize(900, 600)
        self.resize(1180, 780)
        self._arrange()
        self.navigation.chosen.connect(self.open_page)
        self.overview.check_wanted.connect(self.ask_to_check)
        bridge.status_changed.connect(self._show_status)
        self.open_page(0)
        self.setFocus()

    def set_tray_available(self, is_available: bool) -> None:
        """Without a tray the window is the only way to the application, and says so."""
        self._has_tray = is_available
        notices = []
        if not is_available:
            message = self.tr("This desktop shows no tray icon, so this window takes its place.")
            remedy = self.tr("Minimise it to keep Argentum at work; closing it asks whether to end Argentum.")
            notices.append(Notice(_NO_TRAY, message, remedy))
        self._own_notices.show_notices(notices)
        self._own_notices_box.setVisible(not is_available)

    def open(self) -> None:
        """Bring the window before the owner."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def open_page(self, index: int) -> None:
        """Show a page; it is brought up to date at once."""
        self._stack.setCurrentIndex(index)
        self.navigation.select(index)
        self.header.title.setText(self.pages[index].title())
        if self._bridge.latest is not None:
            self._show_status(self._bridge.latest)

    def ask_to_check(self, gpu_id: str) -> None:
        """Show the card on its page, and ask whether its health shall be checked."""
        self.open()
        self.open_page(self.pages.index(self.gpus))
        self.gpus.choose(gpu_id)
        names = {} if self._bridge.latest is None else words.card_names(self._bridge.latest.cards)
        if gpu_id in names:
            self.health_actions.ask_to_check(gpu_id, names[gpu_id])

    def end(self) -> None:
        """Close for good, without asking; for the one who ends the application."""
        self._is_ending = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._is_ending or self._has_tray:
            event.accept()
            return
        event.ignore()
        if not self._is_asking:
            self._is_asking = True
            self._bridge.start(self._ask_what_closing_means(), parent=self)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._live_or_rest()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._live_or_rest()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._live_or_rest()

    @property
    def is_live(self) -> bool:
        """Whether anything is asked or painted."""
        return self._live.isActive()

    def _live_or_rest(self) -> None:
        is_seen = self.isVisible() and not self.isMinimized()
        if is_seen and not self._live.isActive():
            self._live.start()
            self._ask_status()
        elif not is_seen:
            self._live.stop()

    def _ask_status(self) -> None:
        self._bridge.start(self._bridge.refresh(), parent=self, failure=self._show_fault)

    def _show_status(self, status: Status) -> None:
        if self._live.isActive():
            self.header.show_status(status)
            self.navigation.show_markets(status.markets)
            self.pages[self._stack.currentIndex()].show_status(status)

    def _show_fault(self, error: ArgentumError) -> None:
        self.header.say(str(error))

    async def _ask_what_closing_means(self) -> None:
        minimise, end = self.tr("Keep working, minimise"), self.tr("End Argentum")
        question = self.tr("Keep Argentum at work?")
        detail = self.tr(
            "This desktop shows no tray icon. Minimised, Argentum goes on and this window is in your task list."
        )
        try:
            answer = await ask(self, question, detail, (minimise, end), self.tr("Back"))
        finally:
            self._is_asking = False
        if answer == minimise:
            self.showMinimized()
        elif answer == end:
            self._on_quit()

    def _arrange(self) -> None:
        for page in self.pages:
            self._stack.addWidget(page)
        self._own_notices_box = QWidget()
        box = QVBoxLayout(self._own_notices_box)
        box.setContentsMargins(24, 0, 24, 12)
        box.addWidget(self._own_notices)
        self._own_notices_box.setVisible(False)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._own_notices_box)
        column.addWidget(self._stack, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.navigation)
        row.addLayout(column, 1)
