"""Standard output, which may be a pipe that nobody reads any more, a full disk, or know only half of all letters."""

from __future__ import annotations

import os
import sys

from argentum_desktop.errors import ArgentumError


def accept_every_letter() -> None:
    """Where the terminal cannot show a letter, show a question mark: no letter of a title may end a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def write_line(text: str) -> None:
    """One line, at once; raises what `write` does."""
    write(f"{text}\n")


def write(text: str) -> None:
    """As it is, at once.

    Raises:
        BrokenPipeError: whoever read has gone, as `head` does.
        ArgentumError: it cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        leave_output()
        raise
    except OSError as error:
        leave_output()
        raise ArgentumError(
            f"The answer cannot be written ({error.strerror}).", "Make room where it goes, or send it elsewhere."
        ) from error


def leave_output() -> None:
    """Drop what is not written yet, so that Python does not try again, and complain, while it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
