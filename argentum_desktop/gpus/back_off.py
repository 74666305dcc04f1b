"""When something that failed may be tried again."""

from __future__ import annotations


class BackOff:
    """A pause that doubles with every failure, up to a longest one. Times are those of a clock that is never set."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._rest_until_s = float("-inf")

    def is_over(self, now_s: float) -> bool:
        return now_s >= self._rest_until_s

    def note(self, now_s: float) -> float:
        """Something failed; returns the pause that begins now."""
        pause_s = min(self._first_s * 2.0**self._failures, self._longest_s)
        self._failures = min(self._failures + 1, 30)
        self._rest_until_s = now_s + pause_s
        return pause_s

    def forget(self) -> None:
        """All is well: the next failure counts as the first. A pause under way is kept."""
        self._failures = 0
