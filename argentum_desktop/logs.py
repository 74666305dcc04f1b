"""Where the program writes what it does, without secrets and without growing for ever."""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
from pathlib import Path
from typing import TextIO

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FILE_BYTES = 2_000_000
FILES_KEPT = 3

# A token in a log outlives the token's usefulness to us and not to a thief. Values are cut where they are written:
# what stands in quotes up to the quote, a header up to the end of its line, anything else up to the next space.
_NAME = r"[\w-]*(?:token|signature|secret|password|passwd|api[-_]?key|private[-_]?key|credential)[\w-]*"
_HEADER = r"(?:proxy-)?authorization|set-cookie|cookie"
_SECRETS = (
    (re.compile(rf"(?i)((?:{_NAME}|{_HEADER})['\"]?\s*[:=,]\s*b?(['\"]))(?:\\.|(?!\2).)*"), r"\1[removed]"),
    (re.compile(rf"(?i)((?:{_HEADER})\s*[:=]\s*)(?!['\"\[])[^\r\n]+"), r"\1[removed]"),
    (re.compile(rf"(?i)({_NAME}\s*[:=]\s*)(?!b?['\"\[])[^\s,;&)}}\]]+"), r"\1[removed]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [removed]"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE), r"\1[removed]@"),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        "[removed]",
    ),
)
# Lines are made by the program alone: what a market or a job says must not look like a line of ours, nor move the
# cursor of a terminal.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class RedactingFormatter(logging.Formatter):
    """Replaces the value of anything that looks like a secret, also inside tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record)).translate(_CONTROL)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line itself, without the traceback, on one line whatever it says."""
        return super().formatMessage(record).replace("\n", "\\n")


def redact(text: str) -> str:
    """The same text without secrets."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class _Terminal(logging.StreamHandler[TextIO]):
    """A log that cannot be written costs its lines, never a traceback on the owner's terminal."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        pass


class _LogFile(logging.handlers.RotatingFileHandler):
    """The same for a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        pass


def configure(folder: Path, name: str, *, verbose: bool = False) -> None:
    """Log to `folder/name.log` and, errors only (everything when `verbose`), to standard error.

    A folder that cannot be written costs the log file, never the start.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    terminal = _Terminal(sys.stderr)
    terminal.setLevel(logging.INFO if verbose else logging.ERROR)
    terminal.setFormatter(RedactingFormatter(FORMAT))
    root.addHandler(terminal)
    try:
        file = _LogFile(
            folder / f"{name}.log",
            maxBytes=FILE_BYTES,
            backupCount=FILES_KEPT,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        root.warning("no log file: %s", error)
        return
    file.setFormatter(RedactingFormatter(FORMAT))
    root.addHandler(file)
