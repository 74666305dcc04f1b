"""How far a job says it is. Pure."""

from __future__ import annotations

import re

_LINE = re.compile(rb"(?im)^[ \t]*progress:[ \t]*(\d{1,3})(?:\.\d{1,6})?[ \t]*%[ \t]*\r?$")


def last_progress(log_tail: bytes) -> int | None:
    """The last line `progress: 42 %` of a log's tail, or None where there is none from 0 to 100."""
    last = None
    for match in _LINE.finditer(log_tail):
        percent = int(match[1])
        if percent <= 100:
            last = percent
    return last
