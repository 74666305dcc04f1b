"""What a market's problems mean to us."""

from __future__ import annotations

from argentum_desktop.errors import LeaseLostError, MarketError, MarketRefusedError, MarketUnreachableError
from argentum_desktop.marketplace.wire import Problem, ProblemType

_OURS_NO_MORE = {ProblemType.LEASE_LOST, ProblemType.STALE_FENCE}
_SERVER_ERRORS = 500
_WORTH_REPEATING = {408, 425, 429}


class MarketBusyError(MarketUnreachableError):
    """The market asks us to come back later.

    Attributes:
        retry_after_s: how much later, None where it does not say.
    """

    code = "market-busy"

    def __init__(self, message: str, remedy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after_s = retry_after_s


class MarketMaintenanceError(MarketBusyError):
    """The market itself says that it can change nothing at present: its disk is full, or it is being worked on."""

    code = "market-maintenance"


class MarketProblemError(MarketRefusedError):
    """A refusal with its type from the closed list."""

    def __init__(self, message: str, problem: Problem) -> None:
        super().__init__(message)
        self.problem = problem


def error_for(problem: Problem, *, about_lease: bool, retry_after_s: float | None = None) -> MarketError:
    """The error of our own tree for what a market answered."""
    words = _words(problem)
    if problem.status in _WORTH_REPEATING or problem.status >= _SERVER_ERRORS:
        kind = MarketMaintenanceError if problem.type is ProblemType.MAINTENANCE else MarketBusyError
        return kind(f"The market cannot answer now: {words}", "It is asked again soon.", retry_after_s)
    if problem.type in _OURS_NO_MORE or (about_lease and problem.type is ProblemType.NOT_FOUND):
        return LeaseLostError(f"The market has ended this lease: {words}")
    return MarketProblemError(f"The market refused: {words}", problem)


def _words(problem: Problem) -> str:
    cleaned = plain_words(problem.detail or problem.title, 500)
    return cleaned if cleaned.endswith((".", "!", "?")) else f"{cleaned}."


def plain_words(text: str, longest: int) -> str:
    """Words from outside as one printable line of bounded length."""
    return "".join(character if character.isprintable() else " " for character in text[:longest]).strip()
