"""The keys of the markets that this computer has worked for: their word about a card can be told from a stranger's."""

from __future__ import annotations

import json
from sqlite3 import Connection

from argentum_desktop.store import program_state

_KEY = "market-keys"
MOST = 100
"""More than anybody works for; the ones met last stay."""


def remember(connection: Connection, public_key: str, name: str) -> None:
    """This key is this market's, as it says itself over its own address."""
    found = {key: known for key, known in known_markets(connection).items() if key != public_key}
    found[public_key] = name
    program_state.put(connection, _KEY, json.dumps(dict(list(found.items())[-MOST:])))


def known_markets(connection: Connection) -> dict[str, str]:
    """Names by public key."""
    found: dict[str, str] = json.loads(program_state.get(connection, _KEY) or "{}")
    return found
