"""Changing some choices in the owner's file and leaving everything else in it as it is, comments included."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from argentum_desktop.errors import SettingsError
from argentum_desktop.settings.file import load, parse, toml, write
from argentum_desktop.settings.schema import Settings

_NOTHING_CHANGED = "Nothing was changed."


def change(path: Path, section: str, values: Mapping[str, Any]) -> Settings:
    """Set some choices of a section; the file as it was is kept beside it, with `.bak` behind its name.

    Raises:
        SettingsError: the file cannot be used as it is, a value cannot be used, or nothing can be written. The file is
            then as it was.
    """
    import tomlkit  # the icon in the tray waits for the rest of this room

    load(path)
    old = path.read_text(encoding="utf-8-sig")
    document = tomlkit.parse(old)
    table = document.setdefault(section, tomlkit.table())
    for key, value in values.items():
        table[key] = toml(value)
    new = tomlkit.dumps(document)
    try:
        settings = parse(tomllib.loads(new, parse_float=Decimal))
    except ValueError as error:
        raise SettingsError(f"With these choices, {error}.", _NOTHING_CHANGED) from error
    write(backup_of(path), old)
    write(path, new)
    return settings


def backup_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.bak")
