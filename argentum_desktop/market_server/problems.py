"""What the market refuses, as exceptions; the API turns them into RFC 9457 answers."""

from __future__ import annotations

from argentum_desktop.errors import ArgentumError
from argentum_desktop.marketplace.wire import ProblemType

STATUS: dict[ProblemType, int] = {
    ProblemType.INVALID_REQUEST: 422,
    ProblemType.SIGNATURE_INVALID: 401,
    ProblemType.CLOCK_SKEW: 401,
    ProblemType.REPLAYED: 401,
    ProblemType.NOT_FOUND: 404,
    ProblemType.NOT_ELIGIBLE: 403,
    ProblemType.INSUFFICIENT_FUNDS: 402,
    ProblemType.LEASE_LOST: 410,
    ProblemType.STALE_FENCE: 409,
    ProblemType.ALREADY_TERMINAL: 409,
    ProblemType.RANGE_MISMATCH: 416,
    ProblemType.TOO_LARGE: 413,
    ProblemType.RATE_LIMITED: 429,
    ProblemType.UPGRADE_REQUIRED: 426,
    ProblemType.MAINTENANCE: 503,
    ProblemType.INTERNAL: 500,
}


class ProblemError(ArgentumError):
    """A request that cannot be granted."""

    code = "problem"

    def __init__(self, kind: ProblemType, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after_s = retry_after_s


def invalid(detail: str) -> ProblemError:
    return ProblemError(ProblemType.INVALID_REQUEST, detail)


def not_found(what: str) -> ProblemError:
    return ProblemError(ProblemType.NOT_FOUND, f"There is no such {what}.")
