"""Small files of /sys, read so that none of them can surprise: bounded, never waited for, every failure a reason."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from argentum_desktop.domain.reading import Absence

# The kernel gives an attribute one page.
PAGE_BYTES = 4096

# What drivers answer for a sensor that this card does not have: the file is missing, or there and refuses.
_NOT_HERE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.EOPNOTSUPP, errno.ENODATA, errno.ENOSYS, errno.ENXIO}
)


class NoValueError(Exception):
    """A file that gives no value."""

    def __init__(self, why: Absence) -> None:
        super().__init__(why.value)
        self.why = why


def read_bytes(file: Path, limit_bytes: int = PAGE_BYTES) -> bytes:
    """The whole content.

    Raises:
        OSError: it cannot be read.
        ValueError: it is longer than `limit_bytes`.
    """
    # Without waiting: where somebody put a pipe in a file's place, reading must not last for ever.
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        content = os.read(handle, limit_bytes + 1)
        while len(content) <= limit_bytes and (more := os.read(handle, limit_bytes + 1)):
            content += more
    finally:
        os.close(handle)
    if len(content) > limit_bytes:
        raise ValueError("too long")
    return content


def first_bytes(file: Path, count: int) -> bytes:
    """How a file begins.

    Raises:
        OSError: it cannot be read.
    """
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(handle, count)
    finally:
        os.close(handle)


def why(error: OSError) -> Absence:
    """What it means that a sensor's file cannot be read."""
    return Absence.NOT_SUPPORTED if error.errno in _NOT_HERE else Absence.ERROR


def read_value(file: Path, convert: Callable[[bytes], int], limit_bytes: int = PAGE_BYTES) -> int:
    """The value in a file.

    Raises:
        NoValueError: there is none, with the reason.
    """
    try:
        return convert(read_bytes(file, limit_bytes))
    except OSError as error:
        raise NoValueError(why(error)) from error
    except ValueError as error:
        raise NoValueError(Absence.ERROR) from error


def whole_number(content: bytes) -> int:
    """A decimal number and nothing else.

    Raises:
        ValueError: it is something else.
    """
    digits = content.strip()
    if len(digits) > 20 or not digits.removeprefix(b"-").isdigit():
        raise ValueError("not a whole number")
    return int(digits)


def text_or_none(file: Path, longest: int = 96) -> str | None:
    """One printable line for the owner, None where there is none."""
    try:
        content = read_bytes(file)
    except (OSError, ValueError):
        return None
    line = content.decode("utf-8", "replace").strip().partition("\n")[0]
    return "".join(letter for letter in line if letter.isprintable()).strip()[:longest] or None


def number_or_none(file: Path, low: int = 0, high: int = 2**63) -> int | None:
    """A number within bounds, None where there is none."""
    try:
        value = read_value(file, whole_number)
    except NoValueError:
        return None
    return value if low <= value <= high else None


def hexadecimal_or_none(file: Path) -> int | None:
    """An id as /sys writes it, as in 0x1002."""
    try:
        value = int(text_or_none(file) or "", 16)
    except ValueError:
        return None
    return value if 0 <= value <= 0xFFFF else None


def names_in(folder: Path) -> list[str]:
    """What a folder holds, in order; nothing where it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - asked every few seconds, a Path for each would be waste
    except OSError:
        return []


def link_name(link: Path) -> str | None:
    """The last part of what a link points to, as a device's `driver` does."""
    try:
        return os.readlink(link).rpartition("/")[2]  # noqa: PTH115 - asked every second
    except OSError:
        return None
