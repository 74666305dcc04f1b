"""How a signal says that it is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from argentum_desktop.errors import ArgentumError


class Stirred(Protocol):
    """Told that signals are worth another look at once."""

    def __call__(self, *names: str) -> None: ...


class SignalUnknownError(ArgentumError):
    """A signal cannot be read here or now; the message says why, in one sentence for the owner."""

    code = "signal-unknown"


@dataclass(frozen=True)
class Surroundings:
    """Where the signals are to be found: this process's environment, and the two buses it names.

    Attributes:
        session_bus: the D-Bus address of the owner's session; empty where there is none.
        system_bus: likewise of the whole computer.
    """

    environment: Mapping[str, str]
    user_id: int
    session_bus: str = ""
    system_bus: str = ""

    @property
    def is_wayland(self) -> bool:
        return bool(self.environment.get("WAYLAND_DISPLAY"))
