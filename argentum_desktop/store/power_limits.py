"""Which power limits were changed, and what they were before: written down before the first change, and kept until
they are set back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from sqlite3 import Connection

from argentum_desktop.store import program_state

_KEY = "power-limits"


def load(connection: Connection) -> dict[str, int]:
    """The original limits in milliwatts, by card."""
    text = program_state.get(connection, _KEY)
    return {} if text is None else {str(gpu_id): int(limit_mw) for gpu_id, limit_mw in json.loads(text).items()}


def save(connection: Connection, originals_mw: Mapping[str, int]) -> None:
    """Write down all of them; what is left out was set back."""
    program_state.put(connection, _KEY, json.dumps(originals_mw) if originals_mw else None)
