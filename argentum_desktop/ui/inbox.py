"""What the service publishes on its own thread, handed over to the window's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Inbox(QObject):
    """Delivers in the order in which things came; of two with one key only the newer, in the newer's place.

    So a window that is slow to paint never builds up a queue.

    Args:
        key_of: two events with the same key say the same thing, earlier and later.
        deliver: called on the thread that made the inbox.
    """

    _arrived = Signal()

    def __init__(
        self, key_of: Callable[[Any], Hashable], deliver: Callable[[Any], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._key_of = key_of
        self._tell = deliver
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Any] = {}
        self._is_closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def put(self, event: Any) -> None:
        """From any thread."""
        key = self._key_of(event)
        with self._lock:
            is_first = not self._waiting
            self._waiting.pop(key, None)
            self._waiting[key] = event
            if is_first and not self._is_closed:
                self._arrived.emit()

    def close(self) -> None:
        """Deliver nothing more."""
        with self._lock:
            self._is_closed = True

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            events, self._waiting = list(self._waiting.values()), {}
        for event in events:
            if not self._is_closed:
                self._tell(event)
