"""How this program starts parts of itself as processes of their own."""

from __future__ import annotations

import sys


def own_command(command: str, module: str) -> list[str]:
    """The words that run one of our own processes.

    Args:
        command: the name under which the frozen program knows it.
        module: the module a checkout runs directly, so that a light process does not load a heavy one's imports.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, command]
    return [sys.executable, "-m", module]
