"""Files that an owner asked for: there once they are whole, and not before."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from argentum_desktop.errors import BadInputError


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A draft beside `file` to write to; it takes that name when all of it is written, and goes when it is not.

    Raises:
        BadInputError: it cannot be written there.
    """
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        yield draft
        draft.replace(file)
    except OSError as error:
        raise BadInputError(
            f"{file} cannot be written ({error.strerror}).", "Name a folder that exists and that you may write to."
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
