"""What the window knows of the checks under way, whichever page is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from argentum_desktop.agent.status import CheckupEnded, CheckupView, Status
from argentum_desktop.domain.health import Stage
from argentum_desktop.ui.bridge import Bridge


@dataclass(frozen=True)
class StageBegan:
    """When a stage was first seen, in seconds since the check began."""

    stage: Stage
    at_s: float


@dataclass(frozen=True)
class Checkup:
    """One check under way.

    Attributes:
        is_cancelling: the owner wants no more of it, and it has not ended yet.
    """

    view: CheckupView
    stages: tuple[StageBegan, ...] = ()
    is_cancelling: bool = False


class Checkups(QObject):
    """Made once per window, so that a page which is left and opened again finds everything in its place."""

    changed = Signal(str)
    """A card's check began, went on or is being cancelled."""
    ended = Signal(str)
    """A card's check is over; its report, if any, can be asked for."""

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: dict[str, Checkup] = {}
        self._problems: dict[str, str] = {}
        self._over: dict[str, datetime] = {}
        bridge.checkup_progressed.connect(self._progressed)
        bridge.checkup_ended.connect(self._ended)
        bridge.status_changed.connect(self._hear_status)

    def running(self, gpu_id: str) -> Checkup | None:
        return self._running.get(gpu_id)

    def problem(self, gpu_id: str) -> str:
        """Why the last check of a card ended without a report; empty when it did not."""
        return self._problems.get(gpu_id, "")

    def begin(self, gpu_id: str) -> None:
        """What was said of the check before is of no interest any more."""
        if self._problems.pop(gpu_id, ""):
            self.changed.emit(gpu_id)

    def cancelling(self, gpu_id: str, *, is_so: bool = True) -> None:
        """The owner asked for the end, or (not so) that could not be passed on."""
        if gpu_id in self._running:
            self._running[gpu_id] = replace(self._running[gpu_id], is_cancelling=is_so)
            self.changed.emit(gpu_id)

    def _progressed(self, view: CheckupView) -> None:
        # A status that was on its way when the check ended must not bring it back.
        if self._over.get(view.gpu_id) == view.started_at:
            return
        known = self._running.get(view.gpu_id)
        if known is None or known.view.started_at != view.started_at:
            known = Checkup(view)
        elif len(view.temperatures_c) < len(known.view.temperatures_c):
            return  # older than what is known
        self._running[view.gpu_id] = replace(known, view=view, stages=_with_stage(known.stages, view))
        self._problems.pop(view.gpu_id, None)
        self.changed.emit(view.gpu_id)

    def _ended(self, event: CheckupEnded) -> None:
        known = self._running.pop(event.gpu_id, None)
        if known is not None:
            self._over[event.gpu_id] = known.view.started_at
        self._problems[event.gpu_id] = event.problem if event.report is None else ""
        self.ended.emit(event.gpu_id)

    def _hear_status(self, status: Status) -> None:
        for card in status.cards:
            known = self._running.get(card.gpu.gpu_id)
            if card.checkup is not None:
                self._progressed(card.checkup)
            elif known is not None and status.taken_at > known.view.started_at:
                # The news of its end was missed.
                self._ended(CheckupEnded(card.gpu.gpu_id, None))


def _with_stage(stages: tuple[StageBegan, ...], view: CheckupView) -> tuple[StageBegan, ...]:
    if stages and stages[-1].stage is view.stage:
        return stages
    return (*stages, StageBegan(view.stage, view.temperatures_c[-1][0] if view.temperatures_c else 0.0))
