"""Why a load cannot go on."""

from __future__ import annotations

from argentum_desktop.domain.stress import StressEnd


class StoppedError(Exception):
    """The load ends here.

    Args:
        words: why, one sentence for the owner.
    """

    def __init__(self, end: StressEnd, words: str) -> None:
        super().__init__(words)
        self.end = end
        self.words = words


class NoRoomError(Exception):
    """The card has no room for a buffer of this size."""
