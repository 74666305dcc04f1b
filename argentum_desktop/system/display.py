"""Whether there is a screen to show a window on."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

ANSWERS_WITHIN_S = 2.0
_X11_FOLDER = "/tmp/.X11-unix"  # noqa: S108 - where X servers listen
_X11_PORT = 6000
_X11_NAME = re.compile(r"(?P<host>.*):(?P<number>[0-9]{1,5})(\.[0-9]+)?")


def has_display(environment: Mapping[str, str] | None = None) -> bool:
    """Whether a window can be shown; Qt ends the whole process when it is asked to and cannot."""
    given = os.environ if environment is None else environment
    if sys.platform in {"win32", "darwin"} or given.get("QT_QPA_PLATFORM"):
        return True
    return _wayland_answers(given) or _x11_answers(given.get("DISPLAY", ""))


def _wayland_answers(given: Mapping[str, str]) -> bool:
    name = given.get("WAYLAND_DISPLAY", "")
    return bool(name) and _listens(str(Path(given.get("XDG_RUNTIME_DIR", "/")) / name))


def _x11_answers(display: str) -> bool:
    """A session that is over leaves its name behind in the environment, so the server itself is asked."""
    match = _X11_NAME.fullmatch(display)
    if match is None:
        return False
    host, number = match["host"], int(match["number"])
    if host in {"", "unix"} and any(_listens(f"{start}{_X11_FOLDER}/X{number}") for start in ("\0", "")):
        return True
    try:
        with socket.create_connection((host or "localhost", _X11_PORT + number), ANSWERS_WITHIN_S):
            return True
    except (OSError, OverflowError, UnicodeError):
        return False


def _listens(path: str) -> bool:
    if not hasattr(socket, "AF_UNIX"):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWERS_WITHIN_S)
        try:
            probe.connect(path)
        except (OSError, ValueError):
            return False
    return True
