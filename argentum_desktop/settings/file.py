"""The settings file: TOML, written once with every choice explained, and from then on the owner's."""

from __future__ import annotations

import difflib
import errno
import os
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.errors import DiskFullError, SettingsError
from argentum_desktop.settings.schema import Declaration, Settings, declaration, sections

_KEPT = "Correct it, or move the file away to start again from the defaults; nothing runs until then."
# Plain digits only: what Python reads as a number besides (1_000, ٣, Infinity) nobody means.
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_LONGEST_SHOWN = 40
LONGEST_NAME = 120


def load(path: Path) -> Settings:
    """Read the file; where there is none, write one with the defaults.

    Raises:
        SettingsError: the file cannot be read or a value cannot be used; the file is left as it is.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except FileNotFoundError:
        settings = Settings()
        _write(path, render(settings))
        return settings
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read ({error.strerror}).", _KEPT) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {path} is not text in UTF-8 (byte {error.start}).", _KEPT) from error
    if not text.strip():
        # Half a power cut, not a wish: to take it for "all defaults" could sell hours that the owner had closed.
        raise SettingsError(f"The settings file {path} is empty.", _KEPT)
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.", _KEPT) from error
    try:
        return parse(document)
    except ValueError as error:
        raise SettingsError(f"In the settings file {path}, {error}.", _KEPT) from error


def parse(document: Mapping[str, Any]) -> Settings:
    """Turn the file's tables into settings.

    Raises:
        ValueError: names the field and what is wrong with it.
    """
    known = sections()
    _refuse_unknown(document, known, "the section [{}]")
    values = {}
    for name, section in known.items():
        table = document.get(name, {})
        if not isinstance(table, Mapping):
            raise ValueError(f"[{name}] must be a section")
        values[name] = _section(name, section, table)
    settings = Settings(**values)
    _check_together(settings)
    return settings


def render(settings: Settings) -> str:
    """The whole file, each choice with its title, help, unit and range as a comment."""
    import tomlkit  # only the first start writes the file, and the icon in the tray waits for this module

    document = tomlkit.document()
    document.add(tomlkit.comment("Argentum Desktop: your choices. Changes take effect at the next start."))
    for name, section in sections().items():
        table = tomlkit.table()
        for setting in fields(section):
            declared = declaration(setting)
            table.add(tomlkit.comment(_explain(declared)))
            table.add(setting.name, _plain(getattr(getattr(settings, name), setting.name)))
        document.add(tomlkit.nl())
        document.add(name, table)
    return tomlkit.dumps(document)


def _write(path: Path, text: str) -> None:
    """Through a temporary file, so that a full disk or a power cut never leaves half a file."""
    temporary = path.with_suffix(".new")
    try:
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            message = f"The disk is full, so that the settings file {path} cannot be written."
            raise DiskFullError(message, "Free some space, then start again.") from error
        message = f"The settings file {path} cannot be written ({error.strerror})."
        raise SettingsError(message, "Make its folder writable, or give another one with --home.") from error


def _section(name: str, section: type[Any], table: Mapping[str, Any]) -> Any:
    declared = {setting.name: declaration(setting) for setting in fields(section)}
    _refuse_unknown(table, declared, f"{name}.{{}}")
    types = get_type_hints(section)
    values = {}
    for key, raw in table.items():
        try:
            values[key] = _value(raw, types[key], declared[key])
        except ValueError as error:
            raise ValueError(f"{name}.{key} {error}") from error
    return section(**values)


def _value(raw: Any, wanted: Any, declared: Declaration) -> Any:
    """One raw TOML value as the declared type, within the declared range."""
    if wanted is bool:
        if not isinstance(raw, bool):
            raise ValueError("must be true or false")
        return raw
    if wanted is str:
        if not isinstance(raw, str):
            raise ValueError("must be text in quotes")
        if declared.choices and raw not in declared.choices:
            raise ValueError(f"must be one of {', '.join(declared.choices)}, not {_shown(raw)}")
        if not raw.isprintable():
            raise ValueError("must be plain text without control characters")
        return raw
    if wanted in (int, Decimal):
        return _number(raw, wanted, declared)
    if not isinstance(raw, list) or not all(isinstance(entry, str) and entry.isprintable() for entry in raw):
        raise ValueError("must be a list of texts in quotes")
    if wanted == tuple[WeeklyWindow, ...]:
        return tuple(_window(entry) for entry in raw)
    return tuple(raw)


def _window(text: str) -> WeeklyWindow:
    try:
        return WeeklyWindow.parse(text)
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from error


def _number(raw: Any, wanted: type[int | Decimal], declared: Declaration) -> int | Decimal:
    """Amounts may stand in quotes, as they are written by default; counts may not."""
    kind = "a whole number" if wanted is int else "a number"
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal | str) or (wanted is int and isinstance(raw, str)):
        raise ValueError(f"must be {kind}, not {_shown(raw)}")
    if isinstance(raw, int):
        number = Decimal(raw)
    elif _NUMBER.fullmatch(str(raw)):
        number = Decimal(str(raw))
    else:
        raise ValueError(f"must be {kind}, not {_shown(raw)}")
    if not _within(number, declared):
        unit = f" {declared.unit}" if declared.unit else ""
        raise ValueError(f"must lie between {declared.low} and {declared.high}{unit}, not {_shown(raw)}")
    if wanted is Decimal:
        return number
    if number != number.to_integral_value():
        raise ValueError(f"must be {kind}, not {_shown(raw)}")
    return int(number)


def _shown(raw: Any) -> str:
    """The value as it stands in the file, short enough for a sentence."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int) and abs(raw) >= 10**_LONGEST_SHOWN:
        return "a number of that many digits"
    text = ascii(raw).replace('"', "'") if isinstance(raw, str) and not raw.isprintable() else str(raw)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f'"{text}"' if isinstance(raw, str) else text


def _within(number: Decimal, declared: Declaration) -> bool:
    above = declared.low is None or number >= declared.low
    return above and (declared.high is None or number <= declared.high)


def _check_together(settings: Settings) -> None:
    zone = settings.availability.timezone
    if zone and zone not in zoneinfo.available_timezones():
        raise ValueError(f"availability.timezone {_shown(zone)} is no known time zone{_suggest(zone, _zones())}")
    prices = settings.prices
    try:
        Money.zero(prices.currency)
    except ValueError as error:
        raise ValueError(f"prices.{error}") from error
    for key in ("floor_per_gpu_hour", "electricity_per_kwh"):
        try:
            prices.money(getattr(prices, key))
        except ValueError as error:
            raise ValueError(f"prices.{key}: {error}") from error
    engine = settings.jobs.engine
    if engine.lower() not in {"auto", "podman", "docker"} and "/" not in engine:
        raise ValueError(f"jobs.engine {_shown(engine)} must be auto, podman, docker or a socket's address (unix:///…)")
    if settings.market.url and not _is_web_address(settings.market.url):
        raise ValueError(f"market.url {_shown(settings.market.url)} is no web address; it looks like https://…")
    if len(settings.market.name) > LONGEST_NAME:
        raise ValueError(f"market.name must be at most {LONGEST_NAME} characters long")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None


def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())


def _refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any], words: str) -> None:
    for key in given:
        if key not in known:
            shown = key if key.isprintable() and len(key) <= _LONGEST_SHOWN else _shown(key)
            raise ValueError(f"{words.format(shown)} is not known{_suggest(key, known)}")


def _suggest(word: str, known: Mapping[str, Any] | list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _explain(declared: Declaration) -> str:
    text = f"{declared.title}: {declared.help}"
    if declared.choices:
        text += f" ({', '.join(declared.choices)})"
    elif declared.low is not None:
        text += f" ({declared.low} to {declared.high}{' ' + declared.unit if declared.unit else ''})"
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(entry) for entry in value]
    return str(value) if isinstance(value, Decimal) else value
