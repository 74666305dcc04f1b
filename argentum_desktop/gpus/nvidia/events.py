"""The error numbers (XID) that the driver queues for who registered. NVML has them on Linux only."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from argentum_desktop.domain.reading import Absence
from argentum_desktop.gpus.nvidia.codes import TIMEOUT, absence_for
from argentum_desktop.gpus.nvidia.pauses import is_time_again
from argentum_desktop.gpus.nvidia.questions import FORGET_AFTER_S, OFTEN_S

# A card in its death throes may queue without end; the rest is told with the next reading.
_MOST_AT_ONCE = 64
_NONSENSE_NUMBER = 10_000

Xids = tuple[int, ...] | Absence


class XidEvents:
    """The queue of a started NVML; opened anew when it fails, for one lost card spoils it for all.

    Args:
        handles: of the cards that are listened to.
    """

    def __init__(self, nvml: Any, handles: Sequence[Any]) -> None:
        self._nvml = nvml
        self._handles = tuple(handles)
        self._index = {_address(handle): index for index, handle in enumerate(handles)}
        self._set: Any = None
        self._why: list[Absence | None] = [Absence.NOT_SUPPORTED] * len(handles)
        self._opened_at: datetime | None = None
        self._pause_s = FORGET_AFTER_S

    def take(self, now: datetime, is_lost: Sequence[bool]) -> list[Xids]:
        """What came for each card since the last time, or why that is not known.

        Args:
            is_lost: the cards that are not to be spoken of to the driver.
        """
        if sys.platform == "linux" and self._set is None and is_time_again(self._opened_at, now, self._pause_s):
            self._open(now, is_lost)
        found: list[list[int]] = [[] for _ in self._handles]
        if self._set is not None:
            self._drain(found)
        return [why or tuple(numbers) for why, numbers in zip(self._why, found, strict=True)]

    def close(self) -> None:
        if self._set is not None:
            with suppress(self._nvml.NVMLError):
                self._nvml.nvmlEventSetFree(self._set)
            self._set = None

    def _open(self, now: datetime, is_lost: Sequence[bool]) -> None:
        self._opened_at = now
        try:
            self._set = self._nvml.nvmlEventSetCreate()
        except self._nvml.NVMLError as error:
            self._give_up(absence_for(error.value))
            return
        self._why = [Absence.LOST if lost else self._register(index) for index, lost in enumerate(is_lost)]
        if all(self._why):
            self._give_up(*self._why)

    def _register(self, index: int) -> Absence | None:
        try:
            kinds = self._nvml.nvmlEventTypeXidCriticalError
            self._nvml.nvmlDeviceRegisterEvents(self._handles[index], kinds, self._set)
        except self._nvml.NVMLError as error:
            return absence_for(error.value)
        return None

    def _drain(self, found: list[list[int]]) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                event = self._nvml.nvmlEventSetWait_v2(self._set, 0)
            except self._nvml.NVMLError as error:
                if error.value != TIMEOUT:
                    # Which card is lost the event does not say: their own readings will.
                    why = absence_for(error.value)
                    self._give_up(Absence.ERROR if why is Absence.LOST else why)
                return
            index = self._index.get(_address(event.device))
            is_xid = event.eventType & self._nvml.nvmlEventTypeXidCriticalError
            if index is not None and is_xid and 0 < event.eventData < _NONSENSE_NUMBER:
                found[index].append(int(event.eventData))

    def _give_up(self, *why: Absence | None) -> None:
        """Let the queue go, for a short while where that may help."""
        self.close()
        self._why = list(why) if len(why) == len(self._handles) else [why[0]] * len(self._handles)
        self._pause_s = OFTEN_S if Absence.ERROR in self._why else FORGET_AFTER_S


def _address(handle: Any) -> int | None:
    return ctypes.cast(handle, ctypes.c_void_p).value
