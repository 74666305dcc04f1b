"""What happened, told to whoever asked to hear it.

Events are frozen values. The bus lives on the service's thread and calls its listeners there, in order; a listener
that must act elsewhere (the window) passes the event on itself. A listener's fault never reaches the publisher.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

Listener = Callable[[Any], object]


class EventBus:
    """A list of listeners per event type."""

    def __init__(self) -> None:
        self._listeners: dict[type, list[Listener]] = {}

    def subscribe(self, event_type: type, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event of exactly `event_type`.

        Returns:
            A function that ends the subscription; calling it twice does no harm.
        """
        self._listeners.setdefault(event_type, []).append(listener)

        def unsubscribe() -> None:
            listeners = self._listeners.get(event_type, [])
            if listener in listeners:
                listeners.remove(listener)

        return unsubscribe

    def publish(self, event: object) -> None:
        """Tell every listener of this event's type."""
        for listener in tuple(self._listeners.get(type(event), ())):
            try:
                listener(event)
            except Exception:
                log.exception("a listener of %s failed", type(event).__name__)
