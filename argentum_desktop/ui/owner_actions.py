"""What the owner can do with one click, the same from the tray and from the window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from argentum_desktop.agent.status import JobView
from argentum_desktop.clock import Clock
from argentum_desktop.domain.job import JobState
from argentum_desktop.ui import words
from argentum_desktop.ui.bridge import Bridge
from argentum_desktop.ui.dialogs.message import ask

_MORNING = time(8)


def tomorrow_morning(now: datetime) -> datetime:
    """Tomorrow at 8:00 by the computer's clock on the wall, also when the clocks change tonight."""
    return datetime.combine(now.astimezone().date() + timedelta(days=1), _MORNING).astimezone()


def running(jobs: tuple[JobView, ...]) -> list[JobView]:
    """The jobs that are not over."""
    return [job for job in jobs if job.state is not JobState.CLOSED and job.outcome is None]


class OwnerActions(QObject):
    """Starts what was chosen; a fault is shown over `window`."""

    def __init__(self, bridge: Bridge, clock: Clock, window: QWidget | None = None) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._clock = clock
        self._window = window
        self._is_asking = False

    def pause_for_an_hour(self) -> None:
        self._pause(self._clock.now() + timedelta(hours=1))

    def pause_until_tomorrow(self) -> None:
        self._pause(tomorrow_morning(self._clock.now()))

    def pause_until_resumed(self) -> None:
        self._pause(None)

    def resume(self) -> None:
        self._bridge.start(self._bridge.change(self._bridge.service.resume), parent=self._window)

    def stop_jobs(self) -> None:
        """Ask first: the work of a stopped job is lost to its buyer, and nothing brings it back."""
        if not self._is_asking:
            self._is_asking = True
            self._bridge.start(self._stop_jobs(), parent=self._window)

    def fill_pause_menu(self, menu: QMenu) -> None:
        """Add the three ways to pause."""
        choices: tuple[tuple[str, Callable[[], None]], ...] = (
            (self.tr("For 1 hour"), self.pause_for_an_hour),
            (self.tr("Until tomorrow 8:00"), self.pause_until_tomorrow),
            (self.tr("Until I resume"), self.pause_until_resumed),
        )
        for text, act in choices:
            action = QAction(text, menu)
            action.triggered.connect(act)
            menu.addAction(action)

    def _pause(self, until: datetime | None) -> None:
        self._bridge.start(self._bridge.change(self._bridge.service.pause, until), parent=self._window)

    async def _stop_jobs(self) -> None:
        try:
            service = self._bridge.service
            jobs = running((await self._bridge.refresh()).jobs)
            if not jobs:
                return
            stop, pause = self.tr("Stop now"), self.tr("Pause instead")
            answer = await ask(
                self._window, self._question(jobs), self._loss(jobs), (stop, pause), self.tr("Keep working")
            )
            if answer == stop:
                await self._bridge.change(service.stop_jobs)
            elif answer == pause:
                await self._bridge.change(service.pause, None)
        finally:
            self._is_asking = False

    def _question(self, jobs: list[JobView]) -> str:
        if len(jobs) == 1:
            return self.tr("Stop “{title}” now?").format(title=jobs[0].title)
        return self.tr("Stop %n jobs now?", "", len(jobs))

    def _loss(self, jobs: list[JobView]) -> str:
        lost = words.duration(sum(job.elapsed_s for job in jobs))
        return self.tr(
            "{span} of work end without a result. Argentum then stays paused until you resume. "
            "To get the computer back and keep the work, pause instead."
        ).format(span=lost)
