"""Where the program writes what it does, without secrets and without growing for ever."""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FILE_BYTES = 2_000_000
FILES_KEPT = 3

# A token in a log outlives the token's usefulness to us and not to a thief. Values are cut where they are written.
_SECRET = re.compile(r"(?i)(authorization|token|signature|secret|password|api[-_]?key)(\"?\s*[:=]\s*\"?)([^\s\",;]+)")


class RedactingFormatter(logging.Formatter):
    """Replaces the value of anything that looks like a secret, also inside tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRET.sub(r"\1\2[removed]", super().format(record))


def configure(folder: Path, name: str, *, verbose: bool = False) -> None:
    """Log to `folder/name.log` and, warnings only (everything when `verbose`), to standard error.

    A folder that cannot be written costs the log file, never the start.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for handler in list(root.handlers):
        root.removeHandler(handler)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO if verbose else logging.ERROR)
    terminal.setFormatter(RedactingFormatter(FORMAT))
    root.addHandler(terminal)
    try:
        file = logging.handlers.RotatingFileHandler(
            folder / f"{name}.log", maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
        )
    except OSError as error:
        root.warning("no log file: %s", error)
        return
    file.setFormatter(RedactingFormatter(FORMAT))
    root.addHandler(file)
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
