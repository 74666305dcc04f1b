"""Python's cyclic garbage collector, run on the window's thread alone.

Python collects on whichever thread happens to allocate. When that is the service's, a window that waits to be
collected is destroyed there while Qt still uses it here, and the process dies. So the collector's own moments are
switched off, and a timer on this thread takes their place.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer

_EVERY_MS = 10_000


class GarbageCollector(QObject):
    """Collects here, and nowhere else, until `stop`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._thresholds = gc.get_threshold()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        timer.timeout.connect(self.collect_what_is_due)
        timer.start(_EVERY_MS)

    def collect_what_is_due(self) -> None:
        """Collect the oldest generation whose count is over its threshold, as Python itself would."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Collect once more and give the collector back to Python."""
        gc.collect()
        gc.enable()
        self.deleteLater()
