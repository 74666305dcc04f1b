"""The one tree of errors the owner can meet.

Every foreign error (driver, engine, HTTP, SQL) is turned into one of these where it enters the house, and travels as
this from there on. An `ArgentumError` is *known*: it says what happened, what it means and what to do. Anything else
that escapes is a bug and is logged with its traceback.
"""

from __future__ import annotations


class ArgentumError(Exception):
    """A known fault, with words for the owner.

    Args:
        message: what happened, one sentence.
        remedy: what the owner can do about it, one sentence; empty when there is nothing to do.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class BadInputError(ArgentumError):
    """What somebody gave us (a file, an argument, a form field) cannot be used."""

    code = "bad-input"
    exit_code = 2


class SettingsError(BadInputError):
    """The settings file cannot be used; it is left as it is."""

    code = "settings-invalid"
    exit_code = 78  # EX_CONFIG of sysexits.h


class NotRunningError(ArgentumError):
    """A command needs the running application and found none."""

    code = "not-running"
    exit_code = 3


class AlreadyRunningError(ArgentumError):
    """Another application already works in this home folder."""

    code = "already-running"
    exit_code = 4


class CalendarError(BadInputError):
    """A calendar that was handed to us cannot be read."""

    code = "calendar"


class StoreError(ArgentumError):
    """The database cannot be read or written."""

    code = "store"
    exit_code = 74  # EX_IOERR


class DiskFullError(StoreError):
    """There is no room left where the application keeps its state."""

    code = "disk-full"


class PartMissingError(ArgentumError):
    """Something that this part of the application needs is not installed."""

    code = "part-missing"
    exit_code = 69


class SensorError(ArgentumError):
    """The child process that speaks to the drivers gave no usable answer."""

    code = "sensor"


class PowerLimitError(ArgentumError):
    """A card's power limit cannot be changed."""

    code = "power-limit"


class MetricsPortError(ArgentumError):
    """The port where other programs should fetch the readings cannot be opened."""

    code = "metrics-port"


class NoCardError(ArgentumError):
    """This computer has no card that could be offered."""

    code = "no-card"
    exit_code = 69  # EX_UNAVAILABLE


class StressError(ArgentumError):
    """The process that puts a load on a card cannot be started."""

    code = "stress"


class CheckRefusedError(ArgentumError):
    """This card's health cannot be checked now, and why."""

    code = "check-refused"
    exit_code = 5


class HealthError(ArgentumError):
    """Something about a card's health that its owner should know."""

    code = "health"


class DocumentError(BadInputError):
    """A document that was handed to us is not plain JSON, or was not signed as it says."""

    code = "document"


class PassportError(DocumentError):
    """A passport that was handed to us cannot be read or is not what it says."""

    code = "passport"


class CardLostError(ArgentumError):
    """A card that was there does not answer any more."""

    code = "card-lost"


class EngineError(ArgentumError):
    """The container engine refused or failed."""

    code = "engine"


class EngineMissingError(EngineError):
    """No container engine answers on this machine."""

    code = "engine-missing"
    exit_code = 69  # EX_UNAVAILABLE


class ImageError(EngineError):
    """The job's image cannot be used: not an OCI archive, the wrong digest, or for another kind of machine."""

    code = "image"


class MarketError(ArgentumError):
    """The market could not be used."""

    code = "market"


class MarketUnreachableError(MarketError):
    """No answer, or none that makes sense, from the market: worth trying again later."""

    code = "market-unreachable"
    exit_code = 69


class MarketRefusedError(MarketError):
    """The market understood and said no; asking again the same way will not help."""

    code = "market-refused"


class LeaseLostError(MarketRefusedError):
    """The market no longer considers this lease ours: the job must stop now."""

    code = "lease-lost"
