"""One application per home folder, by a lock that the operating system drops when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from argentum_desktop.errors import AlreadyRunningError, BadInputError


class InstanceLock:
    """Held from construction until `release` or the end of the process.

    Raises:
        AlreadyRunningError: somebody else holds it.
        BadInputError: its file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise BadInputError(
                f"The folder {path.parent} cannot be used ({error.strerror}).",
                "Give another one with --home, or make this one writable.",
            ) from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            raise AlreadyRunningError(
                f"Argentum Desktop already works in {path.parent}.",
                "Use that one, or give this one another folder with --home.",
            ) from error

    def release(self) -> None:
        """Let it go; no harm when it is already gone."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
