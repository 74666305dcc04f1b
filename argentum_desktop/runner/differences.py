"""What was asked for against what an engine made of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Check = tuple[str, object, object]


def differences(checks: Iterable[Check]) -> list[str]:
    """One sentence for each (what, wanted, got) that is not the same."""
    return [f"{what} is {got!r} instead of {wanted!r}" for what, wanted, got in checks if wanted != got]


def ulimits_of(reported: object) -> dict[str, int]:
    """The hard limits as an engine lists them, under the kernel's short names (`RLIMIT_NOFILE` is `nofile`)."""
    found: dict[str, int] = {}
    for entry in reported if isinstance(reported, list) else []:
        if isinstance(entry, Mapping):
            name = str(entry.get("Name", "")).lower().removeprefix("rlimit_")
            found[name] = _highest(entry)
    return found


def _highest(entry: Mapping[str, Any]) -> int:
    return max(int(entry.get("Soft", 0)), int(entry.get("Hard", 0)))
