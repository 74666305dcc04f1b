"""The settings file: TOML, written once with every choice explained, and from then on the owner's."""

from __future__ import annotations

import errno
import os
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import refuse_overlaps
from argentum_desktop.errors import DiskFullError, SettingsError
from argentum_desktop.settings.declaration import Declaration, declaration
from argentum_desktop.settings.schema import Settings, sections
from argentum_desktop.settings.values import plain, record, refuse_unknown, shown, suggestion

if TYPE_CHECKING:
    from tomlkit.items import Item

_KEPT = "Correct it, or move the file away to start again from the defaults; nothing runs until then."
LONGEST_NAME = 120
_ENTRIES_A_LINE = 3


def load(path: Path) -> Settings:
    """Read the file; where there is none, write one with the defaults.

    Raises:
        SettingsError: the file cannot be read or a value cannot be used; the file is left as it is.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except FileNotFoundError:
        settings = Settings()
        write(path, render(settings))
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
    refuse_unknown(document, known, "the section [{}]")
    values = {}
    for name, section in known.items():
        table = document.get(name, {})
        if not isinstance(table, Mapping):
            raise ValueError(f"[{name}] must be a section")
        declared = {setting.name: declaration(setting) for setting in fields(section)}
        values[name] = record(section, declared, table, f"{name}.")
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
            table.add(setting.name, toml(getattr(getattr(settings, name), setting.name)))
        document.add(tomlkit.nl())
        document.add(name, table)
    return tomlkit.dumps(document)


def write(path: Path, text: str) -> None:
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


def _check_together(settings: Settings) -> None:
    zone = settings.availability.timezone
    if zone and zone not in zoneinfo.available_timezones():
        raise ValueError(f"availability.timezone {shown(zone)} is no known time zone{suggestion(zone, _zones())}")
    prices = settings.prices
    try:
        Money.zero(prices.currency)
    except ValueError as error:
        raise ValueError(f"prices.{error}") from error
    for name, amount in _amounts(settings):
        try:
            prices.money(amount)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    try:
        refuse_overlaps(prices.tariff)
    except ValueError as error:
        raise ValueError(f"prices.tariff cannot be used: {error}") from error
    engine = settings.jobs.engine
    if engine.lower() not in {"auto", "podman", "docker"} and "/" not in engine:
        raise ValueError(f"jobs.engine {shown(engine)} must be auto, podman, docker or a socket's address (unix:///…)")
    if settings.market.url and not _is_web_address(settings.market.url):
        raise ValueError(f"market.url {shown(settings.market.url)} is no web address; it looks like https://…")
    if len(settings.market.name) > LONGEST_NAME:
        raise ValueError(f"market.name must be at most {LONGEST_NAME} characters long")


def _amounts(settings: Settings) -> Iterator[tuple[str, Decimal]]:
    """Every amount of money with the name under which it stands in the file."""
    for setting in fields(settings.prices):
        amount = getattr(settings.prices, setting.name)
        if isinstance(amount, Decimal):
            yield f"prices.{setting.name}", amount
    for line in settings.prices.tariff:
        yield "prices.tariff", line.per_kwh
    for window in settings.availability.windows:
        if window.floor is not None:
            yield "availability.windows", window.floor


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None


def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())


def _explain(declared: Declaration) -> str:
    text = f"{declared.title}: {declared.help}"
    if declared.choices:
        text += f" ({', '.join(declared.choices)})"
    elif declared.low is not None:
        text += f" ({declared.low} to {declared.high}{' ' + declared.unit if declared.unit else ''})"
    return text


def toml(value: Any) -> Item:
    """The value as it is written into the file; a list of many entries, or of tables, takes a line for each."""
    import tomlkit

    written = plain(value)
    if not isinstance(written, list):
        item: Item = tomlkit.item(written)
        return item
    array = tomlkit.array()
    for entry in written:
        if isinstance(entry, dict):
            table = tomlkit.inline_table()
            table.update(entry)
            array.append(table)
        else:
            array.append(entry)
    array.multiline(len(written) > _ENTRIES_A_LINE or any(isinstance(entry, dict) for entry in written))
    return array
